import JSON

/// A question in plain words, after the inputs; the reply is the bare value of the one output.
///
/// Of the forms this is the one that small models without examples answer most: asked "What is the quantity? Answer with a
/// whole number only." SmolLM2-135M did for 16 of 16 rows, told to "reply with the quantity only" for 4.
struct PlainLayout: Layout {
  let system: String
  let again: String

  private let question: String

  init(_ signature: Signature) {
    let field = signature.outputs.first ?? Field("answer")
    let name = field.name.replacing("_", with: " ")
    system = signature.systemText(form: nil, isTyped: field.type.shortWord == nil)
    let word = field.type.shortWord ?? "the \(name)"
    again = word.hasPrefix("one of") ? "Answer with \(word)." : "Answer with \(word) only."
    question = "What is the \(name)? \(again)"
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    inputs.map { "\($0.field.name): \($0.text)" }.joined(separator: "\n") + "\n\n" + question
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    outputs.first?.value.map(Adapter.text) ?? ""
  }
}
