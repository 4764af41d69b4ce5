package import Failures
package import JSON

/// An error as a member of a result: what happened and what to do next.
extension HoneError: SchemaValue {
  package static var schema: Schema {
    Schema(
      .object([
        Schema.Field("kind", Schema(.string), "What kind of failure it is, as in x-errorKinds."),
        Schema.Field("message", Schema(.string), "What happened."),
        Schema.Field("remedy", Schema(.string).orNull, "What to do next."),
        Schema.Field("cause", Schema(.string).orNull, "The words of what it comes from, such as the endpoint's."),
      ]))
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> HoneError? {
    guard let kind = value["kind"]?.stringValue, let message = value["message"]?.stringValue else {
      problems.expected("an error with kind and message", at: place, got: value)
      return nil
    }
    return HoneError(
      FailureKind(rawValue: kind), message, remedy: value["remedy"]?.stringValue,
      cause: value["cause"]?.stringValue)
  }

  package var jsonValue: JSONValue {
    [
      "kind": .string(kind.rawValue), "message": .string(message), "remedy": JSONValue(remedy),
      "cause": JSONValue(cause),
    ]
  }
}
