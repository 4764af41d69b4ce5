import JSON

/// The reply is the bare value of the one output.
struct PlainLayout: Layout {
  let system: String
  let again: String

  init(_ signature: Signature) {
    let name = signature.outputs.first?.name ?? ""
    system = signature.systemText(form: "Reply with the \(name) only.")
    again = "Respond with the \(name) only."
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    inputs.map { "\($0.field.name):\n\($0.text)" }.joined(separator: "\n\n")
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    outputs.first?.value.map(Adapter.text) ?? ""
  }
}
