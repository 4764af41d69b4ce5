package import JSON
package import Schema

/// A text or a whole number under which a client knows progress.
package struct ProgressToken: SchemaValue, Hashable {
  package let jsonValue: JSONValue

  package init(jsonValue: JSONValue) { self.jsonValue = jsonValue }

  package static let schema = Schema(.either([Schema(.string), Int.schema]))

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> ProgressToken? {
    switch value {
    case .string, .int: return ProgressToken(jsonValue: value)
    default:
      problems.expected("a string or a whole number", at: place, got: value)
      return nil
    }
  }
}

/// The parameters of `$/progress`.
package struct ProgressParams: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("token", \.token, isRequired: true, "The token that the request gave."),
    Member("value", \.value, isRequired: true, as: Schema(.named("Progress")), "What is told."),
  ]
  package var token: ProgressToken?
  package var value: ProgressNotice?

  package init() {}
}
