import Basics

/// Finds numbers in text, as people and language models write them in English.
///
/// Understood are signs (`-`, `+`, `−`), thousands in groups of three behind commas, decimals,
/// exponents, fractions (`3/4`) and mixed numbers (`1 1/2`), with a currency sign in front and a
/// percent sign behind, both without effect on the value. A hyphen between words or numbers (`5-3`,
/// `x-3`) is no sign.
struct NumberText: Equatable {
  var value: Double
  /// The number as sign, digits and decimals without needless zeros, where it is a plain decimal;
  /// equal texts are equal numbers at any size.
  var exact: String?
  /// The number as it stands in the text.
  var text: String

  /// Every number of the text, in order.
  static func all(in text: String) -> [NumberText] {
    var scanner = Scanner(Array(text.unicodeScalars.map(ascii)))
    return scanner.scan()
  }

  /// The text's one number, if nothing else stands there but white space, a currency or percent sign
  /// and a full stop at the end.
  static func whole(_ text: String) -> NumberText? {
    let scalars = Array(text.unicodeScalars.map(ascii))
    var scanner = Scanner(scalars)
    let found = scanner.scan()
    guard found.count == 1, let range = scanner.ranges.first else { return nil }
    let outside = scalars[..<range.lowerBound] + scalars[range.upperBound...]
    return outside.allSatisfy { $0 == " " || $0 == "\n" || $0 == "$" || $0 == "%" || $0 == "." } ? found[0] : nil
  }

  /// One ASCII scalar for each that matters; white space and currency signs folded.
  private static func ascii(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x2212: "-"
    case 0x0A, 0x0D: "\n"
    case 0x0A...0x7F where scalar != "\t": scalar
    default:
      if PythonText.isSpace(scalar) {
        " "
      } else if scalar.properties.generalCategory == .currencySymbol {
        "$"
      } else if let digit = scalar.properties.numericType == .decimal ? scalar.properties.numericValue : nil {
        Unicode.Scalar(UInt8(48 + Int(digit)))
      } else {
        scalar
      }
    }
  }

  private struct Scanner {
    let scalars: [Unicode.Scalar]
    var position = 0
    var ranges: [Range<Int>] = []

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private func at(_ index: Int) -> Unicode.Scalar? { scalars.indices.contains(index) ? scalars[index] : nil }
    private func isDigit(_ index: Int) -> Bool { at(index).map { ("0"..."9").contains($0) } ?? false }

    mutating func scan() -> [NumberText] {
      var found: [NumberText] = []
      while position < scalars.count {
        let startsNumber = isDigit(position) || (at(position) == "." && isDigit(position + 1) && !isDigit(position - 1))
        guard startsNumber else {
          position += 1
          continue
        }
        let number = readNumber(after: found)
        if number.joinsLast {
          found.removeLast()
          ranges.removeLast()
        }
        found.append(number.value)
        ranges.append(number.range)
      }
      return found
    }

    private mutating func readNumber(
      after found: [NumberText]
    ) -> (value: NumberText, range: Range<Int>, joinsLast: Bool) {
      let digitsStart = position
      let (start, isNegative) = sign(before: position)
      let integer = readInteger()
      var decimals = ""
      if at(position) == ".", isDigit(position + 1) {
        position += 1
        decimals = readDigits()
      }
      var exact: String? = Self.canonical(integer, decimals, isNegative: isNegative)
      var magnitude = Double("\(integer.isEmpty ? "0" : integer).\(decimals.isEmpty ? "0" : decimals)") ?? 0
      if let exponent = readExponent() {
        exact = nil
        magnitude = Double("\(integer.isEmpty ? "0" : integer).\(decimals.isEmpty ? "0" : decimals)e\(exponent)") ?? 0
      }
      // Behind a slash stands no new fraction: `3/4/2020` is a date.
      if decimals.isEmpty, at(digitsStart - 1) != "/", let denominator = readDenominator() {
        exact = nil
        magnitude /= denominator
        // A whole number, one space and a fraction below one are a mixed number.
        if start == digitsStart, let last = found.last, let range = ranges.last, last.exact != nil,
          range.upperBound + 1 == start, at(range.upperBound) == " ", magnitude < 1,
          last.value == last.value.rounded()
        {
          let isNegative = last.value.sign == .minus
          let whole = abs(last.value) + magnitude
          let joined = range.lowerBound..<position
          return (number(isNegative ? -whole : whole, nil, joined), joined, true)
        }
      }
      return (number(isNegative ? -magnitude : magnitude, exact, start..<position), start..<position, false)
    }

    private func number(_ value: Double, _ exact: String?, _ range: Range<Int>) -> NumberText {
      NumberText(value: value, exact: exact, text: String(String.UnicodeScalarView(scalars[range])))
    }

    /// The number's start with its sign, if it has one, and whether that is a minus; `-$5` has one, `5-3` none.
    private func sign(before digits: Int) -> (start: Int, isNegative: Bool) {
      var index = digits - 1
      if at(index) == "$" { index -= 1 }
      guard let sign = at(index), sign == "-" || sign == "+" else { return (digits, false) }
      if let before = at(index - 1),
        PythonText.isAlphanumeric(before) || before == "." || before == ")" || before == sign
      {
        return (digits, false)
      }
      return (index, sign == "-")
    }

    private mutating func readDigits() -> String {
      var digits = ""
      while isDigit(position) {
        digits.unicodeScalars.append(scalars[position])
        position += 1
      }
      return digits
    }

    /// Digits, with thousands behind commas where each group has exactly three.
    private mutating func readInteger() -> String {
      var digits = readDigits()
      guard (1...3).contains(digits.utf8.count) else { return digits }
      while at(position) == ",", isDigit(position + 1), isDigit(position + 2), isDigit(position + 3),
        !isDigit(position + 4)
      {
        position += 1
        digits += readDigits()
      }
      return digits
    }

    private mutating func readExponent() -> String? {
      guard at(position) == "e" || at(position) == "E" else { return nil }
      let signLength = at(position + 1) == "+" || at(position + 1) == "-" ? 1 : 0
      guard isDigit(position + 1 + signLength) else { return nil }
      let sign = at(position + 1) == "-" ? "-" : ""
      position += 1 + signLength
      return sign + readDigits()
    }

    /// The denominator of a fraction, if one follows; a second slash makes it a date or a path.
    private mutating func readDenominator() -> Double? {
      var index = position
      if at(index) == "/" { index += 1 } else { return nil }
      guard isDigit(index) else { return nil }
      let before = position
      position = index
      let digits = readDigits()
      guard let value = Double(digits), value != 0, at(position) != "/", !(at(position) == "." && isDigit(position + 1))
      else {
        position = before
        return nil
      }
      return value
    }

    private static func canonical(_ integer: String, _ decimals: String, isNegative: Bool) -> String {
      let whole = integer.drop { $0 == "0" }
      var part = decimals[...]
      while part.last == "0" { part.removeLast() }
      if whole.isEmpty && part.isEmpty { return "0" }
      return (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole) + (part.isEmpty ? "" : "." + part)
    }
  }
}
