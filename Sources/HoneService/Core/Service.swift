package import Failures
package import JSON
import JSONRPC
package import Logging
import Programs
import Synchronization
package import Tracking

/// The service: its methods over one home directory, whoever calls them (a connection, the command line, a test).
///
/// Nothing is opened before a method needs it.
package final class Service: Sendable {
  package static let version = "0.1.0"
  package static let protocolVersion = "1"

  package let home: String
  package let logger: Logger
  private let opening = Mutex<Task<OpenStore, any Error>?>(nil)
  let loaded = Mutex<[String: Program]>([:])
  /// The executions of host programs under way, whichever client runs them.
  let executions = HostExecutions()
  let works = Works()

  package init(home: String, logger: Logger) {
    self.home = home
    self.logger = logger
  }

  /// The tracking store, opened at the first use. A failure to open is tried again at the next.
  package func store() async throws(HoneError) -> TrackingStore {
    let task = opening.withLock { opening in
      if let opening { return opening }
      let task = Task { try await OpenStore(home: home, logger: logger) }
      opening = task
      return task
    }
    do {
      let open = try await task.value
      guard open.isOutdated else { return open.store }
      opening.withLock { opening in if opening == task { opening = nil } }
      open.abandon()
    } catch {
      opening.withLock { opening in if opening == task { opening = nil } }
      throw HoneError(wrapping: error)
    }
    return try await store()
  }

  /// Stops the works under way, each of which tracks what it has, so that its run can be resumed; takes no more.
  package func drain() async { await works.close() }

  /// Stops the works under way as somebody wishes who waits for their results.
  package func stopWorks() async { await works.stop(.run) }

  /// Waits until no work is under way: detached ones go on when their client has left.
  package func waitUntilIdle() async { await works.waitUntilIdle() }

  /// Stops what is under way, writes what is queued and closes the store.
  package func close() async {
    await drain()
    let task = opening.withLock { opening in
      defer { opening = nil }
      return opening
    }
    await (try? task?.value)?.close()
  }

  /// Does one call.
  ///
  /// - Throws: `notFound` with the nearest name for an unknown method; else what the method throws.
  package func call(
    _ name: String, _ params: JSONObject, in environment: CallEnvironment
  ) async throws(HoneError) -> JSONValue {
    guard let method = MethodTable.method(named: name) else {
      throw HoneError(.notFound, RPCError.methodNotFound(name, known: MethodTable.names).message)
    }
    let problems = ProblemList()
    return try await method.run(self, FieldReader(params, problems: problems), environment)
  }
}

extension FieldReader {
  /// Notes unknown members and throws if anything was wrong: what every method does before it works.
  func check(_ method: String) throws(HoneError) {
    finish()
    try problems.check("Invalid params for \(method)")
  }
}
