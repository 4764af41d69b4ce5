import JSON

/// The reply is one JSON object with the outputs as members.
struct JSONLayout: Layout {
  let system: String
  private let reminder: String

  init(_ signature: Signature) {
    let members = signature.outputs.map { "\"\($0.name)\": ..." }.joined(separator: ", ")
    system = signature.systemText(form: "Reply with a JSON object: {\(members)}")
    let noun = signature.outputs.count == 1 ? "member" : "members"
    reminder = "Respond with a JSON object with the \(noun) " + signature.outputWords { "\"\($0.name)\"" } + "."
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    inputs.map { "\($0.field.name):\n\($0.text)\n\n" }.joined() + reminder
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    var object = JSONObject()
    for (field, value) in outputs {
      object.append(field.name, value ?? (field.type == .string ? .string(missing(field)) : .null))
    }
    return JSONValue.object(object).text(.spaced)
  }

  var again: String { reminder }
}
