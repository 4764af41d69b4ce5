/// String operations with Python's meaning where it differs from Swift's.
///
/// They work on Unicode scalars, as Python does, not on characters: a space with a combining accent
/// is one character in Swift but still separates words here.
package enum PythonText {
  /// `str.isspace` of one scalar: Unicode white space and the four information separators.
  package static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09...0x0D, 0x1C...0x1F: true
    case ..<0x80: false
    default: scalar.properties.isWhitespace
    }
  }

  /// `str.isdigit` of one scalar.
  package static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return (0x30...0x39).contains(scalar.value) }
    return scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
  }

  /// `str.isalnum` of one scalar, which is also `\w` in `re` apart from `_`. Marks do not count.
  package static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: return true
    case ..<0x80: return false
    default:
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
      default: return scalar.properties.numericType != nil
      }
    }
  }

  /// `str.split()`.
  package static func split(_ text: some StringProtocol) -> [String] {
    text.unicodeScalars.split(whereSeparator: isSpace).map { String(String.UnicodeScalarView($0)) }
  }

  /// `str.lower()`: every scalar's lower-case mapping, and the Greek capital sigma at the end of a
  /// word as final sigma (Unicode Standard, table 3-17).
  package static func lower(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    for (index, scalar) in scalars.enumerated() {
      if scalar.isASCII {
        result.append((0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar)
      } else if scalar.value == 0x3A3 {
        result.append(isFinalSigma(scalars, at: index) ? "\u{3C2}" : "\u{3C3}")
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  private static func isFinalSigma(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }
}
