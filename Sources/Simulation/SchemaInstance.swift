import JSON

/// A value that a JSON Schema admits, the plainest there is: what the simulated model writes for a record.
enum SchemaInstance {
  /// The value as a reply has it.
  static func text(of schema: JSONValue) -> String {
    let value = value(of: schema)
    return value.stringValue ?? value.text(.spaced)
  }

  static func value(of schema: JSONValue, depth: Int = 0) -> JSONValue {
    guard depth < 32 else { return .null }
    if let value = schema["enum"]?.arrayValue?.first { return value }
    if let members = schema["anyOf"]?.arrayValue {
      if members.contains(where: { $0["type"] == "null" }) { return .null }
      return members.first.map { value(of: $0, depth: depth + 1) } ?? .null
    }
    switch schema["type"]?.stringValue {
    case "object":
      let properties = schema["properties"]?.objectValue ?? [:]
      return .object(JSONObject(properties.map { ($0.key, value(of: $0.value, depth: depth + 1)) }))
    case "array":
      let elements = schema["prefixItems"]?.arrayValue
      let items = schema["items"].map { value(of: $0, depth: depth + 1) } ?? .null
      return .array(
        elements.map { $0.map { value(of: $0, depth: depth + 1) } }
          ?? Array(repeating: items, count: min(schema["minItems"]?.intValue ?? 0, 100)))
    case "integer", "number": return number(schema)
    case "boolean": return false
    case "string": return .string(text(schema))
    default: return "simulated"
    }
  }

  private static func number(_ schema: JSONValue) -> JSONValue {
    if let least = schema["minimum"] { return least }
    if let below = schema["exclusiveMinimum"]?.doubleValue { return .int(Int(below.rounded(.down)) + 1) }
    if let most = schema["maximum"], (most.doubleValue ?? 0) < 0 { return most }
    if let above = schema["exclusiveMaximum"]?.doubleValue, above <= 0 { return .int(Int(above.rounded(.up)) - 1) }
    return 0
  }

  private static func text(_ schema: JSONValue) -> String {
    switch schema["format"]?.stringValue {
    case "date": return "2024-01-01"
    case "date-time": return "2024-01-01T12:00:00"
    case "time": return "12:00:00"
    default:
      let least = min(schema["minLength"]?.intValue ?? 0, 10_000)
      let word = "simulated" + String(repeating: ".", count: max(0, least - 9))
      return schema["maxLength"]?.intValue.map { String(word.prefix($0)) } ?? word
    }
  }
}
