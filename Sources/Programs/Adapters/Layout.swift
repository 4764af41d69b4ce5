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
  /// The system message in a form: the task, what is to be known of the fields, what a reply looks like.
  ///
  /// No list with numbers and no template to fill in: small models copy them.
  ///
  /// - Parameters:
  ///   - form: how a reply looks; nil where the request itself says that.
  ///   - isTyped: whether the types of outputs are described.
  func systemText(form: String?, isTyped: Bool = true) -> String {
    let lines = inputs.compactMap(\.inputLine) + outputs.compactMap { $0.outputLine(isTyped: isTyped) }
    return ([instructions] + (lines.isEmpty ? [] : [lines.joined(separator: "\n")]) + (form.map { [$0] } ?? []))
      .joined(separator: "\n\n")
  }

  /// Whether the model is to think before it answers.
  var reasons: Bool { outputs.contains { $0.name == Module.reasoning.name } }

  /// The signature with one output alone.
  func asking(_ field: Field) -> Signature {
    let isDefault = instructions == Signature.defaultInstructions(inputs, outputs)
    return Signature(inputs: inputs, outputs: [field], instructions: isDefault ? nil : instructions)
  }

  /// The outputs one by one, each with what to write, for the end of a turn: what stands near a reply is heeded most. Long
  /// lists stay in the system message.
  ///
  /// - Parameter mark: how the form marks an output.
  func outputWords(_ mark: (Field) -> String) -> String {
    let parts = outputs.map { field in
      let note = field.type.shortWord.map { " (\($0))" } ?? ""
      return mark(field) + note
    }
    guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
    return parts.dropLast().joined(separator: ", ") + " and " + last
  }

  /// For an output that is one of a few choices, its name and a demo for each choice that no demo has: a text that says
  /// the choice's name. A model that makes choices up keeps to those that it has seen. Nil where there is no such output.
  func choices(beside demos: [JSONObject]) -> (output: String, demos: [JSONObject])? {
    let own = outputs.filter { $0.name != Module.reasoning.name }
    guard own.count == 1, case .literal(let values) = own[0].type, (2...30).contains(values.count),
      inputs.contains(where: { $0.type == .string })
    else { return nil }
    let seen = demos.compactMap { $0[own[0].name] }
    let missing = values.filter { $0.stringValue != nil && !seen.contains($0) }
    let examples = missing.map { value in
      let words = (value.stringValue ?? "").map { $0 == "_" || $0 == "-" ? " " : $0 }
      var demo: JSONObject = [own[0].name: value]
      for field in inputs where field.type == .string { demo[field.name] = .string(String(words)) }
      if outputs.count > 1 { demo[Module.reasoning.name] = .string("It says so.") }
      return demo
    }
    return (own[0].name, examples)
  }

  /// A JSON Schema of the outputs in the strict form that endpoints take: every member required, no others; nil where
  /// a type cannot be stated so.
  var strictSchema: JSONValue? {
    guard !outputs.isEmpty else { return nil }
    var properties = JSONObject()
    for field in outputs {
      guard let schema = field.type.strictSchema else { return nil }
      properties.append(field.name, schema)
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

  /// What is to be known of an input; nil where its name says it all.
  fileprivate var inputLine: String? { line([words, type.inputNote ?? ""]) }

  /// What is to be known of an output, and what to write; nil where its name says it all.
  fileprivate func outputLine(isTyped: Bool) -> String? {
    line([words, isTyped ? type.outputNote ?? "" : ""])
  }

  private func line(_ parts: [String]) -> String? {
    let parts = parts.filter { !$0.isEmpty }
    return parts.isEmpty ? nil : "`\(name)`: " + parts.joined(separator: "; ")
  }
}

extension FieldType {
  /// The same, unless that is a long list of choices.
  var shortWord: String? { outputWord.flatMap { $0.utf8.count <= 300 ? $0 : nil } }

  /// What to write for this type, in a word or two; nil for plain text.
  var outputWord: String? {
    switch self {
    case .string, .any: nil
    case .int: "a whole number"
    case .float: "a number"
    case .bool: "True or False"
    case .literal: outputNote
    case .optional(let wrapped): (wrapped.outputWord ?? "text") + " or None"
    case .date: "a date as YYYY-MM-DD"
    case .datetime: "a date and time as YYYY-MM-DDTHH:MM:SS"
    case .time: "a time as HH:MM:SS"
    case .bounded(let type, _): type.outputWord
    case .record: "a JSON object"
    case .list, .dict, .tuple, .union: "JSON of the type \(name)"
    }
  }
}
