package import Evaluation
import Failures
import JSON
import Synchronization

/// The listener that keeps what a job's result tells beside what was found: warnings, the form that was decided, the
/// instructions that were proposed, and what an evaluation had when it was stopped.
package final class JobNotes: EventSink {
  private struct State {
    var warnings: [String]
    var adapter: AdapterDecision?
    var instructions: [JSONValue] = []
    var partial: EvaluationResult?
    var lostResults: HoneError?
    var looks = 1
    var summary: String?
  }

  private let state: Mutex<State>

  init(warnings: [String] = []) { state = Mutex(State(warnings: warnings)) }

  var warnings: [String] { state.withLock { $0.warnings } }
  var adapter: AdapterDecision? { state.withLock { $0.adapter } }
  /// What the search did and why, in words.
  var summary: String? { state.withLock { $0.summary } }
  /// The instructions proposed so far, in order.
  var instructions: [JSONValue] { state.withLock { $0.instructions } }
  /// What the evaluation that was stopped last had by then.
  var partial: EvaluationResult? { state.withLock { $0.partial } }

  /// How many searches have looked at the testset, this one included.
  var looks: Int {
    get { state.withLock { $0.looks } }
    set { state.withLock { $0.looks = newValue } }
  }

  /// Why results of examples could not be tracked, the first time.
  var lostResults: HoneError? { state.withLock { $0.lostResults } }

  func lose(_ error: HoneError) { state.withLock { $0.lostResults = $0.lostResults ?? error } }

  func warn(_ text: String) { state.withLock { $0.warnings.append(text) } }

  package func emit(_ event: EngineEvent) async {
    switch event {
    case .warning(let text): warn(text)
    case .summary(let text): state.withLock { $0.summary = text }
    case .adapterDecided(let decision): state.withLock { $0.adapter = decision }
    case .instructionProposed(let predictor, let index, let text):
      state.withLock {
        $0.instructions.append(["predictor": .string(predictor), "index": .int(index), "instruction": .string(text)])
      }
    case .evaluationStopped(_, let result, _): state.withLock { $0.partial = result }
    case .phase, .planned, .evaluationStarted, .exampleFinished, .evaluationFinished, .trialFinished, .demoSetReady:
      break
    }
  }
}
