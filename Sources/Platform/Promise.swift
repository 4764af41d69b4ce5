import Synchronization

/// A value that several may try to set and the first one sets; awaited by one.
///
/// Where a result, a deadline and a cancellation compete, each tries `fulfil` and the first wins.
package final class Promise<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case awaited(CheckedContinuation<Value, Never>)
    case full(Value)
    case taken
  }

  private let state = Mutex(State.empty)

  package init() {}

  /// Sets the value unless there is one; true if this call did.
  @discardableResult
  package func fulfil(_ value: Value) -> Bool {
    let continuation: CheckedContinuation<Value, Never>?
    switch state.withLock({ state -> (won: Bool, continuation: CheckedContinuation<Value, Never>?) in
      switch state {
      case .empty:
        state = .full(value)
        return (true, nil)
      case .awaited(let continuation):
        state = .taken
        return (true, continuation)
      case .full, .taken:
        return (false, nil)
      }
    }) {
    case (false, _): return false
    case (true, let waiting): continuation = waiting
    }
    continuation?.resume(returning: value)
    return true
  }

  /// Waits for the value. To be called once.
  package func wait() async -> Value {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state -> Value? in
        guard case .full(let value) = state else {
          state = .awaited(continuation)
          return nil
        }
        state = .taken
        return value
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }
}
