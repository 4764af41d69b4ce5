package import Failures
package import JSON

/// The `data` of an error that a request is answered with: everything of a `HoneError` but its message.
package struct ErrorData: ResultObject {
  package static let members: [Member<Self>] = [
    Member("kind", \.kind, isAlwaysWritten: true, "What kind of failure it is, as in x-errorKinds."),
    Member("problems", \.problems, "Everything that is wrong with the request."),
    Member("remedy", \.remedy, "What to do next."),
    Member("cause", \.cause, "What it comes from."),
  ]
  package var kind = ""
  package var problems: [ProblemRecord] = []
  package var remedy: String?
  package var cause: String?
  /// Further facts, each a member of its own: `runId`.
  package var details: [String: String] = [:]

  package init() {}

  package init(_ error: HoneError) {
    kind = error.kind.rawValue
    problems = error.problems.map { ProblemRecord($0) }
    remedy = error.remedy
    cause = error.cause
    details = error.details
  }

  package mutating func settle(_ fields: FieldReader) {
    let declared = Self.members.map(\.name)
    for (name, value) in fields.object where !declared.contains(name) { details[name] = value.stringValue }
  }

  package var jsonValue: JSONValue {
    var object = given
    for (name, value) in details.sorted(by: { $0.key < $1.key }) where object[name] == nil {
      object.append(name, .string(value))
    }
    return .object(object)
  }

  /// The error with its message.
  package func error(_ message: String) -> HoneError {
    HoneError(
      FailureKind(rawValue: kind), message, remedy: remedy, problems: problems.map(\.problem), details: details,
      cause: cause)
  }
}

/// One thing that is wrong with a request, as it is sent.
package struct ProblemRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("path", \.path, isAlwaysWritten: true, "Where, from the request's root: optimizer.name."),
    Member("message", \.message, isAlwaysWritten: true, "What is wrong."),
    Member("got", \.got, "What came, shortened."),
    Member("allowed", \.allowed, "What may stand there."),
    Member("suggestion", \.suggestion, "The nearest of these."),
  ]
  package var path = ""
  package var message = ""
  package var got: String?
  package var allowed: [String] = []
  package var suggestion: String?

  package init() {}

  package init(_ problem: Problem) {
    path = problem.path
    message = problem.message
    got = problem.got
    allowed = problem.allowed
    suggestion = problem.suggestion
  }

  package var problem: Problem {
    Problem(path: path, message: message, got: got, allowed: allowed, suggestion: suggestion)
  }
}
