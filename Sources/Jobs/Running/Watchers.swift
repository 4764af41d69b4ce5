import JSON
import Synchronization

/// Everyone who follows a work. Hands on what happens, in order, and tells newcomers what has happened: the trials so
/// far and the last report.
final class Watchers: ProgressSink {
  /// The most trials kept for newcomers.
  private static let trialLimit = 10_000

  private struct State {
    var sinks: [Int: any ProgressSink] = [:]
    var nextSeat = 0
    var trials: [JSONObject] = []
    var report: (message: String, percentage: Int?, data: JSONObject)?
  }

  // Sinks are called under the lock, so that nothing overtakes anything; none of them waits.
  private let state = Mutex(State())

  /// Whether nobody would hear of anything.
  var isEmpty: Bool { state.withLock { $0.sinks.isEmpty } }

  /// Adds a follower; the number ends its interest.
  @discardableResult
  func add(_ sink: any ProgressSink) -> Int {
    state.withLock { state in
      for trial in state.trials { sink.partial(trial) }
      if let report = state.report { sink.report(report.message, percentage: report.percentage, data: report.data) }
      state.nextSeat += 1
      state.sinks[state.nextSeat] = sink
      return state.nextSeat
    }
  }

  func remove(_ seat: Int) { state.withLock { _ = $0.sinks.removeValue(forKey: seat) } }

  func begin(_ title: String) {}

  func report(_ message: String, percentage: Int?, data: JSONObject) {
    state.withLock { state in
      state.report = (message, percentage, data)
      for sink in state.sinks.values { sink.report(message, percentage: percentage, data: data) }
    }
  }

  func partial(_ value: JSONObject) {
    state.withLock { state in
      if value["trial"] != nil, state.trials.count < Self.trialLimit { state.trials.append(value) }
      for sink in state.sinks.values { sink.partial(value) }
    }
  }

  func end(_ message: String) {}
}
