import JSON

/// A number as people write it in decimal digits: `42`, `+1.5`, `.5`, `-3e4`.
///
/// Neither hexadecimal digits nor words (`nan`, `inf`), which the standard library would take as well.
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

  /// A number that a person might write in a sentence: a sign, a currency sign and thousands separators
  /// (`-$1,234.50`) are allowed as well.
  init?(spoken text: String) {
    var digits = Substring(text)
    var sign = ""
    if let first = digits.first, first == "-" || first == "+" { sign = String(digits.removeFirst()) }
    if let first = digits.first, "$€£¥".contains(first) {
      digits = digits.dropFirst().drop(while: \.isWhitespace)
    } else if digits.first == "-" || digits.first == "+" {
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
      self.init(sign + digits)
    }
  }
}
