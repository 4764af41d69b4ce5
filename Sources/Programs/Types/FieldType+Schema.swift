package import JSON

extension FieldType {
  /// The type as a JSON Schema (2020-12).
  package var schema: JSONValue {
    switch self {
    case .string: ["type": "string"]
    case .int: ["type": "integer"]
    case .float: ["type": "number"]
    case .bool: ["type": "boolean"]
    case .date: ["type": "string", "format": "date"]
    case .datetime: ["type": "string", "format": "date-time"]
    case .time: ["type": "string", "format": "time"]
    case .list(let element): ["type": "array", "items": element.schema]
    case .dict(_, let value): ["type": "object", "additionalProperties": value.schema]
    case .tuple(let elements):
      [
        "type": "array", "prefixItems": .array(elements.map(\.schema)), "minItems": .int(elements.count),
        "maxItems": .int(elements.count),
      ]
    case .optional(let wrapped): ["anyOf": [wrapped.schema, ["type": "null"]]]
    case .union(let members): ["anyOf": .array(members.map(\.schema))]
    case .literal(let values): ["enum": .array(values)]
    case .any: [:]
    case .record(let record): record.schema
    case .bounded(let type, let bounds): .object((type.schema.objectValue ?? [:]).merging(bounds.keywords()))
    }
  }

  /// The type as the strict form of JSON Schema has it that endpoints take for replies: every member required, no others;
  /// nil where it cannot be stated so.
  var strictSchema: JSONValue? {
    switch self {
    case .string, .int, .float, .bool, .literal, .date, .datetime, .time: return schema
    case .list(let element): return element.strictSchema.map { ["type": "array", "items": $0] }
    case .optional(let wrapped): return wrapped.strictSchema.map { ["anyOf": [$0, ["type": "null"]]] }
    case .union(let members):
      let stated = members.compactMap(\.strictSchema)
      return stated.count == members.count ? ["anyOf": .array(stated)] : Optional<JSONValue>.none
    case .record(let record): return record.strictSchema
    case .bounded(let type, let bounds):
      return type.strictSchema.map { .object(($0.objectValue ?? [:]).merging(bounds.keywords(isStrict: true))) }
    case .dict, .tuple, .any: return nil
    }
  }

  /// Whether it is a record, or a list or an option of such.
  package var isRecord: Bool {
    switch self {
    case .record: true
    case .list(let type), .optional(let type), .bounded(let type, _): type.isRecord
    default: false
    }
  }

  /// Whether only a JSON Schema says all of the type.
  package var needsSchema: Bool {
    switch self {
    case .record, .bounded: true
    case .list(let element): element.needsSchema
    case .dict(let key, let value): key.needsSchema || value.needsSchema
    case .tuple(let elements): elements.contains(where: \.needsSchema)
    case .optional(let wrapped): wrapped.needsSchema
    case .union(let members): members.contains(where: \.needsSchema)
    default: false
    }
  }
}

extension RecordType {
  var schema: JSONValue {
    var object: JSONObject = ["type": "object"]
    if !name.isEmpty { object.append("title", .string(name)) }
    if !description.isEmpty { object.append("description", .string(description)) }
    object.append("properties", .object(properties { $0.type.schema }))
    let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { object.append("required", .array(required)) }
    switch others {
    case .dropped: break
    case .refused: object.append("additionalProperties", false)
    case .kept(let type): object.append("additionalProperties", type == .any ? true : type.schema)
    }
    return .object(object)
  }

  /// A member that may be missing may be null there, where all are required.
  var strictSchema: JSONValue? {
    if case .kept = others { return nil }
    var schemas: [String: JSONValue] = [:]
    for field in fields {
      guard let schema = field.type.strictSchema else { return nil }
      schemas[field.name] =
        field.isRequired || field.type.admitsNull ? schema : ["anyOf": [schema, ["type": "null"]]]
    }
    return [
      "type": "object",
      "properties": .object(properties(withDefaults: false) { schemas[$0.name] ?? [:] }),
      "required": .array(fields.map { .string($0.name) }), "additionalProperties": false,
    ]
  }

  private func properties(withDefaults: Bool = true, _ schema: (Field) -> JSONValue) -> JSONObject {
    var object = JSONObject()
    for field in fields {
      var stated = schema(field).objectValue ?? [:]
      if !field.description.isEmpty { stated["description"] = .string(field.description) }
      if withDefaults, let value = field.defaultValue { stated["default"] = value }
      object.append(field.name, .object(stated))
    }
    return object
  }
}
