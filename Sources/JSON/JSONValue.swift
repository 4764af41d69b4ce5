/// A JSON value with the order of its members and the exact text of its numbers kept.
///
/// Numbers are `int` or `double` where that loses nothing of the token that was read; any other
/// token (`1e3`, `1.50`, 30 digits) stays as it came in `number`, so that it can be echoed exactly.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  /// A number token that neither `Int` nor `Double` would print the same again.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

extension JSONValue {
  package var isNull: Bool { self == .null }

  package var stringValue: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var boolValue: Bool? {
    if case .bool(let flag) = self { flag } else { nil }
  }

  /// The value as an integer, if it is one exactly (`3`, `3.0`, `3e0`).
  package var intValue: Int? {
    switch self {
    case .int(let value): value
    case .double(let value): Int(exactly: value)
    case .number(let token): Int(token) ?? Double(token).flatMap { Int(exactly: $0) }
    default: nil
    }
  }

  /// The value as a finite floating-point number.
  package var doubleValue: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .number(let token): Double(token).flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  package var arrayValue: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var objectValue: JSONObject? {
    if case .object(let object) = self { object } else { nil }
  }

  /// The member of that name, or nil where there is none or this is no object.
  package subscript(key: String) -> JSONValue? { objectValue?[key] }

  /// The element at that index, or nil where there is none or this is no array.
  package subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The kind of value in words, for error messages.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int, .double, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral,
  ExpressibleByStringInterpolation
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }
  package init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  package init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
  package init(_ value: Int?) { self = value.map(JSONValue.int) ?? .null }
  package init(_ value: Double?) { self = value.map(JSONValue.double) ?? .null }
}
