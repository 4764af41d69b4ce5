package import JSON

/// Descriptions as JSON Schemas (2020-12).
extension Schema {
  /// The schema; shapes that have a name are referred to under `#/components/schemas`.
  package var json: JSONValue { .object(jsonObject) }

  private var jsonObject: JSONObject {
    var object = JSONObject()
    if !summary.isEmpty, !isNamed { object["description"] = .string(summary) }
    switch kind {
    case .any: break
    case .string: object["type"] = typeName("string")
    case .boolean: object["type"] = typeName("boolean")
    case .integer(let range):
      object["type"] = typeName("integer")
      if range.lowerBound != .min { object["minimum"] = .int(range.lowerBound) }
      if range.upperBound != .max { object["maximum"] = .int(range.upperBound) }
    case .number(let range):
      object["type"] = typeName("number")
      if range.lowerBound.isFinite { object["minimum"] = .double(range.lowerBound) }
      if range.upperBound.isFinite { object["maximum"] = .double(range.upperBound) }
    case .choice(let words): object["enum"] = .array(words.map { .string($0.text) } + (isNullable ? [.null] : []))
    case .array(let element):
      object["type"] = typeName("array")
      object["items"] = element.json
    case .map(let value):
      object["type"] = typeName("object")
      if case .any = value.kind {} else { object["additionalProperties"] = value.json }
    case .object(let fields):
      object["type"] = typeName("object")
      object["properties"] = .object(JSONObject(fields.map { ($0.name, .object($0.jsonObject)) }))
      let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
      if !required.isEmpty { object["required"] = .array(required) }
      if !isOpen { object["additionalProperties"] = false }
    case .either(let schemas): object["anyOf"] = .array(schemas.map(\.json) + (isNullable ? [["type": "null"]] : []))
    case .named(let name):
      let reference: JSONValue = ["$ref": .string("#/components/schemas/\(name)")]
      if isNullable { object["anyOf"] = [reference, ["type": "null"]] } else { object["$ref"] = reference["$ref"] }
    }
    if !examples.isEmpty { object["examples"] = .array(examples) }
    return object
  }

  /// What is said of a named shape is for messages.
  private var isNamed: Bool { if case .named = kind { true } else { false } }

  private func typeName(_ name: String) -> JSONValue { isNullable ? [.string(name), "null"] : .string(name) }
}

extension Schema.Field {
  /// The member's own schema, with its sentence and what it is where it is left out.
  package var jsonObject: JSONObject {
    var object: JSONObject = ["description": .string(summary)]
    var schema = schema
    // To give null is to leave it out, unless something else were to stand there then.
    if defaultValue == nil, !isNullWritten { schema.isNullable = false }
    for (key, value) in schema.json.objectValue ?? [:] where key != "description" || summary.isEmpty {
      object[key] = value
    }
    if let defaultValue { object["default"] = defaultValue }
    return object
  }
}
