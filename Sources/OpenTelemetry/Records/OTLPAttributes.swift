package import JSON
package import Schema

/// Attributes as a list of keys and typed values, in camel case.
struct OTLPAttributes: SchemaValue, Hashable {
  var object: JSONObject
  init(_ object: JSONObject = [:]) { self.object = object }

  static let schema = Schema(.array(.anyObject))
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> OTLPAttributes? {
    OTLPAttributes(TypedValue.members(value))
  }
  var jsonValue: JSONValue {
    TypedValue.list(JSONObject(object.filter { !$0.value.isNull }.map { ($0.key, $0.value) }), .camel)
  }
}

/// Attributes as a list of keys and typed values in snake case, as MLflow writes them.
package struct SnakeAttributes: SchemaValue, Hashable {
  package var object: JSONObject
  package init(_ object: JSONObject = [:]) { self.object = object }

  package static let schema = Schema(.array(.anyObject))
  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> SnakeAttributes? {
    SnakeAttributes(TypedValue.members(value))
  }
  package var jsonValue: JSONValue { TypedValue.list(object, .snake) }
}

/// Values in OTLP's typed form: `{"stringValue": "a"}`. Both conventions of names are read.
enum TypedValue {
  enum Convention { case camel, snake }

  static func list(_ object: JSONObject, _ convention: Convention) -> JSONValue {
    .array(object.map { key, value in ["key": .string(key), "value": typed(value, convention)] })
  }

  private static func typed(_ value: JSONValue, _ convention: Convention) -> JSONValue {
    func named(_ camel: String, _ snake: String, _ value: JSONValue) -> JSONValue {
      .object([convention == .camel ? camel : snake: value])
    }
    switch value {
    case .null: return [:]
    case .bool: return named("boolValue", "bool_value", value)
    case .int(let number):
      return named("intValue", "int_value", convention == .camel ? .string(String(number)) : value)
    case .double, .number:
      return named("doubleValue", "double_value", number(value))
    case .string: return named("stringValue", "string_value", value)
    case .array(let elements):
      return named("arrayValue", "array_value", ["values": .array(elements.map { typed($0, convention) })])
    case .object(let object): return named("kvlistValue", "kvlist_value", ["values": list(object, convention)])
    }
  }

  /// NaN and infinities are text in JSON.
  private static func number(_ value: JSONValue) -> JSONValue {
    switch value {
    case .double(let number): JSONValue(numberOrText: number)
    case .number(let token): Double(token).map { JSONValue(numberOrText: $0) } ?? .null
    default: value
    }
  }

  /// The members that a list of keys and typed values stands for.
  static func members(_ list: JSONValue) -> JSONObject {
    var members = MemberList()
    for pair in list.arrayValue ?? [] {
      let pair = Pair(pair)
      if let key = pair.key { members.set(key, plain(pair.value)) }
    }
    return members.object
  }

  private struct Pair: ForeignRecord {
    static let members: [Member<Self>] = [Member("key", \.key), Member("value", \.value)]
    var key: String?
    var value = JSONValue.null
  }

  private struct Values: ForeignRecord {
    static let members: [Member<Self>] = [Member("values", \.values)]
    var values = JSONValue.null
  }

  private static func plain(_ value: JSONValue) -> JSONValue {
    guard let (name, content) = value.objectValue?.first.map({ ($0.key, $0.value) }) else { return .null }
    switch name {
    case "stringValue", "string_value", "bytesValue", "bytes_value", "boolValue", "bool_value": return content
    case "intValue", "int_value": return content.stringValue.flatMap { Int($0) }.map(JSONValue.int) ?? content
    case "doubleValue", "double_value":
      if content.stringValue != nil, let number = content.numberFromText { return .double(number) }
      return content
    case "arrayValue", "array_value": return .array((Values(content).values.arrayValue ?? []).map(plain))
    case "kvlistValue", "kvlist_value": return .object(members(Values(content).values))
    default: return .null
    }
  }
}
