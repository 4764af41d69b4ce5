import JSON

/// How prompts are laid out in one form.
protocol Layout: Sendable {
  /// The system message: the fields, how a reply looks, the task.
  var system: String { get }

  /// A user's turn, of a demo and of the request alike.
  func asked(_ inputs: [(field: Field, text: String)]) -> String

  /// A demo's reply: for each output its value; nil where the demo has none.
  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String

  /// The request to reply once more, in a sentence.
  var again: String { get }
}

extension Layout {
  /// What stands in place of a text that a demo does not have: the reply keeps its form.
  func missing(_ field: Field) -> String { "(the \(field.name) was not recorded for this example)" }
}

extension Signature {
  /// The system message in a form: the fields, what a reply looks like, the task.
  func systemText(form: String) -> String {
    var text = ""
    if !inputs.isEmpty { text += "You are given:\n" + Self.list(inputs.map(\.inputLine)) + "\n\n" }
    text += "You produce:\n" + Self.list(outputs.map(\.outputLine)) + "\n\n" + form + "\n\nYour task:\n"
    text += instructions.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
    return text
  }

  private static func list(_ lines: [String]) -> String {
    lines.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
  }

  /// A JSON Schema of the outputs in the strict form that endpoints take: every member required, no others; nil where
  /// a type cannot be stated so.
  var strictSchema: JSONValue? {
    guard !outputs.isEmpty else { return nil }
    var properties = JSONObject()
    for field in outputs {
      guard field.type.isStrict else { return nil }
      properties.append(field.name, field.type.schema)
    }
    return [
      "type": "object", "properties": .object(properties),
      "required": .array(outputs.map { .string($0.name) }), "additionalProperties": false,
    ]
  }
}

extension Field {
  /// The description on one line, which must not open a section; empty where nobody gave one.
  private var words: String {
    let words = description.split(whereSeparator: \.isNewline).joined(separator: " ")
    return words == "${\(name)}" ? "" : words
  }

  /// Name, type where it is no text, description.
  fileprivate var inputLine: String {
    "`\(name)`" + (type == .string ? "" : " (\(type))") + (words.isEmpty ? "" : ": \(words)")
  }

  /// Name, description, what to write.
  fileprivate var outputLine: String {
    let parts = [words, type.outputNote ?? ""].filter { !$0.isEmpty }
    return "`\(name)`" + (parts.isEmpty ? "" : ": " + parts.joined(separator: "; "))
  }
}

extension FieldType {
  /// Whether a strict schema can state the type: no objects with members of any name, no lists of fixed length.
  fileprivate var isStrict: Bool {
    switch self {
    case .string, .int, .float, .bool, .literal: true
    case .list(let element): element.isStrict
    case .optional(let wrapped): wrapped.isStrict
    case .union(let members): members.allSatisfy(\.isStrict)
    case .dict, .tuple, .any: false
    }
  }
}
