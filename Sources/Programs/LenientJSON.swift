package import JSON

/// Reads what models write where JSON was asked for: fenced in backticks, with Python's words, tuples and
/// quotes, trailing commas, comments, unescaped quotes inside a text, or cut off before the closing brackets.
///
/// Strict JSON is tried first. Returns nil where no value can be made out. Works on UTF-8 and in time
/// proportional to the text, whatever it holds.
package struct LenientJSON {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private static let maximumDepth = 64
  private static let maximumSize = 1_000_000

  /// The one value that the whole text, less a fence around it, stands for.
  package static func read(_ text: String) -> JSONValue? {
    if let value = try? JSONReader.read(text) { return value }
    let body = unfenced(Array(text.utf8)[...])
    if body.count < text.utf8.count, let value = try? JSONReader.read(body) { return value }
    guard body.count <= maximumSize else { return nil }
    var reader = LenientJSON(body)
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    guard reader.current == nil else { return nil }
    return value
  }

  /// The first object with any member in a text that holds other words too.
  package static func firstObject(in text: String) -> JSONObject? {
    if case .object(let object)? = read(text) { return object }
    return first(UInt8(ascii: "{"), in: text) { value in
      if case .object(let object) = value, !object.isEmpty { object } else { nil }
    }
  }

  /// The first list in a text that holds other words too.
  package static func firstArray(in text: String) -> [JSONValue]? {
    if case .array(let elements)? = read(text) { return elements }
    return first(UInt8(ascii: "["), in: text) { value in value.arrayValue }
  }

  /// The first acceptable value that begins with `bracket`; twenty places are tried.
  private static func first<Found>(
    _ bracket: UInt8, in text: String, accepted: (JSONValue) -> Found?
  ) -> Found? {
    let body = Array(text.utf8).prefix(maximumSize)
    var rest = body
    for _ in 0..<20 {
      guard let start = rest.firstIndex(of: bracket) else { return nil }
      var reader = LenientJSON(body[start...])
      if let value = reader.value(depth: 0), let found = accepted(value) { return found }
      rest = body[(start + 1)...]
    }
    return nil
  }

  /// What stands inside the first fence of backticks, if the text begins with one; else the text.
  /// A fence that is never closed reaches to the end.
  /// The text inside a fence of backticks, or the whole text where there is none.
  package static func unfenced(_ text: String) -> String {
    String(decoding: unfenced(Array(text.utf8)[...]), as: UTF8.self)
  }

  private static func unfenced(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let start = text.firstIndex(where: { !isSpace($0) }), text[start...].starts(with: fence),
      let lineEnd = text[start...].firstIndex(of: 0x0A)
    else { return text }
    let body = text[(lineEnd + 1)...]
    var position = body.startIndex
    while position < body.endIndex {
      let end = body[position...].firstIndex(of: 0x0A) ?? body.endIndex
      let line = body[position..<end].drop(while: isSpace)
      if line.starts(with: fence) {
        // Words behind the closing fence are the model's, not the value's.
        return body[..<position]
      }
      position = end + 1
    }
    return body
  }

  private static let fence = Array("```".utf8)

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  private var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// Passes over white space and comments (`#`, `//`, `/* */`).
  private mutating func skipSpace() {
    while let byte = current {
      let next = position + 1 < bytes.endIndex ? bytes[position + 1] : 0
      if Self.isSpace(byte) {
        position += 1
      } else if byte == UInt8(ascii: "#") || (byte == UInt8(ascii: "/") && next == byte) {
        while let inside = current, inside != 0x0A { _ = inside; position += 1 }
      } else if byte == UInt8(ascii: "/"), next == UInt8(ascii: "*") {
        position += 2
        while position < bytes.endIndex,
          !(bytes[position] == UInt8(ascii: "/") && bytes[position - 1] == UInt8(ascii: "*"))
        { position += 1 }
        position = min(position + 1, bytes.endIndex)
      } else {
        return
      }
    }
  }

  private mutating func value(depth: Int) -> JSONValue? {
    guard depth < Self.maximumDepth else { return nil }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return object(depth: depth)
    case UInt8(ascii: "["): return array(closedBy: UInt8(ascii: "]"), depth: depth)
    case UInt8(ascii: "("): return array(closedBy: UInt8(ascii: ")"), depth: depth)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(string(nested: depth > 0))
    case nil: return nil
    default: return word()
    }
  }

  private mutating func object(depth: Int) -> JSONValue? {
    position += 1
    var members = Members()
    while true {
      skipSpace()
      switch current {
      case nil: return .object(members.object)
      case UInt8(ascii: "}"):
        position += 1
        return .object(members.object)
      case UInt8(ascii: ","): position += 1
      case let byte?:
        let isQuoted = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
        let key = isQuoted ? string(nested: false) : bareKey()
        guard let key else { return nil }
        skipSpace()
        // Cut off within a member: what stands before still counts.
        guard let colon = current else { return .object(members.object) }
        guard colon == UInt8(ascii: ":") else { return nil }
        position += 1
        guard let member = value(depth: depth + 1) else {
          guard current == nil else { return nil }
          return .object(members.object)
        }
        members.set(key, member)
      }
    }
  }

  private mutating func array(closedBy close: UInt8, depth: Int) -> JSONValue? {
    position += 1
    var elements: [JSONValue] = []
    while true {
      skipSpace()
      switch current {
      case nil: return .array(elements)
      case close:
        position += 1
        return .array(elements)
      case UInt8(ascii: ","): position += 1
      default:
        guard let element = value(depth: depth + 1) else { return nil }
        elements.append(element)
      }
    }
  }

  /// A quoted text. Inside brackets a quote ends it only where something of JSON's follows, so that
  /// quotes which the model forgot to escape stay in the text.
  private mutating func string(nested: Bool) -> String {
    let quote = bytes[position]
    position += 1
    var text: [UInt8] = []
    while let byte = current {
      position += 1
      if byte == quote {
        if !nested || endsHere() { break }
        text.append(byte)
      } else if byte == UInt8(ascii: "\\"), let escape = current {
        position += 1
        append(escape, to: &text)
      } else {
        text.append(byte)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Whether what follows a quote is what may follow a text: a comma, colon, bracket, comment or the end.
  private func endsHere() -> Bool {
    // A look-ahead of bounded length keeps the reading linear.
    for byte in bytes[position...].prefix(64) where !Self.isSpace(byte) {
      return ",:}])#/".utf8.contains(byte)
    }
    return true
  }

  private mutating func append(_ escape: UInt8, to text: inout [UInt8]) {
    switch escape {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "u"):
      if let scalar = escapedScalar() { text.append(contentsOf: String(Character(scalar)).utf8) }
    default: text.append(escape)
    }
  }

  /// The character of `\uXXXX`, or of two such that are a surrogate pair; nil for anything else.
  private mutating func escapedScalar() -> Unicode.Scalar? {
    guard let high = hexUnit(at: position) else { return nil }
    position += 4
    guard (0xD800...0xDBFF).contains(high) else { return Unicode.Scalar(high) }
    guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]),
      let low = hexUnit(at: position + 2), (0xDC00...0xDFFF).contains(low)
    else { return nil }
    position += 6
    return Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
  }

  private func hexUnit(at start: Int) -> UInt32? {
    guard start + 4 <= bytes.endIndex else { return nil }
    let digits = bytes[start..<(start + 4)]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  private mutating func bareKey() -> String? {
    let key = bytes[position...].prefix { byte in
      byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        || Character(Unicode.Scalar(byte)).isLetter || (0x30...0x39).contains(byte)
    }
    position = key.endIndex
    return key.isEmpty ? nil : String(decoding: key, as: UTF8.self)
  }

  private mutating func word() -> JSONValue? {
    let word = bytes[position...].prefix { !Self.isSpace($0) && !",]})".utf8.contains($0) }
    guard word.count <= 100 else { return nil }
    position = word.endIndex
    switch String(decoding: word, as: UTF8.self) {
    case "true", "True": return true
    case "false", "False": return false
    case "null", "None": return .null
    case let text:
      if let number = try? JSONReader.read(text) { return number }
      return DecimalNumber(text)?.json
    }
  }
}

/// The members of an object while it is read; of two with one name the last wins.
private struct Members {
  private var keys: [String] = []
  private var values: [JSONValue] = []
  private var places: [String: Int] = [:]

  mutating func set(_ key: String, _ value: JSONValue) {
    if let place = places[key] {
      values[place] = value
    } else {
      places[key] = keys.count
      keys.append(key)
      values.append(value)
    }
  }

  var object: JSONObject {
    var object = JSONObject()
    for (key, value) in zip(keys, values) { object.append(key, value) }
    return object
  }
}
