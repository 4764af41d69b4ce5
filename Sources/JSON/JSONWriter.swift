/// Writes JSON deterministically: members in their order, no escaped slash, UTF-8 unescaped.
package struct JSONWriter {
  /// How the text is laid out.
  package enum Layout: Sendable {
    /// Everything on one line, no white space.
    case compact
    /// One line, a space behind `:` and `,`, as Python's `json.dumps` writes by default.
    case spaced
    /// Two spaces a level, a member a line.
    case indented
  }

  package private(set) var bytes: [UInt8] = []
  private let layout: Layout

  package init(layout: Layout = .compact) {
    self.layout = layout
  }

  package mutating func write(_ value: JSONValue) { write(value, level: 0) }

  /// A string, for those who write a large document piece by piece and build no tree of it.
  package mutating func write(text: String) { writeString(text) }

  /// Punctuation and names of members, as they stand.
  package mutating func write(raw text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func write(_ value: JSONValue, level: Int) {
    switch value {
    case .null: append("null")
    case .bool(let flag): append(flag ? "true" : "false")
    case .int(let number): append(number.description)
    // JSON has no word for NaN and the infinities.
    case .double(let number): append(number.isFinite ? number.description : "null")
    case .number(let token): append(token)
    case .string(let text): writeString(text)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { writeComma() }
        breakLine(level + 1)
        write(element, level: level + 1)
      }
      if !elements.isEmpty { breakLine(level) }
      bytes.append(UInt8(ascii: "]"))
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in object.enumerated() {
        if index > 0 { writeComma() }
        breakLine(level + 1)
        writeString(member.key)
        bytes.append(UInt8(ascii: ":"))
        if layout != .compact { bytes.append(0x20) }
        write(member.value, level: level + 1)
      }
      if !object.isEmpty { breakLine(level) }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private mutating func writeComma() {
    bytes.append(UInt8(ascii: ","))
    if layout == .spaced { bytes.append(0x20) }
  }

  private mutating func breakLine(_ level: Int) {
    guard layout == .indented else { return }
    bytes.append(0x0A)
    for _ in 0..<level {
      bytes.append(0x20)
      bytes.append(0x20)
    }
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func writeString(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var copy = text
    copy.withUTF8 { utf8 in
      var plainStart = 0
      for (index, byte) in utf8.enumerated() {
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
        bytes.append(contentsOf: utf8[plainStart..<index])
        plainStart = index + 1
        appendEscape(byte)
      }
      bytes.append(contentsOf: utf8[plainStart...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendEscape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0C: bytes.append(UInt8(ascii: "f"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    default:
      append("u00")
      bytes.append(UInt8(ascii: "0") + (byte >> 4))
      let low = byte & 0xF
      bytes.append(low < 10 ? 0x30 + low : 0x61 + low - 10)
    }
  }
}

extension JSONValue {
  /// This value as JSON bytes.
  package func encoded(_ layout: JSONWriter.Layout = .compact) -> [UInt8] {
    var writer = JSONWriter(layout: layout)
    writer.write(self)
    return writer.bytes
  }

  /// This value as JSON text.
  package func text(_ layout: JSONWriter.Layout = .compact) -> String {
    String(decoding: encoded(layout), as: UTF8.self)
  }
}

extension JSONValue: CustomStringConvertible {
  /// The value as JSON on one line.
  public var description: String { text(.spaced) }
}

extension JSONObject: CustomStringConvertible {
  /// The object as JSON on one line.
  public var description: String { JSONValue.object(self).description }
}
