import JSON

/// Sections: each value under a header `[[ ## name ## ]]` on a line of its own. The headers are DSPy's.
///
/// What a model is told last is what it is to write first, so nothing is said of how a reply ends: models close it by
/// themselves, and small ones write whatever header they saw last.
struct ChatLayout: Layout {
  let system: String
  private let reminder: String

  static func header(_ name: String) -> String { "[[ ## \(name) ## ]]" }

  init(_ signature: Signature) {
    let headers = signature.outputs.map { Self.header($0.name) }
    system = signature.systemText(
      form: "Every field stands under its header. A reply has these, each with its value below:\n\n"
        + headers.joined(separator: "\n\n"))
    reminder = "Respond with these sections in this order: " + headers.map { "`\($0)`" }.joined(separator: ", then ") + "."
  }

  func asked(_ inputs: [(field: Field, text: String)]) -> String {
    var text = ""
    text.reserveCapacity(512 + reminder.utf8.count)
    for (field, value) in inputs { text += Self.header(field.name) + "\n" + value + "\n\n" }
    return text + reminder
  }

  func answered(_ outputs: [(field: Field, value: JSONValue?)]) -> String {
    outputs.map { field, value in
      Self.header(field.name) + "\n" + (value.map(Adapter.text) ?? missing(field))
    }.joined(separator: "\n\n")
  }

  var again: String { reminder }
}
