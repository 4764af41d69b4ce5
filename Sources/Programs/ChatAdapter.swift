package import JSON
package import LanguageModels

/// Turns a signature, demos and inputs into a chat, and a reply into outputs.
///
/// A value stands under a header `[[ ## name ## ]]` on a line of its own; a reply closes with
/// `[[ ## completed ## ]]`. The order of messages is DSPy's: what the fields are, how an exchange looks and
/// what is to be done (system); demos as exchanges, incomplete ones first; then the inputs at hand.
///
/// What every call needs is made once, with the adapter.
package struct ChatAdapter: Sendable {
  package let signature: Signature
  /// The line that opens each input's section in a request, in order.
  private let openings: [String]
  /// What a request and a correction end with, a blank line before it.
  private let reminder: String
  /// The names of the outputs in UTF-8, as headers in a reply are compared with them.
  let outputNames: [[UInt8]]

  package init(_ signature: Signature) {
    self.signature = signature
    openings = signature.inputs.map { Self.header($0.name) + "\n" }
    outputNames = signature.outputs.map { Array($0.name.utf8) }
    let order = signature.outputs.map { field in
      "`\(Self.header(field.name))`" + (field.type.outputNote.map { " (\($0))" } ?? "")
    }.joined(separator: ", then ")
    reminder =
      "\n\nRespond with these sections in this order: \(order). Close with `\(Self.header(Self.completed))`."
  }

  package static func header(_ name: String) -> String { "[[ ## \(name) ## ]]" }
  private static let completed = "completed"

  /// The messages every call with these demos begins with.
  ///
  /// A demo without any input or without any output is left out.
  package func sharedMessages(demos: [JSONObject]) -> SharedMessages {
    var incomplete: [ChatMessage] = []
    var complete: [ChatMessage] = []
    for demo in demos {
      let inputs = signature.inputs.filter { Self.states(demo, $0) }
      let outputs = signature.outputs.filter { Self.states(demo, $0) }
      if inputs.count == signature.inputs.count, outputs.count == signature.outputs.count {
        complete += exchange(demo, inputs: inputs, notice: "")
      } else if !inputs.isEmpty, !outputs.isEmpty {
        incomplete += exchange(demo, inputs: inputs, notice: "In this example some fields are not given.\n\n")
      }
    }
    return SharedMessages([ChatMessage(.system, systemText)] + incomplete + complete)
  }

  /// The message with the inputs at hand and the reminder of what to answer.
  package func request(_ inputs: JSONObject) -> ChatMessage {
    var text = ""
    text.reserveCapacity(512 + reminder.utf8.count)
    for (index, field) in signature.inputs.enumerated() {
      if index > 0 { text += "\n\n" }
      text += openings[index]
      text += Self.text(of: inputs[field.name] ?? .null)
    }
    text += reminder
    return ChatMessage(.user, text)
  }

  /// What a model is told after a reply that could not be read.
  package func correction(of failure: UnparsableReply) -> ChatMessage {
    ChatMessage(.user, "That reply could not be read: \(failure.reason)" + reminder)
  }

  /// Whether a demo has a value for the field; null is one only where the type allows it.
  private static func states(_ demo: JSONObject, _ field: Field) -> Bool {
    guard let value = demo[field.name] else { return false }
    return value != .null || field.type.admitsNull
  }

  private var systemText: String {
    var text = "You are given these input fields:\n" + listing(signature.inputs)
    text += "\n\nYou produce these output fields:\n" + listing(signature.outputs)
    text += "\n\nEvery exchange is laid out in sections, each under its header, with the values filled in:\n\n"
    for field in signature.inputs { text += Self.header(field.name) + "\n{\(field.name)}\n\n" }
    for field in signature.outputs {
      let note = field.type.outputNote.map { "  (write \($0))" } ?? ""
      text += Self.header(field.name) + "\n{\(field.name)}" + note + "\n\n"
    }
    text += Self.header(Self.completed)
    text += "\n\nYour task:\n"
    text += signature.instructions.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n")
    return text
  }

  private func listing(_ fields: [Field]) -> String {
    if fields.isEmpty { return "(none)" }
    return fields.enumerated().map { index, field in
      // On one line: a description's line breaks must not open a section.
      let words = field.description.split(whereSeparator: \.isNewline).joined(separator: " ")
      let description = words.isEmpty || words == "${\(field.name)}" ? "" : ": \(words)"
      return "\(index + 1). `\(field.name)` (\(field.type))\(description)"
    }.joined(separator: "\n")
  }

  private func exchange(_ demo: JSONObject, inputs: [Field], notice: String) -> [ChatMessage] {
    let asked = inputs.map { Self.section($0, Self.text(of: demo[$0.name] ?? .null)) }
    let answered = signature.outputs.map { field in
      guard let value = demo[field.name], Self.states(demo, field) else {
        return Self.section(field, "(the \(field.name) was not recorded for this example)")
      }
      return Self.section(field, Self.text(of: value))
    }
    return [
      ChatMessage(.user, notice + asked.joined(separator: "\n\n")),
      ChatMessage(.assistant, answered.joined(separator: "\n\n") + "\n\n" + Self.header(Self.completed) + "\n"),
    ]
  }

  private static func section(_ field: Field, _ text: String) -> String { header(field.name) + "\n" + text }

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
