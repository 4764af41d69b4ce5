import Failures
public import Schema
import Tracking

/// How a run ended, in the words of results and of run statuses.
public enum RunOutcome: String, SchemaChoice {
  case finished = "FINISHED"
  /// A bound of the budget was reached.
  case budgetExhausted = "BUDGET_EXHAUSTED"
  case cancelled = "CANCELLED"
  /// The process or the client that was needed went away.
  case interrupted = "INTERRUPTED"
  /// Something outside has to be mended first: an outage, a key.
  case paused = "PAUSED"
  case failed = "FAILED"

  /// - Parameters:
  ///   - error: what ended the work before its time, if anything.
  ///   - stop: who stopped it, if somebody did.
  init(_ error: HoneError?, _ stop: StopReason?) {
    switch error?.kind {
    case nil: self = .finished
    case .budgetExhausted?: self = .budgetExhausted
    case .cancelled?, .clientGone?:
      switch stop {
      case nil: self = error?.kind == .clientGone ? .interrupted : .cancelled
      case .request?, .run?: self = .cancelled
      case .clientGone?, .shutdown?: self = .interrupted
      }
    case let kind?: self = kind.isPassing || Self.mendable.contains(kind) ? .paused : .failed
    }
  }

  /// Further kinds of failures that say nothing about the work: once they are mended, it can go on.
  private static let mendable: [FailureKind] = [
    .authentication, .insufficientCredit, .quotaExhausted, .storeUnavailable, .tooManyErrors, .waitTooLong,
  ]

  var runStatus: RunStatus {
    switch self {
    case .finished: .finished
    case .budgetExhausted, .cancelled, .interrupted, .paused: .killed
    case .failed: .failed
    }
  }
}

extension HoneError {
  /// The error that a stopped work is tracked and answered with: why it ended, and how it goes on.
  func asEndOfRun(_ outcome: RunOutcome, _ stop: StopReason?, run id: String?, home: String) -> HoneError {
    var error = self
    if kind == .cancelled || kind == .clientGone {
      switch stop {
      case nil: break
      case .request?: error = HoneError(.cancelled, "The request was cancelled.")
      case .run?: error = HoneError(.cancelled, "The run was cancelled.")
      case .clientGone?: error = HoneError(.clientGone, "The client that waited for the result went away.")
      case .shutdown?: error = HoneError(.cancelled, "The service was ended.")
      }
    }
    guard let id else { return error }
    error.details["runId"] = id
    if outcome != .failed {
      let goesOn = "Resume it with resumeRun, or with: \(resumeCommand(id, home: home))"
      error.remedy = error.remedy.map { "\($0) \(goesOn)" } ?? goesOn
    }
    return error
  }
}

/// What to type to make a run go on.
package func resumeCommand(_ id: String, home: String) -> String {
  home == ".hone" ? "hone resume \(id)" : "hone resume \(id) --home \(home)"
}
