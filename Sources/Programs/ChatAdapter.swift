package import JSON
package import LanguageModels

/// Turns a signature, demos and inputs into a chat, and a reply into outputs.
///
/// A value stands under a header `[[ ## name ## ]]` on a line of its own; a reply closes with
/// `[[ ## completed ## ]]`. The order of messages is DSPy's: what the fields are, how an exchange looks and
/// what is to be done (system); demos as exchanges, incomplete ones first; then the inputs at hand.
package struct ChatAdapter: Sendable {
  package let signature: Signature

  package init(_ signature: Signature) { self.signature = signature }

  package static func header(_ name: String) -> String { "[[ ## \(name) ## ]]" }

  /// The messages every call with these demos begins with.
  package func sharedMessages(demos: [JSONObject]) -> SharedMessages {
    var incomplete: [ChatMessage] = []
    var complete: [ChatMessage] = []
    for demo in demos {
      let given = signature.fields.filter { demo[$0.name] != nil }
      if given.count == signature.fields.count {
        complete += exchange(demo, isComplete: true)
      } else if signature.inputs.contains(where: { demo[$0.name] != nil }),
        signature.outputs.contains(where: { demo[$0.name] != nil })
      {
        incomplete += exchange(demo, isComplete: false)
      }
    }
    return SharedMessages([ChatMessage(.system, systemText)] + incomplete + complete)
  }

  /// The message with the inputs at hand and the reminder of what to answer.
  package func request(_ inputs: JSONObject) -> ChatMessage {
    ChatMessage(.user, sections(signature.inputs, of: inputs) + "\n\n" + reminder)
  }

  /// What a model is told after a reply that could not be read.
  package func correction(of failure: UnparsableReply) -> ChatMessage {
    ChatMessage(.user, "That reply could not be read: \(failure.reason)\n\n" + reminder)
  }

  private var systemText: String {
    var text = "You are given these input fields:\n" + listing(signature.inputs)
    text += "\n\nYou produce these output fields:\n" + listing(signature.outputs)
    text += "\n\nEvery exchange is laid out in sections, each under its header, with the values filled in:\n\n"
    text += signature.inputs.map { Self.header($0.name) + "\n{\($0.name)}" }.joined(separator: "\n\n")
    if !signature.inputs.isEmpty { text += "\n\n" }
    text += signature.outputs.map { field in
      Self.header(field.name) + "\n{\(field.name)}" + (field.type.outputNote.map { "  (write \($0))" } ?? "")
    }.joined(separator: "\n\n")
    text += "\n\n" + Self.header("completed")
    text += "\n\nYour task:\n"
    text += signature.instructions.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
    return text
  }

  private func listing(_ fields: [Field]) -> String {
    if fields.isEmpty { return "(none)" }
    return fields.enumerated().map { index, field in
      let description = field.description.isEmpty || field.description == "${\(field.name)}" ? "" : ": \(field.description)"
      return "\(index + 1). `\(field.name)` (\(field.type))\(description)"
    }.joined(separator: "\n")
  }

  private var reminder: String {
    let order = signature.outputs.map { field in
      "`\(Self.header(field.name))`" + (field.type.outputNote.map { " (\($0))" } ?? "")
    }.joined(separator: ", then ")
    return "Respond with these sections in this order: \(order). Close with `\(Self.header("completed"))`."
  }

  private func exchange(_ demo: JSONObject, isComplete: Bool) -> [ChatMessage] {
    let notice = isComplete ? "" : "In this example some fields are not given.\n\n"
    let asked = notice + sections(signature.inputs.filter { demo[$0.name] != nil }, of: demo)
    let answered = signature.outputs.map { field in
      Self.header(field.name) + "\n" + (demo[field.name].map { Self.text(of: $0) } ?? "(the \(field.name) was not recorded for this example)")
    }.joined(separator: "\n\n")
    return [
      ChatMessage(.user, asked),
      ChatMessage(.assistant, answered + "\n\n" + Self.header("completed") + "\n"),
    ]
  }

  private func sections(_ fields: [Field], of values: JSONObject) -> String {
    fields.map { Self.header($0.name) + "\n" + Self.text(of: values[$0.name] ?? .null) }.joined(separator: "\n\n")
  }

  /// A value as it stands under its header.
  package static func text(of value: JSONValue) -> String {
    switch value {
    case .string(let text): text
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    default: value.text(.spaced)
    }
  }
}
