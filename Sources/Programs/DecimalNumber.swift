import JSON

/// A number as people write it in decimal digits: `42`, `+1.5`, `.5`, `-3e4`.
///
/// Never words (`nan`, `inf`), which the standard library would take as well.
struct DecimalNumber {
  /// The number as JSON: an integer where it was written as one and fits, else a finite double.
  let json: JSONValue

  init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 100, text.utf8.contains(where: { (0x30...0x39).contains($0) }),
      text.utf8.allSatisfy({ byte in
        (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte)
      })
    else { return nil }
    if let whole = Int(text) {
      json = .int(whole)
    } else if let number = Double(text), number.isFinite {
      json = .double(number)
    } else {
      return nil
    }
  }

  /// A whole number in hexadecimal, octal or binary digits: `0x1F`, `0o17`, `-0b11`.
  init?(prefixed text: some StringProtocol) {
    guard text.utf8.count <= 100 else { return nil }
    let digits = text.drop { "+-".contains($0) }
    let radixes = ["0x": 16, "0o": 8, "0b": 2]
    guard text.count - digits.count <= 1, let radix = radixes[digits.prefix(2).lowercased()],
      let first = digits.dropFirst(2).first, first.isHexDigit,
      let whole = Int(String(text.prefix(text.count - digits.count)) + digits.dropFirst(2), radix: radix)
    else { return nil }
    json = .int(whole)
  }

  /// Whether a number begins with zeros that count for nothing (`007`), as names and codes do.
  static func hasLeadingZeros(_ text: some StringProtocol) -> Bool {
    let digits = text.drop { "+-\u{2212}".contains($0) }
    return digits.first == "0" && digits.dropFirst().first?.isASCIIDigit == true
  }

  /// A number with the minus sign of print (`−5`) or underscores between its digits (`123_456.789`).
  init?(written text: some StringProtocol) {
    guard text.utf8.count <= 100 else { return nil }
    var plain = String(text)
    if let first = plain.first, first == "\u{2212}" { plain = "-" + plain.dropFirst() }
    let parts = plain.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count > 1 else {
      self.init(plain)
      return
    }
    for (left, right) in zip(parts, parts.dropFirst()) {
      guard left.last?.isASCIIDigit == true, right.first?.isASCIIDigit == true else { return nil }
    }
    self.init(parts.joined())
  }

  /// A number that a person might write in a sentence: a sign, a currency sign and thousands separators
  /// (`-$1,234.50`) are allowed as well.
  init?(spoken text: String) {
    guard text.utf8.count <= 100 else { return nil }
    var digits = Substring(text)
    var sign = ""
    if let first = digits.first, "+-\u{2212}\u{2013}".contains(first) {
      digits.removeFirst()
      sign = first == "+" ? "+" : "-"
    }
    if let first = digits.first, "$€£¥".contains(first) {
      digits = digits.dropFirst().drop(while: \.isWhitespace)
    } else if let first = digits.first, "+-\u{2212}\u{2013}".contains(first) {
      return nil
    }
    if digits.utf8.contains(UInt8(ascii: ",")) {
      let whole = digits.prefix { $0 != "." }
      let groups = whole.split(separator: ",", omittingEmptySubsequences: false)
      let fraction = digits[whole.endIndex...]
      guard let first = groups.first, (1...3).contains(first.utf8.count),
        groups.dropFirst().allSatisfy({ $0.utf8.count == 3 }), !fraction.utf8.contains(UInt8(ascii: ","))
      else { return nil }
      self.init(sign + groups.joined() + fraction)
    } else {
      self.init(written: sign + digits)
    }
  }
}

extension Character {
  var isASCIIDigit: Bool { isASCII && isNumber }
}
