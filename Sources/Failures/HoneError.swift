/// What kind of failure this is: an open set of names that clients may branch on.
///
/// The raw value travels to clients as `error.data.kind`.
package struct FailureKind: RawRepresentable, Hashable, Sendable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }

  package static let authentication = FailureKind(rawValue: "authentication")
  package static let budgetExhausted = FailureKind(rawValue: "budgetExhausted")
  package static let cancelled = FailureKind(rawValue: "cancelled")
  package static let clientGone = FailureKind(rawValue: "clientGone")
  package static let contextWindowExceeded = FailureKind(rawValue: "contextWindowExceeded")
  package static let datasetInvalid = FailureKind(rawValue: "datasetInvalid")
  package static let internalError = FailureKind(rawValue: "internalError")
  package static let invalidParams = FailureKind(rawValue: "invalidParams")
  package static let languageModelRejected = FailureKind(rawValue: "languageModelRejected")
  package static let languageModelUnavailable = FailureKind(rawValue: "languageModelUnavailable")
  package static let malformedReply = FailureKind(rawValue: "malformedReply")
  package static let metricFailed = FailureKind(rawValue: "metricFailed")
  package static let notFound = FailureKind(rawValue: "notFound")
  package static let outputUnparsable = FailureKind(rawValue: "outputUnparsable")
  package static let programFailed = FailureKind(rawValue: "programFailed")
  package static let programInvalid = FailureKind(rawValue: "programInvalid")
  package static let rateLimited = FailureKind(rawValue: "rateLimited")
  package static let storeUnavailable = FailureKind(rawValue: "storeUnavailable")
  package static let timeout = FailureKind(rawValue: "timeout")
  package static let toolFailed = FailureKind(rawValue: "toolFailed")
  package static let tooManyErrors = FailureKind(rawValue: "tooManyErrors")

  /// Whether the same call to a model may well succeed a little later.
  package var isPassing: Bool {
    self == .languageModelUnavailable || self == .rateLimited || self == .timeout || self == .malformedReply
  }

  /// Whether it ends all the work of a request, not one example of it. An answer that cannot be kept would be paid for
  /// again, so what keeps no answers ends it too.
  package var endsRun: Bool { [.budgetExhausted, .cancelled, .clientGone, .storeUnavailable].contains(self) }
}

/// The one error type that leaves a room: what happened, what to do next, and why.
///
/// The same value becomes the `error` of a JSON-RPC response, a line on the terminal, a log entry
/// and the status of a span. Messages never hold a secret: whoever builds one from foreign text
/// passes that text through a redactor first.
package struct HoneError: Error, Sendable, CustomStringConvertible {
  package var kind: FailureKind
  /// One sentence or two: what failed, where, and what came.
  package var message: String
  /// What the reader can do next, as an imperative sentence.
  package var remedy: String?
  /// The failed parts where there are several, each with its place (bad parameters, bad rows).
  package var problems: [Problem]
  /// Further facts for machines, as name and value (`status`, `model`, `attempts` …).
  package var details: [String: String]
  /// The message of the error beneath, if any.
  package var cause: String?

  package init(
    _ kind: FailureKind, _ message: String, remedy: String? = nil, problems: [Problem] = [],
    details: [String: String] = [:], cause: String? = nil
  ) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
    self.problems = problems
    self.details = details
    self.cause = cause
  }

  package var description: String {
    var text = message
    for problem in problems { text += "\n  - \(problem)" }
    if let cause { text += "\n  because: \(cause)" }
    if let remedy { text += "\n  \(remedy)" }
    return text
  }

  /// Any error as a `HoneError`: itself, a cancellation, or an internal error with its description.
  package init(wrapping error: any Error) {
    if let known = error as? HoneError {
      self = known
    } else if error is CancellationError {
      self.init(.cancelled, "The request was cancelled.")
    } else {
      self.init(.internalError, "Something failed inside Hone: \(error)")
    }
  }
}
