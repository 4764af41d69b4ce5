/// What kind of failure this is: an open set of names that clients may branch on.
///
/// The raw value travels to clients as `error.data.kind`.
public struct FailureKind: RawRepresentable, Hashable, Sendable {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  public static let authentication = FailureKind(rawValue: "authentication")
  public static let budgetExhausted = FailureKind(rawValue: "budgetExhausted")
  public static let cancelled = FailureKind(rawValue: "cancelled")
  public static let clientGone = FailureKind(rawValue: "clientGone")
  public static let contentRefused = FailureKind(rawValue: "contentRefused")
  public static let contextWindowExceeded = FailureKind(rawValue: "contextWindowExceeded")
  public static let datasetInvalid = FailureKind(rawValue: "datasetInvalid")
  public static let inputRejected = FailureKind(rawValue: "inputRejected")
  public static let insufficientCredit = FailureKind(rawValue: "insufficientCredit")
  public static let internalError = FailureKind(rawValue: "internalError")
  public static let invalidParams = FailureKind(rawValue: "invalidParams")
  public static let languageModelRejected = FailureKind(rawValue: "languageModelRejected")
  public static let languageModelUnavailable = FailureKind(rawValue: "languageModelUnavailable")
  public static let malformedReply = FailureKind(rawValue: "malformedReply")
  public static let metricFailed = FailureKind(rawValue: "metricFailed")
  public static let notFound = FailureKind(rawValue: "notFound")
  public static let outputUnparsable = FailureKind(rawValue: "outputUnparsable")
  public static let programFailed = FailureKind(rawValue: "programFailed")
  public static let programInvalid = FailureKind(rawValue: "programInvalid")
  public static let quotaExhausted = FailureKind(rawValue: "quotaExhausted")
  public static let rateLimited = FailureKind(rawValue: "rateLimited")
  public static let replyCut = FailureKind(rawValue: "replyCut")
  public static let replyEmpty = FailureKind(rawValue: "replyEmpty")
  public static let replyToolCall = FailureKind(rawValue: "replyToolCall")
  public static let storeUnavailable = FailureKind(rawValue: "storeUnavailable")
  public static let timeout = FailureKind(rawValue: "timeout")
  public static let toolFailed = FailureKind(rawValue: "toolFailed")
  public static let tooManyErrors = FailureKind(rawValue: "tooManyErrors")
  public static let waitTooLong = FailureKind(rawValue: "waitTooLong")

  /// Whether the same call to a model may well succeed a little later.
  package var isPassing: Bool {
    self == .languageModelUnavailable || self == .rateLimited || self == .timeout || self == .malformedReply
  }

  /// Whether every call to come would meet it too, until somebody has mended something: the key, the account, the
  /// model's name or options, a budget that cannot be kept, an endpoint that is closed for hours.
  package var stopsWork: Bool {
    [.authentication, .insufficientCredit, .invalidParams, .languageModelRejected, .quotaExhausted, .waitTooLong]
      .contains(self)
  }

  /// Whether the model answered and the program cannot use it: the example's result, counted as 0.
  package var isUnreadable: Bool { [.outputUnparsable, .replyCut, .replyEmpty, .replyToolCall].contains(self) }

  /// Whether the endpoint or the model refused this text: the example's result, apart from wrong answers and outages.
  package var isRefusal: Bool { self == .contentRefused || self == .inputRejected }

  /// Whether it ends all the work of a request, not one example of it. An answer that cannot be kept would be paid for
  /// again, so what keeps no answers ends it too.
  package var endsRun: Bool { [.budgetExhausted, .cancelled, .clientGone, .storeUnavailable].contains(self) }
}

/// The one error type that leaves a room: what happened, what to do next, and why.
///
/// The same value becomes the `error` of a JSON-RPC response, a line on the terminal, a log entry
/// and the status of a span. Messages never hold a secret: whoever builds one from foreign text
/// passes that text through a redactor first.
public struct HoneError: Error, Sendable, CustomStringConvertible {
  public var kind: FailureKind
  /// One sentence or two: what failed, where, and what came.
  public var message: String
  /// What the reader can do next, as an imperative sentence.
  public var remedy: String?
  /// The failed parts where there are several, each with its place (bad parameters, bad rows).
  public var problems: [Problem]
  /// Further facts for machines, as name and value (`status`, `model`, `attempts` …).
  public var details: [String: String]
  /// The message of the error beneath, if any.
  public var cause: String?

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

  /// The message and, where it comes from elsewhere, the words that were said there: all that one line has room for.
  package var messageWithCause: String { cause.map { "\(message) Cause: \($0)" } ?? message }

  public var description: String {
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
