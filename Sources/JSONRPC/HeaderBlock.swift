/// The header fields in front of one message, taken in line by line.
///
/// Tolerant where peers differ (case, order, blanks around the value, further fields), strict where a
/// mistake would lose the place in the stream (the length).
struct HeaderBlock: Sendable {
  private(set) var length: Int?
  /// Why the body is to be passed over and answered with an error.
  private(set) var refusal: RPCError?
  /// The bytes taken in so far.
  var size = 0
  private(set) var isEmpty = true

  /// Takes one line without its line break; answers what is wrong with it if the stream is lost.
  mutating func take(_ line: ArraySlice<UInt8>) -> RPCError? {
    isEmpty = false
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].allSatisfy(Self.isTokenByte)
    else {
      return RPCError(
        .parseError,
        """
        Expected a header such as "Content-Length: 52", or a JSON message; got "\(Self.excerpt(line))". \
        Send one JSON message a line, or the base protocol of LSP.
        """)
    }
    let value = Self.trimmed(line[(colon + 1)...])
    switch String(decoding: line[..<colon], as: UTF8.self).lowercased() {
    case "content-length": return takeLength(value)
    case "content-type": takeType(value)
    default: break
    }
    return nil
  }

  private mutating func takeLength(_ value: ArraySlice<UInt8>) -> RPCError? {
    let digits = value.drop(while: { $0 == 0x30 })
    // 18 digits fit into an Int whatever they are.
    guard !value.isEmpty, value.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 18,
      let number = digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self))
    else {
      return RPCError(.parseError, "\"\(Self.excerpt(value))\" is not a valid Content-Length.")
    }
    if let length, length != number {
      return RPCError(.parseError, "Two headers disagree about Content-Length: \(length) and \(number).")
    }
    length = number
    return nil
  }

  private mutating func takeType(_ value: ArraySlice<UInt8>) {
    for parameter in value.split(separator: UInt8(ascii: ";")).dropFirst() {
      let parts = parameter.split(separator: UInt8(ascii: "="), maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = String(decoding: Self.trimmed(parts[0]), as: UTF8.self).lowercased()
      let quoted = Self.trimmed(parts[1]).filter { $0 != UInt8(ascii: "\"") }
      let charset = String(decoding: quoted, as: UTF8.self).lowercased()
      guard name == "charset", charset != "utf-8", charset != "utf8" else { continue }
      refusal = RPCError(
        .parseError, "The charset \"\(Self.excerpt(quoted[...]))\" is not taken; send UTF-8.")
    }
  }

  /// Whether a header's name may hold this byte (RFC 9110, token).
  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"),
      UInt8(ascii: "~"):
      true
    default: false
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    var result = bytes.drop(while: isBlank)
    while let last = result.last, isBlank(last) { result.removeLast() }
    return result
  }

  private static func excerpt(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(60), as: UTF8.self)
    let plain = String(text.unicodeScalars.map { $0.value < 0x20 ? "?" : Character($0) })
    return bytes.count > 60 ? plain + "…" : plain
  }
}
