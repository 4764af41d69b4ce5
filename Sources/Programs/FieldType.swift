package import JSON

/// The type of a field, written as in Python: `str`, `int`, `list[str]`, `dict[str, int]`, `Optional[float]`,
/// `Literal['a', 'b']`, `int | str`, `date`; or as a JSON Schema: `{"type": "object", "properties": …}`.
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
  /// A day, `datetime.date` in Python; its value is a text as in ISO 8601.
  case date
  /// A day and a time.
  case datetime
  /// A time of day.
  case time
  /// An object with named fields.
  case record(RecordType)
  /// A type with bounds on its values.
  case bounded(FieldType, TypeBounds)
  /// Any JSON value.
  case any
}

extension FieldType {
  /// The names that types have in signatures.
  package static var names: [String] { SignatureParser.plainNames }
}

extension FieldType: CustomStringConvertible {
  /// The type as it is written in a signature; reading it back gives an equal type.
  package var description: String { text { $0.schema.text() } }

  /// The type in a few words, for messages and prompts: a record by its name.
  package var name: String {
    text { type in
      switch type {
      case .record(let record): record.name.isEmpty ? "object" : record.name
      case .bounded(let base, _): base.name
      default: "object"
      }
    }
  }

  /// - Parameter schema: what stands for a type that only a JSON Schema says.
  private func text(_ schema: (FieldType) -> String) -> String {
    func text(_ type: FieldType) -> String { type.text(schema) }
    return switch self {
    case .string: "str"
    case .int: "int"
    case .float: "float"
    case .bool: "bool"
    case .date: "date"
    case .datetime: "datetime"
    case .time: "time"
    case .record, .bounded: schema(self)
    case .list(let element): "list[\(text(element))]"
    case .dict(let key, let value): "dict[\(text(key)), \(text(value))]"
    case .tuple(let elements): "tuple[\(elements.map(text).joined(separator: ", "))]"
    case .optional(let wrapped): "Optional[\(text(wrapped))]"
    case .union(let members): members.map(text).joined(separator: " | ")
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
    case .date: "a date (date) as YYYY-MM-DD"
    case .datetime: "a date and time (datetime) as YYYY-MM-DDTHH:MM:SS"
    case .time: "a time of day (time) as HH:MM:SS"
    case .bounded(.list, _): "JSON of the type \(name), for the schema \(schema.text(.spaced))"
    case .bounded(let type, let bounds): (type.outputNote ?? "text") + ", " + bounds.words
    case .record: "a JSON object for the schema \(schema.text(.spaced))"
    case .list, .dict, .tuple, .union: "JSON of the type \(name), for the schema \(schema.text(.spaced))"
    }
  }

  /// What a model is told of an input of this type, behind the field's name; nil where its value says it all.
  package var inputNote: String? {
    guard needsSchema else { return nil }
    if case .bounded(let type, _) = self { return type.inputNote }
    return "JSON for the schema \(schema.text(.spaced))"
  }

  private static func choices(_ values: [JSONValue]) -> String {
    let texts = values.map { value in if case .string(let text) = value { text } else { literalText(value) } }
    return texts.joined(separator: texts.contains { $0.contains(",") } ? "; " : ", ")
  }

  /// Several types as one, in its plainest form: no unions within it, each type once, `None` (nil) as `Optional` around it.
  static func joining(_ members: [FieldType?]) -> FieldType {
    var types: [FieldType] = []
    var allowsNone = false
    func add(_ member: FieldType?) {
      switch member {
      case nil, .literal([.null]): allowsNone = true
      case .optional(let wrapped)?:
        allowsNone = true
        add(wrapped)
      case .union(let inner)?: inner.forEach(add)
      case let type?: if !types.contains(type) { types.append(type) }
      }
    }
    members.forEach(add)
    guard let first = types.first else { return .literal([.null]) }
    let core: FieldType = types.count == 1 ? first : .union(types)
    return allowsNone ? .optional(core) : core
  }
}
