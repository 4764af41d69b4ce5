import Failures
import JSON
import Tracking

/// Under which experiment and name a run is tracked.
struct RunSetup {
  var experiment: String
  var runName: String?
  var tags: [KeyValue]

  init(_ fields: FieldReader) {
    experiment = fields.string("experiment") ?? "Default"
    if experiment.isEmpty { fields.problems.add("experiment", "An experiment's name is not empty.") }
    runName = fields.string("runName", "run_name")
    tags = []
    for (key, value) in fields.object("tags") ?? [:] {
      guard let text = value.stringValue else {
        fields.problems.add("tags.\(key)", "A tag's value is a string, got \(value.kindName).")
        continue
      }
      tags.append(KeyValue(key, text))
    }
  }
}

/// How a run ended, in the words of results and of run statuses.
enum RunOutcome {
  case finished, budgetExhausted, cancelled, failed
  /// The client went away; the run can be taken up again.
  case interrupted

  init(_ error: HoneError?) {
    switch error?.kind {
    case nil: self = .finished
    case .budgetExhausted?: self = .budgetExhausted
    case .cancelled?: self = .cancelled
    case .clientGone?: self = .interrupted
    default: self = .failed
    }
  }

  var word: String {
    switch self {
    case .finished: "FINISHED"
    case .budgetExhausted: "BUDGET_EXHAUSTED"
    case .cancelled: "CANCELLED"
    case .failed: "FAILED"
    case .interrupted: "INTERRUPTED"
    }
  }

  var runStatus: RunStatus {
    switch self {
    case .finished: .finished
    case .budgetExhausted, .cancelled, .interrupted: .killed
    case .failed: .failed
    }
  }
}
