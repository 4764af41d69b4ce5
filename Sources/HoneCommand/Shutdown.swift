import Dispatch
import Foundation
import JSONRPC
import Synchronization
import Terminal

/// Runs its body each time the process is asked to end (SIGTERM, SIGINT, SIGHUP), as long as it lives.
final class TerminationSignals: Sendable {
  private let sources = Mutex<[any DispatchSourceSignal]>([])

  init(_ body: @escaping @Sendable () -> Void) {
    // Sources begin to listen some time after they are resumed; a signal that came before would be lost.
    let listening = DispatchSemaphore(value: 0)
    let numbers = [SIGTERM, SIGINT, SIGHUP]
    for number in numbers {
      signal(number, SIG_IGN)
      sources.withLock { sources in
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: body)
        source.setRegistrationHandler { listening.signal() }
        source.resume()
        sources.append(source)
      }
    }
    for _ in numbers { _ = listening.wait(timeout: .now() + 1) }
  }

  deinit { sources.withLock { for source in $0 { source.cancel() } } }
}

/// What Ctrl-C, and other wishes to end, do to a command at work: the first stops the work, whose outcome is then told;
/// the second ends the process at once.
final class Interrupts: Sendable {
  private let signals: TerminationSignals

  init(_ stop: @escaping @Sendable () -> Void) {
    let count = Mutex(0)
    signals = TerminationSignals {
      let isFirst = count.withLock { count in
        count += 1
        return count == 1
      }
      guard isFirst else { _exit(130) }
      // A terminal shows the key, and perhaps progress, on the line where the cursor is.
      TerminalOutput.errors.breakLine()
      TerminalOutput.errors.line("hone: stopping (Ctrl-C again ends at once)")
      stop()
    }
  }
}

/// The connections of a socket server that are open, so that they can be ended together.
final class OpenConnections: Sendable {
  private let state = Mutex<[ObjectIdentifier: Connection]>([:])

  func add(_ connection: Connection) {
    let id = ObjectIdentifier(connection)
    state.withLock { $0[id] = connection }
    Task {
      await connection.waitUntilFinished()
      state.withLock { _ = $0.removeValue(forKey: id) }
    }
  }

  /// Lets nothing be begun any more on any connection.
  func refuseFurther() { for connection in state.withLock({ Array($0.values) }) { connection.refuseFurther() } }

  /// Ends all connections: what has its answer gives it, the rest is cancelled.
  func finish() async {
    await withTaskGroup(of: Void.self) { group in
      for connection in state.withLock({ Array($0.values) }) { group.addTask { await connection.finish() } }
    }
  }
}

extension Connection {
  /// Answers what is outstanding, if that takes no time, cancels what is left, and closes. A peer that does not read
  /// its answers gets a second, and then loses them.
  func finish() async {
    close()
    // By the clock: where much is under way, each pause may be a long one.
    let end = ContinuousClock.now + .milliseconds(300)
    while !isClosed, .now < end { try? await Task.sleep(for: .milliseconds(10)) }
    close(cancelling: true)
    let patience = Task {
      guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
      abort()
    }
    await waitUntilFinished()
    patience.cancel()
  }
}

/// A connection that is known to what the connection itself keeps alive.
final class ConnectionReference: Sendable {
  private struct Weak {
    weak var connection: Connection?
  }

  private let reference = Mutex(Weak())

  var connection: Connection? {
    get { reference.withLock { $0.connection } }
    set { reference.withLock { $0.connection = newValue } }
  }
}
