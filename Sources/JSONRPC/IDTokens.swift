import JSON

/// Finds the text of the `id` members in a message that has been read already, since the reader keeps
/// what a string means and not how it was escaped.
///
/// Relies on the text being valid JSON; on any other text it finds nothing, or nonsense, but ends.
struct IDTokens {
  private let text: [UInt8]
  private var position = 0

  /// For one object its id's token, for an array one entry an element; nil where there is no id.
  static func find(in text: [UInt8]) -> [String?] {
    var scanner = IDTokens(text: text)
    scanner.skipSpace()
    guard scanner.current == UInt8(ascii: "[") else { return [scanner.scanElement()] }
    scanner.position += 1
    var tokens: [String?] = []
    while true {
      scanner.skipSpace()
      guard let byte = scanner.current, byte != UInt8(ascii: "]") else { return tokens }
      tokens.append(scanner.scanElement())
      scanner.skipSpace()
      if scanner.current == UInt8(ascii: ",") { scanner.position += 1 }
    }
  }

  private init(text: [UInt8]) { self.text = text }

  private var current: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
  }

  /// Passes one value; if it is an object, answers the token of its last `id`.
  private mutating func scanElement() -> String? {
    guard current == UInt8(ascii: "{") else {
      skipValue()
      return nil
    }
    position += 1
    var token: String?
    while true {
      skipSpace()
      guard let byte = current else { return token }
      if byte == UInt8(ascii: "}") {
        position += 1
        return token
      }
      let nameStart = position
      skipValue()
      let name = text[nameStart..<position]
      skipSpace()
      if current == UInt8(ascii: ":") { position += 1 }
      skipSpace()
      let valueStart = position
      skipValue()
      if Self.isID(name) { token = String(decoding: text[valueStart..<position], as: UTF8.self) }
      skipSpace()
      if current == UInt8(ascii: ",") { position += 1 }
    }
  }

  private static func isID(_ name: ArraySlice<UInt8>) -> Bool {
    if name.elementsEqual("\"id\"".utf8) { return true }
    guard name.contains(UInt8(ascii: "\\")), name.count <= 14 else { return false }
    return (try? JSONReader.read(name)) == "id"
  }

  /// Passes one value of any kind, at least one byte.
  private mutating func skipValue() {
    var depth = 0
    repeat {
      guard let byte = current else { return }
      position += 1
      switch byte {
      case UInt8(ascii: "\""): skipString()
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default:
        guard depth == 0 else { continue }
        while let next = current, !Self.endsWord(next) { position += 1 }
      }
    } while depth > 0
  }

  private mutating func skipString() {
    while let byte = current {
      position += byte == UInt8(ascii: "\\") ? 2 : 1
      if byte == UInt8(ascii: "\"") { return }
    }
    position = min(position, text.count)
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x09...0x0D, 0x20, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"): true
    default: false
    }
  }
}
