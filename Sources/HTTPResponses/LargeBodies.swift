import Platform
import Synchronization

/// The places for requests with large bodies: such a body and what is made of it take much memory, so that only a few are
/// held at once. The others wait, unread.
package final class LargeBodies: Sendable {
  /// A request's claim to a place: taken when its body turns out to be large, given back when it is answered.
  package final class Visit: Sendable {
    private let bodies: LargeBodies
    private let hasPlace = Mutex(false)

    fileprivate init(_ bodies: LargeBodies) { self.bodies = bodies }

    fileprivate func takePlace() async {
      guard !hasPlace.withLock({ $0 }) else { return }
      await bodies.take()
      hasPlace.withLock { $0 = true }
    }

    fileprivate func end() {
      if hasPlace.withLock({ $0 }) { bodies.leave() }
    }
  }

  private struct State: Sendable {
    var free: Int
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  /// From how many bytes on a body is large.
  package static let size = 1 << 20

  @TaskLocal private static var visit: Visit?

  private let places: Int
  private let state: Mutex<State>

  package init(places: Int = 2) {
    self.places = places
    state = Mutex(State(free: places))
  }

  /// Answers a request, whose body may take a place.
  package func serving<Answer: Sendable>(
    _ answer: @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let visit = Visit(self)
    defer { visit.end() }
    return try await Self.$visit.withValue(visit) { try await answer() }
  }

  /// Waits until the request that the task works on may hold a large body.
  package static func takePlace() async { await visit?.takePlace() }

  private func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free > 0 else {
          state.waiters.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  private func leave() {
    let (next, isLast) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
      if !state.waiters.isEmpty { return (state.waiters.removeFirst(), false) }
      state.free += 1
      return (nil, state.free == places)
    }
    next?.resume()
    // The answer is still being written; what it needs is little.
    if isLast { Memory.giveBackSoon() }
  }
}
