package import JSON

extension FieldType {
  // A note on `nil` in what follows: as an operand of `?:` it would be the JSON value null, hence the guards.

  /// `value` as this type, where it is of it or becomes it without loss (`"3"` → 3, `3.0` → 3); else nil.
  package func coerce(_ value: JSONValue) -> JSONValue? {
    switch (self, value) {
    case (.any, _): return value
    case (.string, .string): return value
    case (.string, .int), (.string, .double), (.string, .number): return .string(value.text())
    case (.string, .bool(let flag)): return .string(flag ? "True" : "False")
    case (.int, .int): return value
    case (.int, .double), (.int, .number): return value.intValue.map(JSONValue.int)
    case (.float, .int): return value
    case (.float, .double), (.float, .number):
      guard let number = value.doubleValue, number.isFinite else { return nil }
      return value
    case (.bool, .bool): return value
    case (.int, .string(let text)), (.float, .string(let text)): return number(text.trimmed)
    case (.bool, .string(let text)): return LabelReading.exactBool(text.trimmed)
    case (.list(let element), .array(let elements)):
      var coerced: [JSONValue] = []
      coerced.reserveCapacity(elements.count)
      for value in elements {
        guard let value = element.coerce(value) else { return nil }
        coerced.append(value)
      }
      return .array(coerced)
    case (.tuple(let types), .array(let elements)):
      guard types.count == elements.count else { return nil }
      let coerced = zip(types, elements).compactMap { $0.coerce($1) }
      guard coerced.count == elements.count else { return nil }
      return .array(coerced)
    case (.dict(let keyType, let type), .object(let object)):
      var result = JSONObject()
      for (key, member) in object {
        guard keyType.coerce(.string(key)) != nil, let coerced = type.coerce(member) else { return nil }
        result.append(key, coerced)
      }
      return .object(result)
    case (.optional, .null): return .null
    case (.optional(let wrapped), .string(let text)):
      if let coerced = wrapped.coerce(value) { return coerced }
      guard Self.isNone(text.trimmed) else { return nil }
      return .null
    case (.optional(let wrapped), _): return wrapped.coerce(value)
    case (.union(let members), _):
      return members.contains { $0.coerce(value) == value }
        ? value : members.lazy.compactMap { $0.coerce(value) }.first
    case (.date, .string(let text)), (.datetime, .string(let text)), (.time, .string(let text)):
      return Moment.reading(text, as: self)?.value
    case (.record, .object), (.bounded, _):
      var faults: [String] = []
      return fit(value, at: "", &faults)
    case (.literal(let values), .string(let text)):
      return values.contains(value) ? value : LabelReading.element(text.trimmed, among: values)
    case (.literal(let values), _):
      return values.first { $0 == value || ($0.intValue != nil && $0.intValue == value.intValue) }
    default: return nil
    }
  }

  /// Whether any text is a value of this type.
  var admitsText: Bool {
    switch self {
    case .string: true
    case .optional(let wrapped): wrapped.admitsText
    case .union(let members): members.contains(where: \.admitsText)
    default: false
    }
  }

  /// Whether null is a value of this type.
  var admitsNull: Bool {
    switch self {
    case .optional, .any: true
    case .bounded(let type, _): type.admitsNull
    case .union(let members): members.contains(where: \.admitsNull)
    case .literal(let values): values.contains(.null)
    default: false
    }
  }

  static func isNone(_ text: String) -> Bool {
    text.isEmpty || (text.utf8.count == 4 && ["none", "null"].contains(text.lowercased()))
  }

  private func number(_ text: String) -> JSONValue? {
    // As in a field of its own, a percentage is a whole number.
    let plain = self == .int && text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let number = DecimalNumber(plain)?.json ?? DecimalNumber(spoken: plain.unquoted)?.json else { return nil }
    return self == .int ? number.intValue.map(JSONValue.int) : number
  }
}

/// A text that is no value of the type wanted.
package struct TypeMismatch: Error, Sendable, Hashable {
  package var expected: String
  package var got: String
  /// What is wrong within the value, each with its place: `.year should be at most 2030, got 2099.`
  package var faults: [String] = []
}

extension String {
  /// Without white space at both ends.
  package var trimmed: String {
    var copy = self
    return copy.withUTF8 { bytes -> String? in
      let range = bytes.trimmedRange(0..<bytes.count)
      return range.count == bytes.count ? nil : String(decoding: bytes[range], as: UTF8.self)
    } ?? self
  }

  /// Without quotes, backticks or asterisks around it.
  var unquoted: String {
    guard let first = utf8.first, "\"'`*".utf8.contains(first) else { return self }
    let bytes = Array(utf8)
    var range = bytes.indices
    while range.count >= 2, let first = bytes[range].first, first == bytes[range].last, "\"'`*".utf8.contains(first) {
      range = range.dropFirst().dropLast()
    }
    return range.count == bytes.count ? self : String(decoding: bytes[range], as: UTF8.self).trimmed
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The part of `range` (whole characters of UTF-8) without white space at both ends.
  func trimmedRange(_ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isASCIISpace(self[start]) { start += 1 }
    while end > start, isASCIISpace(self[end - 1]) { end -= 1 }
    guard start < end, self[start] >= 0x80 || self[end - 1] >= 0x80 else { return start..<end }
    // Other scripts' spaces are rare: only their look-alikes' lead bytes get this far.
    let text = String(decoding: self[start..<end], as: UTF8.self).unicodeScalars
    guard let first = text.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = text.lastIndex(where: { !$0.properties.isWhitespace })
    else { return start..<start }
    let behind = text.index(after: last)
    let head = text.utf8Distance(from: text.startIndex, to: first)
    return (start + head)..<(start + head + text.utf8Distance(from: first, to: behind))
  }

  private func isASCIISpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte)
  }
}

extension String.UnicodeScalarView {
  fileprivate func utf8Distance(from start: Index, to end: Index) -> Int {
    self[start..<end].reduce(0) { $0 + UTF8.width($1) }
  }
}
