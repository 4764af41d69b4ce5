import JSON

/// The reply is one JSON object with the outputs as members.
struct JSONLayout: Layout {
  let system: String
  let again = "Respond with the JSON object alone."

  init(_ signature: Signature) {
    system = signature.systemText(
      form: "A reply is one JSON object with these members:\n\n{"
        + signature.outputs.map { "\"\($0.name)\": ..." }.joined(separator: ", ") + "}")
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    inputs.map { "\($0.field.name):\n\($0.text)\n\n" }.joined() + "Respond with JSON."
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    var object = JSONObject()
    for (field, value) in outputs {
      object.append(field.name, value ?? (field.type == .string ? .string(missing(field)) : .null))
    }
    return JSONValue.object(object).text(.spaced)
  }
}
