import Evaluation
import Synchronization

/// Everyone who follows a job. Hands on what happens, in order, and tells newcomers what has happened: the trials so
/// far and the last report.
final class Watchers: ProgressSink {
  /// The most trials kept for newcomers.
  private static let trialLimit = 10_000

  private struct State {
    var sinks: [Int: any ProgressSink] = [:]
    var nextSeat = 0
    var trials: [TrialResult] = []
    var report: ProgressReport?
  }

  // Sinks are called under the lock, so that nothing overtakes anything; none of them waits.
  private let state = Mutex(State())

  /// Whether nobody would hear of anything.
  var isEmpty: Bool { state.withLock { $0.sinks.isEmpty } }

  /// Adds a follower; the number ends its interest.
  @discardableResult
  func add(_ sink: any ProgressSink) -> Int {
    state.withLock { state in
      for trial in state.trials { sink.finished(trial) }
      if let report = state.report { sink.report(report) }
      state.nextSeat += 1
      state.sinks[state.nextSeat] = sink
      return state.nextSeat
    }
  }

  func remove(_ seat: Int) { state.withLock { _ = $0.sinks.removeValue(forKey: seat) } }

  func report(_ report: ProgressReport) {
    state.withLock { state in
      state.report = report
      for sink in state.sinks.values { sink.report(report) }
    }
  }

  func finished(_ trial: TrialResult) {
    state.withLock { state in
      if state.trials.count < Self.trialLimit { state.trials.append(trial) }
      for sink in state.sinks.values { sink.finished(trial) }
    }
  }

  func finished(_ example: ExampleResult) {
    state.withLock { state in
      for sink in state.sinks.values { sink.finished(example) }
    }
  }
}
