package import Schema

/// `{"client": NAME}`: a function of the client that writes in place of the prompt model.
package struct ClientProposer: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member(
      "client", \.client, isRequired: true, "A function of the client that asks, called back for each text."),
    Member("timeout", \.timeout, in: 0.001...86_400, "Seconds that one text may take."),
  ]
  package var client = ""
  package var timeout = 120.0

  package init() {}
}

extension Member where Owner: Optimizer {
  static func proposer(
    _ path: MemberPath<Owner, ClientProposer?>, also spellings: [String] = [], writes what: String
  ) -> Self {
    Member(
      "proposer", path, also: spellings,
      "A function of the client that writes \(what) in place of the prompt model: {\"client\": NAME}.")
  }
}
