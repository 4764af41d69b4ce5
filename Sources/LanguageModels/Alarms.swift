import Synchronization

/// Runs short closures at their times, all with one sleeping task.
///
/// Each attempt at a model has a deadline that is hardly ever met: setting and clearing one costs a
/// dictionary entry, not a timer. While nothing is set, nothing runs.
final class Alarms: Sendable {
  static let shared = Alarms()

  /// Names an alarm, to clear it.
  struct Token: Hashable, Sendable { fileprivate var number: UInt64 }

  private struct Alarm {
    var time: ContinuousClock.Instant
    var ring: @Sendable () -> Void
  }

  private struct State {
    var alarms: [UInt64: Alarm] = [:]
    var next: UInt64 = 0
    /// When the sleeper means to wake; nil without one.
    var wakeTime: ContinuousClock.Instant?
    var sleeper: Task<Void, Never>?
    /// Tells a sleeper that was replaced from the one that counts.
    var generation: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Runs `ring` once, `seconds` from now, unless cleared before. `ring` must not block.
  func set(in seconds: Double, ring: @escaping @Sendable () -> Void) -> Token {
    let bounded = min(max(seconds, 0), 1e9)
    let time = ContinuousClock.now + .seconds(bounded)
    return state.withLock { state in
      let number = state.next
      state.next += 1
      state.alarms[number] = Alarm(time: time, ring: ring)
      if state.wakeTime.map({ time < $0 }) ?? true { sleep(until: time, &state) }
      return Token(number: number)
    }
  }

  func clear(_ token: Token) {
    // The closure is released outside of the lock: what it holds may end in code that sets alarms.
    let alarm = state.withLock { $0.alarms.removeValue(forKey: token.number) }
    _ = alarm
  }

  private func sleep(until time: ContinuousClock.Instant, _ state: inout State) {
    state.sleeper?.cancel()
    state.generation += 1
    state.wakeTime = time
    let generation = state.generation
    state.sleeper = Task.detached {
      try? await ContinuousClock().sleep(until: time, tolerance: .milliseconds(1))
      self.wake(generation)
    }
  }

  private func wake(_ generation: UInt64) {
    let now = ContinuousClock.now
    let due = state.withLock { state -> [Alarm] in
      guard state.generation == generation else { return [] }
      var due: [Alarm] = []
      var earliest: ContinuousClock.Instant?
      for (number, alarm) in state.alarms {
        if alarm.time <= now {
          due.append(alarm)
          state.alarms[number] = nil
        } else if earliest.map({ alarm.time < $0 }) ?? true {
          earliest = alarm.time
        }
      }
      state.sleeper = nil
      state.wakeTime = nil
      if let earliest { sleep(until: earliest, &state) }
      return due
    }
    for alarm in due { alarm.ring() }
  }
}
