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
    let headers = signature.outputs.map { "`\(Self.header($0.name))`" }
    system = signature.systemText(
      form: headers.count == 1
        ? "Answer under the header \(headers[0])."
        : "Answer under these headers, in this order: \(headers.joined(separator: ", ")).")
    reminder = "Respond with " + signature.outputWords { "`\(Self.header($0.name))` and the \($0.name)" } + "."
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
