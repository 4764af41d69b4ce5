package import Failures
import Synchronization

/// Lets a bounded number of tasks through at a time, first come first served.
///
/// One gate serves a whole run, so that its phases may overlap and still keep to one concurrency.
package final class Gate: Sendable {
  private struct State {
    var free: Int
    var nextTicket = 0
    /// Those waiting, in the order of arrival; a cancelled one leaves its place empty.
    var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    var firstWaiting = 0
    var cancelled: Set<Int> = []
  }

  package let width: Int
  private let state: Mutex<State>

  /// - Parameter width: how many may be inside at once, at least 1.
  package init(width: Int) {
    self.width = max(1, width)
    state = Mutex(State(free: max(1, width)))
  }

  /// How many wait to be let in.
  var waiting: Int { state.withLock { $0.waiting.count - $0.firstWaiting } }

  /// Runs `body` inside the gate. A task that is cancelled while it waits throws at once.
  package func pass<Value: Sendable>(
    _ body: () async throws(HoneError) -> Value
  ) async throws(HoneError) -> Value {
    try await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async throws(HoneError) {
    let ticket = state.withLock { state -> Int? in
      if state.free > 0 {
        state.free -= 1
        return nil
      }
      state.nextTicket += 1
      return state.nextTicket
    }
    guard let ticket else {
      if Task.isCancelled {
        leave()
        throw HoneError(.cancelled, "The request was cancelled.")
      }
      return
    }
    let admitted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state -> Bool? in
          if state.cancelled.remove(ticket) != nil { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiting.append((ticket, continuation))
          return nil
        }
        if let now { continuation.resume(returning: now) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
        guard let index = state.waiting[state.firstWaiting...].firstIndex(where: { $0.ticket == ticket }) else {
          state.cancelled.insert(ticket)
          return nil
        }
        return state.waiting.remove(at: index).continuation
      }
      waiter?.resume(returning: false)
    }
    // A cancellation that came after admission leaves its mark behind; wipe it.
    state.withLock { state in _ = state.cancelled.remove(ticket) }
    guard admitted else { throw HoneError(.cancelled, "The request was cancelled.") }
  }

  private func leave() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      guard state.firstWaiting < state.waiting.count else {
        state.waiting.removeAll(keepingCapacity: true)
        state.firstWaiting = 0
        state.free += 1
        return nil
      }
      let waiter = state.waiting[state.firstWaiting].continuation
      state.firstWaiting += 1
      if state.firstWaiting > 256 {
        state.waiting.removeFirst(state.firstWaiting)
        state.firstWaiting = 0
      }
      return waiter
    }
    next?.resume(returning: true)
  }
}
