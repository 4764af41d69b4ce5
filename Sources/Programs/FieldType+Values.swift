package import JSON

extension FieldType {
  /// The value that a model's text for a field of this type stands for, or why it stands for none.
  ///
  /// Plain text is taken as it is, less white space around it. For the other types, white space, quotes and
  /// fences around the value are passed over; so are words around a list or an object, and a currency sign
  /// and thousands separators in a number.
  package func parse(_ text: String) -> Result<JSONValue, TypeMismatch> {
    let trimmed = text.trimmed
    switch self {
    case .string:
      return .success(.string(trimmed))
    case .any:
      return .success(LenientJSON.read(trimmed) ?? .string(trimmed))
    case .optional(let wrapped):
      // A text that says None for an optional text stays a text, as in DSPy.
      if !wrapped.admitsText, Self.isNone(trimmed) { return .success(.null) }
      if wrapped.admitsText { return .success(.string(trimmed)) }
      if case .success(let value) = wrapped.parse(trimmed) { return .success(value) }
    case .union(let members):
      if admitsText {
        if let value = LenientJSON.read(trimmed),
          members.contains(where: { $0 != .string && $0.coerce(value) == value })
        {
          return .success(value)
        }
        return .success(.string(trimmed))
      }
      for member in members {
        if case .success(let value) = member.parse(text) { return .success(value) }
      }
    case .literal(let values):
      if let value = Self.option(trimmed, among: values) { return .success(value) }
    case .int, .float:
      if let value = number(trimmed) { return .success(value) }
    case .bool:
      switch trimmed.unquoted.lowercased() {
      case "true", "yes", "1", "t", "y", "on": return .success(true)
      case "false", "no", "0", "f", "n", "off": return .success(false)
      default: break
      }
    case .list, .tuple:
      if let value = LenientJSON.read(trimmed).flatMap(coerce) { return .success(value) }
      if let found = LenientJSON.firstArray(in: trimmed), let value = coerce(.array(found)) { return .success(value) }
    case .dict:
      if let value = LenientJSON.read(trimmed).flatMap(coerce) { return .success(value) }
      if let found = LenientJSON.firstObject(in: trimmed), let value = coerce(.object(found)) { return .success(value) }
    }
    return .failure(TypeMismatch(expected: description, got: String(trimmed.prefix(200))))
  }

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
    case (.bool, .string(let text)): return try? parse(text).get()
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
    case (.literal(let values), .string(let text)):
      return values.contains(value) ? value : Self.option(text.trimmed, among: values)
    case (.literal(let values), _):
      return values.first { $0 == value || ($0.intValue != nil && $0.intValue == value.intValue) }
    default: return nil
    }
  }

  /// Whether any text is a value of this type.
  private var admitsText: Bool {
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
    case .union(let members): members.contains(where: \.admitsNull)
    case .literal(let values): values.contains(.null)
    default: false
    }
  }

  private static func isNone(_ text: String) -> Bool {
    text.isEmpty || (text.utf8.count == 4 && ["none", "null"].contains(text.lowercased()))
  }

  /// The literal that a text names, be it quoted or written out as `Literal['x']`.
  private static func option(_ text: String, among values: [JSONValue]) -> JSONValue? {
    func find(_ plain: String) -> JSONValue? {
      values.first { value in
        switch value {
        case .string(let option): option == plain
        case .bool(let flag): plain.lowercased() == (flag ? "true" : "false")
        case .null: plain == "None" || plain == "null"
        default: value.text() == plain
        }
      }
    }
    if let value = find(text) ?? find(text.unquoted) { return value }
    for opening in ["Literal[", "str["] where text.hasPrefix(opening) && text.hasSuffix("]") {
      return find(String(text.dropFirst(opening.count).dropLast()).trimmed.unquoted)
    }
    return nil
  }

  private func number(_ text: String) -> JSONValue? {
    guard let number = DecimalNumber(text)?.json ?? DecimalNumber(spoken: text.unquoted)?.json else { return nil }
    return self == .int ? number.intValue.map(JSONValue.int) : number
  }
}

/// A text that is no value of the type wanted.
package struct TypeMismatch: Error, Sendable, Hashable {
  package var expected: String
  package var got: String
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
    var text = Substring(self)
    while text.utf8.count >= 2, let first = text.utf8.first, first == text.utf8.last,
      "\"'`*".utf8.contains(first)
    {
      text = text.dropFirst().dropLast()
    }
    return text.utf8.count == utf8.count ? self : String(text).trimmed
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
