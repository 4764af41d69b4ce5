package import JSON

extension FieldType {
  /// The value that a model's text for a field of this type stands for, or why it stands for none.
  ///
  /// Plain text is taken as it is. For the other types, white space, quotes and fences around the value are
  /// passed over, and so are thousands separators and a currency sign in numbers.
  package func parse(_ text: String) -> Result<JSONValue, TypeMismatch> {
    let trimmed = text.trimmed
    switch self {
    case .string:
      return .success(.string(trimmed))
    case .any:
      return .success(LenientJSON.read(trimmed) ?? .string(trimmed))
    case .optional(let wrapped):
      // A text that says None for an optional text stays a text, as in DSPy.
      if wrapped != .string, ["none", "null", ""].contains(trimmed.lowercased()) { return .success(.null) }
      return wrapped.parse(text)
    case .union(let members):
      if members.contains(.string) { return .success(.string(trimmed)) }
      for member in members {
        if case .success(let value) = member.parse(text) { return .success(value) }
      }
      return mismatch(trimmed)
    case .literal(let values):
      let plain = trimmed.unquoted
      let found = values.first { value in
        switch value {
        case .string(let option): option == trimmed || option == plain
        case .bool(let flag): plain.lowercased() == (flag ? "true" : "false")
        case .null: plain == "None" || plain == "null"
        default: value.text() == plain
        }
      }
      return found.map { .success($0) } ?? mismatch(trimmed)
    case .int, .float:
      return number(trimmed).map { .success($0) } ?? mismatch(trimmed)
    case .bool:
      switch trimmed.unquoted.lowercased() {
      case "true", "yes", "1": return .success(true)
      case "false", "no", "0": return .success(false)
      default: return mismatch(trimmed)
      }
    case .list, .dict, .tuple:
      guard let value = LenientJSON.read(text), let coerced = coerce(value) else { return mismatch(trimmed) }
      return .success(coerced)
    }
  }

  /// `value` as this type, where it is of it or becomes it without loss (`"3"` → 3, `3.0` → 3); else nil.
  package func coerce(_ value: JSONValue) -> JSONValue? {
    switch (self, value) {
    case (.any, _): return value
    case (.string, .string): return value
    case (.string, .int), (.string, .double), (.string, .number): return .string(value.text())
    case (.string, .bool(let flag)): return .string(flag ? "True" : "False")
    case (.int, .int): return value
    case (.int, .double), (.int, .number): return value.intValue.map(JSONValue.int)
    case (.float, .int), (.float, .double), (.float, .number): return value
    case (.bool, .bool): return value
    case (.int, .string(let text)), (.float, .string(let text)): return number(text.trimmed)
    case (.bool, .string(let text)): return try? parse(text).get()
    case (.list(let element), .array(let elements)):
      let coerced = elements.compactMap(element.coerce)
      return coerced.count == elements.count ? .array(coerced) : nil
    case (.tuple(let types), .array(let elements)):
      guard types.count == elements.count else { return nil }
      let coerced = zip(types, elements).compactMap { $0.coerce($1) }
      return coerced.count == elements.count ? .array(coerced) : nil
    case (.dict(_, let type), .object(let object)):
      var result = JSONObject()
      for (key, member) in object {
        guard let coerced = type.coerce(member) else { return nil }
        result[key] = coerced
      }
      return .object(result)
    case (.optional, .null): return .null
    case (.optional(let wrapped), _): return wrapped.coerce(value)
    case (.union(let members), _):
      return members.contains { $0.coerce(value) == value } ? value : members.lazy.compactMap { $0.coerce(value) }.first
    case (.literal(let values), _):
      if values.contains(value) { return value }
      guard case .string(let text) = value else { return nil }
      return try? parse(text).get()
    default: return nil
    }
  }

  private func number(_ text: String) -> JSONValue? {
    var digits = text.unquoted
    if let first = digits.first, "$€£¥".contains(first) { digits.removeFirst() }
    if digits.contains(",") {
      // Only as thousands separators: every group behind the first has three digits.
      let groups = digits.prefix { $0 != "." }.split(separator: ",", omittingEmptySubsequences: false)
      guard groups.dropFirst().allSatisfy({ $0.count == 3 }), groups.first?.isEmpty == false else { return nil }
      digits = digits.replacing(",", with: "")
    }
    guard let number = Double(digits), number.isFinite else { return nil }
    if self == .int { return (Int(digits) ?? Int(exactly: number)).map(JSONValue.int) }
    return Int(digits).map(JSONValue.int) ?? .double(number)
  }

  private func mismatch(_ text: String) -> Result<JSONValue, TypeMismatch> {
    .failure(TypeMismatch(expected: description, got: String(text.prefix(200))))
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
    guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return start == startIndex && index(after: end) == endIndex ? self : String(self[start...end])
  }

  /// Without quotes, backticks or asterisks around it.
  var unquoted: String {
    var text = Substring(self)
    while text.count >= 2, let first = text.first, first == text.last, "\"'`*".contains(first) {
      text = text.dropFirst().dropLast()
    }
    return String(text).trimmed
  }
}
