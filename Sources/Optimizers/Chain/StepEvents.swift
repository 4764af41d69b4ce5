import Evaluation
import Synchronization

/// The listener of a chain's step: it tells the chain's listener which step it is, and keeps what the step says of itself.
final class StepEvents: EventSink {
  private let listener: any EventSink
  private let step: String
  private let state: Mutex<(executions: Int, before: Int, summary: String?)>

  /// - Parameters:
  ///   - step: what stands before the words of a phase.
  ///   - executions: how many executions earlier steps made.
  init(_ listener: any EventSink, step: String, executions: Int) {
    self.listener = listener
    self.step = step
    state = Mutex((executions, executions, nil))
  }

  /// How many executions were made when the step ended, those before it included.
  var executions: Int { state.withLock { $0.executions } }
  var summary: String? { state.withLock { $0.summary } }

  func emit(_ event: EngineEvent) async {
    switch event {
    case .summary(let text): state.withLock { $0.summary = text }
    case .phase(let name, let message): await listener.emit(.phase(name, message: "\(step): \(message)"))
    case .planned(let executions):
      await listener.emit(.planned(executions: state.withLock { $0.before } + executions))
    case .exampleFinished:
      state.withLock { $0.executions += 1 }
      await listener.emit(event)
    default: await listener.emit(event)
    }
  }
}
