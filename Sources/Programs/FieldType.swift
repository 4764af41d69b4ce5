package import JSON

/// The type of a field, written as in Python: `str`, `int`, `list[str]`, `dict[str, int]`, `Optional[float]`,
/// `Literal['a', 'b']`, `int | str`.
package indirect enum FieldType: Sendable, Hashable {
  case string
  case int
  case float
  case bool
  case list(FieldType)
  /// A JSON object whose values have one type; the keys are of the first type.
  case dict(FieldType, FieldType)
  /// A fixed number of elements, each of its own type.
  case tuple([FieldType])
  case optional(FieldType)
  case union([FieldType])
  case literal([JSONValue])
  /// Any JSON value.
  case any
}

extension FieldType: CustomStringConvertible {
  /// The type as it is written in a signature; reading it back gives an equal type.
  package var description: String {
    switch self {
    case .string: "str"
    case .int: "int"
    case .float: "float"
    case .bool: "bool"
    case .list(let element): "list[\(element)]"
    case .dict(let key, let value): "dict[\(key), \(value)]"
    case .tuple(let elements): "tuple[\(elements.map(\.description).joined(separator: ", "))]"
    case .optional(let wrapped): "Optional[\(wrapped)]"
    case .union(let members): members.map(\.description).joined(separator: " | ")
    case .literal(let values): "Literal[\(values.map(Self.literalText).joined(separator: ", "))]"
    case .any: "Any"
    }
  }

  private static func literalText(_ value: JSONValue) -> String {
    switch value {
    case .string(let text):
      "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'").replacing("\n", with: "\\n") + "'"
    case .bool(let flag): flag ? "True" : "False"
    case .null: "None"
    default: value.text()
    }
  }

  /// What a model is told to write for this type, behind the field's name; nil for plain text.
  package var outputNote: String? {
    switch self {
    case .string, .any: nil
    case .int: "one whole number (int), digits only"
    case .float: "one number (float), digits only"
    case .bool: "True or False (bool)"
    case .literal(let values):
      "one of: " + Self.choices(values)
    // "None" would be a text like any other.
    case .optional(.string): "text; leave the section out if there is none"
    case .optional(let wrapped): (wrapped.outputNote ?? "text") + ", or None if there is none"
    case .list, .dict, .tuple, .union: "JSON of the type \(self), for the schema \(schema.text(.spaced))"
    }
  }

  private static func choices(_ values: [JSONValue]) -> String {
    let texts = values.map { value in if case .string(let text) = value { text } else { literalText(value) } }
    return texts.joined(separator: texts.contains { $0.contains(",") } ? "; " : ", ")
  }

  /// The type as a JSON Schema (2020-12).
  package var schema: JSONValue {
    switch self {
    case .string: ["type": "string"]
    case .int: ["type": "integer"]
    case .float: ["type": "number"]
    case .bool: ["type": "boolean"]
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
    }
  }
}
