package import Failures
import Platform
import Synchronization

/// Finds out how many calls an endpoint takes at once, and keeps to it.
///
/// Additive increase, multiplicative decrease, as TCP does: a round of successes adds one to the
/// limit, a refusal (429) halves it, at most once a second and only for calls sent after the last
/// halving. A pause that the endpoint asks for holds back every caller. Callers are served in the order they came.
///
/// There is one for each endpoint in the process (`shared(for:)`), so all runs and trials that
/// talk to an endpoint share what was learned about it.
package final class AdaptiveLimiter: Sendable {
  /// The right to send one request. To be given back exactly once, with what became of it.
  package struct Permit: Sendable { fileprivate var issued: Double }

  /// What an endpoint's answer says about its load.
  package enum Outcome: Sendable, Hashable {
    case succeeded
    /// Refused for being one too many; the endpoint may have named a pause in seconds.
    case refused(pause: Double?)
    /// Says nothing about the load: another failure, a cancellation, never sent.
    case neutral
  }

  private struct State {
    var limit: Double
    var inFlight = 0
    /// Callers that wait, by ticket; a ticket that is not here any more has left.
    var waiting: [UInt64: Promise<Permit?>] = [:]
    var queue: [UInt64] = []
    var head = 0
    var nextTicket: UInt64 = 0
    var heldUntil = -Double.infinity
    var lastDecrease = -Double.infinity
    var alarmIsSet = false
  }

  private let state: Mutex<State>
  private let ceiling: Double
  private let now: @Sendable () -> Double

  /// A limiter that begins with `limit` calls at once and never allows more than `ceiling`.
  package init(limit: Int = 256, ceiling: Int = 1024, pacing: Pacing = .real) {
    state = Mutex(State(limit: Double(max(1, limit))))
    self.ceiling = Double(max(1, ceiling))
    now = pacing.now
  }

  // MARK: One for each endpoint

  private static let registry = Mutex<[String: AdaptiveLimiter]>([:])

  /// The process's limiter for that endpoint.
  package static func shared(for endpoint: String) -> AdaptiveLimiter {
    registry.withLock { limiters in
      if let known = limiters[endpoint] { return known }
      // Endpoints come from requests: forget idle ones before their number grows without bound.
      if limiters.count >= 256 { limiters = limiters.filter { !$0.value.isIdle } }
      let limiter = AdaptiveLimiter()
      limiters[endpoint] = limiter
      return limiter
    }
  }

  private var isIdle: Bool {
    state.withLock { $0.inFlight == 0 && $0.waiting.isEmpty && $0.heldUntil <= now() }
  }

  // MARK: Facts, for tests and logs

  /// How many calls may be in flight now.
  package var limit: Int { state.withLock { Int($0.limit) } }
  /// Seconds for which the endpoint has asked to be left alone.
  package var held: Double { state.withLock { max(0, $0.heldUntil - now()) } }
  package var inFlight: Int { state.withLock { $0.inFlight } }
  package var waiting: Int { state.withLock { $0.waiting.count } }

  // MARK: Taking and giving back

  /// Waits for a permit; throws `cancelled` at once when the task is cancelled.
  package func acquire() async throws(HoneError) -> Permit {
    if Task.isCancelled { throw .callCancelled }
    let time = now()
    let entry = state.withLock { state -> (permit: Permit?, ticket: UInt64, promise: Promise<Permit?>?) in
      if state.waiting.isEmpty, state.heldUntil <= time, state.inFlight < Int(state.limit) {
        state.inFlight += 1
        return (Permit(issued: time), 0, nil)
      }
      let ticket = state.nextTicket
      state.nextTicket += 1
      let promise = Promise<Permit?>()
      state.waiting[ticket] = promise
      state.queue.append(ticket)
      setAlarmIfHeld(&state, time)
      return (nil, ticket, promise)
    }
    if let permit = entry.permit { return permit }
    guard let promise = entry.promise else { throw .callCancelled }
    let permit = await withTaskCancellationHandler {
      await promise.wait()
    } onCancel: {
      let waited = state.withLock { $0.waiting.removeValue(forKey: entry.ticket) }
      waited?.fulfil(nil)
    }
    guard let permit else { throw .callCancelled }
    if Task.isCancelled {
      release(permit, .neutral)
      throw .callCancelled
    }
    return permit
  }

  /// Gives a permit back and lets the next callers go.
  package func release(_ permit: Permit, _ outcome: Outcome) {
    let time = now()
    let granted = state.withLock { state in
      let busy = state.inFlight
      state.inFlight -= 1
      switch outcome {
      case .succeeded:
        // Only a limit that is nearly used up has been tested by this success.
        if Double(busy) * 2 >= state.limit { state.limit = min(ceiling, state.limit + 1 / state.limit) }
      case .refused(let pause):
        if time - state.lastDecrease >= 1, permit.issued > state.lastDecrease {
          state.limit = max(1, (min(state.limit, Double(busy)) / 2).rounded(.up))
          state.lastDecrease = time
        }
        // Nobody waits longer than some minutes for a pause that others were told: they ask, and are told themselves.
        if let pause, pause <= RetryPolicy.maxWait { state.heldUntil = max(state.heldUntil, time + max(pause, 0)) }
      case .neutral:
        break
      }
      return admit(&state, time)
    }
    for (promise, permit) in granted { promise.fulfil(permit) }
  }

  /// Takes from the queue as many as may go now.
  private func admit(_ state: inout State, _ time: Double) -> [(Promise<Permit?>, Permit)] {
    guard !state.waiting.isEmpty else {
      state.queue.removeAll(keepingCapacity: true)
      state.head = 0
      return []
    }
    guard state.heldUntil <= time else {
      setAlarmIfHeld(&state, time)
      return []
    }
    var granted: [(Promise<Permit?>, Permit)] = []
    while state.inFlight < Int(state.limit), state.head < state.queue.count {
      let ticket = state.queue[state.head]
      state.head += 1
      guard let promise = state.waiting.removeValue(forKey: ticket) else { continue }
      state.inFlight += 1
      granted.append((promise, Permit(issued: time)))
    }
    if state.head > 1024 {
      state.queue.removeFirst(state.head)
      state.head = 0
    }
    return granted
  }

  private func setAlarmIfHeld(_ state: inout State, _ time: Double) {
    guard state.heldUntil > time, !state.alarmIsSet else { return }
    state.alarmIsSet = true
    _ = Alarms.shared.set(in: state.heldUntil - time) { [weak self] in self?.holdMayBeOver() }
  }

  private func holdMayBeOver() {
    let time = now()
    let granted = state.withLock { state in
      state.alarmIsSet = false
      return admit(&state, time)
    }
    for (promise, permit) in granted { promise.fulfil(permit) }
  }
}
