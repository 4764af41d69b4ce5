/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, Sendable, CustomStringConvertible {
  package var message: String
  /// The place in bytes from the start.
  package var offset: Int
  package var description: String { "\(message) at byte \(offset)" }
}

/// Reads one JSON text strictly (RFC 8259, UTF-8): no trailing comma, no byte order mark, no lone
/// surrogate, nothing behind the value but white space, nesting at most `maximumDepth` (checked
/// before anything is built), at most `maximumValues` values. Of two members with one name the last wins.
package struct JSONReader {
  package static let defaultMaximumDepth = 128
  /// The values that a message from another process may have: a value takes up to a hundred times the memory of its text.
  package static let messageValues = 1_000_000

  private let bytes: UnsafeBufferPointer<UInt8>
  private let maximumDepth: Int
  private let maximumValues: Int
  /// How many more values there may be.
  private var valuesLeft: Int
  /// Whether `NaN`, `Infinity` and `-Infinity` are numbers.
  private var admitsNonNumbers = false
  private var position = 0

  package static func read(
    _ bytes: some Sequence<UInt8>, maximumDepth: Int = defaultMaximumDepth, maximumValues: Int = .max
  ) throws(JSONSyntaxError) -> JSONValue {
    let result: Result<JSONValue, JSONSyntaxError>? = bytes.withContiguousStorageIfAvailable { buffer in
      JSONReader.parse(buffer, maximumDepth, maximumValues)
    }
    if let result { return try result.get() }
    return try Array(bytes).withUnsafeBufferPointer { JSONReader.parse($0, maximumDepth, maximumValues) }.get()
  }

  package static func read(
    _ text: String, maximumDepth: Int = defaultMaximumDepth, maximumValues: Int = .max
  ) throws(JSONSyntaxError) -> JSONValue {
    var copy = text
    let result: Result<JSONValue, JSONSyntaxError> = copy.withUTF8 {
      JSONReader.parse($0, maximumDepth, maximumValues)
    }
    return try result.get()
  }

  /// Reads a text in which the words for numbers that JSON does not have may stand, as Python's `json.dumps` writes them:
  /// they become `.number` with that word.
  package static func readWithNonNumbers(_ bytes: some Sequence<UInt8>) throws(JSONSyntaxError) -> JSONValue {
    try Array(bytes).withUnsafeBufferPointer {
      JSONReader.parse($0, defaultMaximumDepth, .max, admitsNonNumbers: true)
    }.get()
  }

  package static let nonNumbers: Set<String> = ["NaN", "Infinity", "-Infinity"]

  private static func parse(
    _ buffer: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int, _ maximumValues: Int, admitsNonNumbers: Bool = false
  ) -> Result<JSONValue, JSONSyntaxError> {
    var reader = JSONReader(bytes: buffer, maximumDepth: maximumDepth, maximumValues: maximumValues)
    reader.admitsNonNumbers = admitsNonNumbers
    do throws(JSONSyntaxError) {
      reader.skipSpace()
      let value = try reader.readValue(depth: 0)
      reader.skipSpace()
      guard reader.position == buffer.count else { throw reader.error("Unexpected text after the value") }
      return .success(value)
    } catch {
      return .failure(error)
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int, maximumValues: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
    self.maximumValues = maximumValues
    valuesLeft = maximumValues
  }

  private func error(_ message: String) -> JSONSyntaxError { JSONSyntaxError(message: message, offset: position) }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func readValue(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard let byte = current else { throw error("Unexpected end of text") }
    guard valuesLeft > 0 else { throw error("It has more than the \(maximumValues) values allowed") }
    valuesLeft -= 1
    if admitsNonNumbers, let word = readNonNumber() { return word }
    switch byte {
    case UInt8(ascii: "{"): return try readObject(depth: depth)
    case UInt8(ascii: "["): return try readArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber()
    default: throw error("Expected a value")
    }
  }

  private mutating func readNonNumber() -> JSONValue? {
    for word in Self.nonNumbers where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return .number(word)
    }
    return nil
  }

  private mutating func readWord(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count else { throw error("Expected \(word)") }
    for i in 0..<length where bytes[position + i] != word.utf8Start[i] { throw error("Expected \(word)") }
    position += length
    return value
  }

  private mutating func readArray(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth < maximumDepth else { throw error("Nested deeper than \(maximumDepth) levels") }
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      skipSpace()
      elements.append(try readValue(depth: depth + 1))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return .array(elements)
      default: throw error("Expected , or ] in an array")
      }
    }
  }

  private mutating func readObject(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth < maximumDepth else { throw error("Nested deeper than \(maximumDepth) levels") }
    position += 1
    var members = MemberList()
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(JSONObject())
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("Expected a member's name in quotes") }
      let key = try readString()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw error("Expected : after a member's name") }
      position += 1
      skipSpace()
      members.set(key, try readValue(depth: depth + 1))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return .object(members.object)
      default: throw error("Expected , or } in an object")
      }
    }
  }

  private mutating func readNumber() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    var isInteger = true
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") {
      position += 1
    } else {
      try readDigits()
    }
    if current == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try readDigits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try readDigits()
    }
    let length = position - start
    let digits = UnsafeBufferPointer(rebasing: bytes[start..<position])
    if isInteger {
      if length <= 18 {
        var value = 0
        let negative = digits[0] == UInt8(ascii: "-")
        for digit in digits.dropFirst(negative ? 1 : 0) { value = value * 10 + Int(digit &- 0x30) }
        if negative && value == 0 { return .number("-0") }
        return .int(negative ? -value : value)
      }
      let token = String(decoding: digits, as: UTF8.self)
      return Int(token).map(JSONValue.int) ?? .number(token)
    }
    let token = String(decoding: digits, as: UTF8.self)
    if let value = Double(token), value.isFinite, value.description == token { return .double(value) }
    return .number(token)
  }

  private mutating func readDigits() throws(JSONSyntaxError) {
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 <= 9 { position += 1 }
    guard position > start else { throw error("Expected a digit") }
  }

  private mutating func readString() throws(JSONSyntaxError) -> String {
    position += 1
    let start = position
    var isASCII = true
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = try decode(UnsafeBufferPointer(rebasing: bytes[start..<position]), isASCII: isASCII)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try readEscapedString(from: start) }
      guard byte >= 0x20 else { throw error("A control character must be escaped in a string") }
      if byte >= 0x80 { isASCII = false }
      position += 1
    }
    throw error("A string is not closed")
  }

  private func decode(_ part: UnsafeBufferPointer<UInt8>, isASCII: Bool) throws(JSONSyntaxError) -> String {
    if isASCII { return String(decoding: part, as: UTF8.self) }
    guard let text = String(validating: part, as: UTF8.self) else {
      throw error("A string is not valid UTF-8")
    }
    return text
  }

  /// The string whose text begins at `start` and whose first escape is at the current position.
  private mutating func readEscapedString(from start: Int) throws(JSONSyntaxError) -> String {
    var text: [UInt8] = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        let result = text.withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
        guard let result else { throw error("A string is not valid UTF-8") }
        position += 1
        return result
      case UInt8(ascii: "\\"):
        position += 1
        guard let escape = current else { throw error("A string is not closed") }
        position += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try readEscapedScalar()).utf8)
        default: throw error("Unknown escape in a string")
        }
      case 0..<0x20: throw error("A control character must be escaped in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error("A string is not closed")
  }

  private mutating func readEscapedScalar() throws(JSONSyntaxError) -> Character {
    let unit = try readHexUnit()
    var value = UInt32(unit)
    if (0xD800...0xDBFF).contains(unit) {
      guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      else { throw error("A lone surrogate is not a character") }
      position += 2
      let low = try readHexUnit()
      guard (0xDC00...0xDFFF).contains(low) else { throw error("A lone surrogate is not a character") }
      value = 0x10000 + ((UInt32(unit) - 0xD800) << 10) + (UInt32(low) - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw error("A lone surrogate is not a character") }
    return Character(scalar)
  }

  private mutating func readHexUnit() throws(JSONSyntaxError) -> UInt16 {
    guard position + 4 <= bytes.count else { throw error("Expected four hexadecimal digits") }
    var unit: UInt16 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: throw error("Expected four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}
