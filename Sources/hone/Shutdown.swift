import Dispatch
import Foundation
import JSONRPC
import Synchronization

/// Runs `body` when the process is asked to end (SIGTERM, SIGINT, SIGHUP).
func onTermination(_ body: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
  [SIGTERM, SIGINT, SIGHUP].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: body)
    source.resume()
    return source
  }
}

/// Runs its body at the first call only.
final class Once: Sendable {
  private let body: @Sendable () -> Void
  private let isDone = Mutex(false)

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  func run() {
    let first = isDone.withLock { isDone in
      defer { isDone = true }
      return !isDone
    }
    if first { body() }
  }
}

/// The connections of a socket server that are open, so that they can be ended together.
final class OpenConnections: Sendable {
  private struct State {
    var connections: [ObjectIdentifier: Connection] = [:]
    var kept: [any DispatchSourceSignal] = []
  }

  // DispatchSourceSignal is documented as safe to use from any thread.
  private let state = Mutex(State())

  func add(_ connection: Connection) {
    let id = ObjectIdentifier(connection)
    state.withLock { $0.connections[id] = connection }
    Task {
      await connection.waitUntilFinished()
      state.withLock { _ = $0.connections.removeValue(forKey: id) }
    }
  }

  func keep(_ sources: sending [any DispatchSourceSignal]) {
    state.withLock { $0.kept = sources }
  }

  /// Cancels the work of all connections and waits until it has ended.
  func finish() async {
    let open = state.withLock { Array($0.connections.values) }
    for connection in open { connection.close(cancelling: true) }
    for connection in open { await connection.waitUntilFinished() }
  }
}
