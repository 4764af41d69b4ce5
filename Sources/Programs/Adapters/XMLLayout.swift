import JSON

/// Each output stands between tags of its name.
struct XMLLayout: Layout {
  let system: String
  let again: String

  init(_ signature: Signature) {
    system = signature.systemText(
      form: "Reply in this form:\n"
        + signature.outputs.map { "<\($0.name)>the \($0.name)</\($0.name)>" }.joined(separator: "\n"))
    again = "Respond with the tags alone, beginning with <\(signature.outputs.first?.name ?? "")>."
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    inputs.map { "\($0.field.name):\n\($0.text)" }.joined(separator: "\n\n")
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    outputs.map { field, value in
      let text = value.map(Adapter.text) ?? missing(field)
      return "<\(field.name)>" + text.replacing("&", with: "&amp;").replacing("<", with: "&lt;") + "</\(field.name)>"
    }.joined(separator: "\n")
  }
}
