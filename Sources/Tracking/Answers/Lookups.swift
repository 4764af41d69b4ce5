import Failures
import Foundation
import GRDB
import Synchronization

/// A connection for single look-ups by key from synchronous code, opened at the first one.
///
/// It holds no transaction open, so that it sees what any process has committed, at once.
final class Lookups: Sendable {
  private struct State {
    var queue: DatabaseQueue?
    var isClosed = false
  }

  private let path: String
  private let state = Mutex(State())

  init(path: String) { self.path = path }

  /// - Parameter queue: a database that has no path.
  init(queue: DatabaseQueue) {
    path = ""
    state.withLock { $0.queue = queue }
  }

  /// Runs `body` on the connection.
  func look<T>(_ body: (Database) throws -> T) throws -> T {
    let queue = try state.withLock { state in
      if let queue = state.queue { return queue }
      guard !state.isClosed else { throw HoneError(.storeUnavailable, "The tracking store is closed.") }
      var configuration = Configuration()
      configuration.label = "hone.lookups"
      configuration.readonly = true
      configuration.busyMode = .callback(waitForLock)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      state.queue = queue
      return queue
    }
    return try queue.unsafeRead(body)
  }

  func close() {
    let queue = state.withLock { state in
      state.isClosed = true
      defer { state.queue = nil }
      return state.queue
    }
    try? queue?.close()
  }
}
