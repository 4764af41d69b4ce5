package import Failures
package import JSON
import JSONRPC
package import Logging
import Programs
import Schema
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
  /// What it knows by name.
  package let catalog: Catalog
  private let opening = Mutex<Task<OpenStore, any Error>?>(nil)
  let loaded = Mutex<[String: Program]>([:])
  /// The executions of host programs under way, whichever client runs them.
  let executions = HostExecutions()
  let works = Works()
  /// Asked to fetch what a call may need before the store is read; nil where the store is all there is.
  private let upstream = Mutex<(any Upstream)?>(nil)
  /// Does a call in a service that stays when this one's client leaves; nil where this one stays itself.
  private let staying = Mutex<StayingService?>(nil)

  package init(home: String, logger: Logger, catalog: Catalog = Catalog()) {
    self.home = home
    self.logger = logger
    self.catalog = catalog
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

  /// Puts another place behind the store.
  package func use(_ upstream: any Upstream) { self.upstream.withLock { $0 = upstream } }

  package typealias StayingService =
    @Sendable (_ method: String, _ params: JSONObject) async throws(HoneError) -> JSONValue

  /// Names the service that takes the detached works of editors, which end this one when they leave.
  package func leaveDetached(to service: @escaping StayingService) { staying.withLock { $0 = service } }

  var stayingService: StayingService? { staying.withLock { $0 } }

  /// Stops the works under way, each of which tracks what it has, so that its run can be resumed; takes no more.
  package func drain() async { await works.close() }

  /// Stops the works under way as somebody wishes who waits for their results.
  package func stopWorks() async { await works.stop(.run) }

  /// Whether no work is under way.
  package var isIdle: Bool { works.isEmpty }

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
    guard let method = catalog.method(named: name) else {
      throw HoneError(.notFound, RPCError.methodNotFound(name, known: catalog.methods.map(\.name)).message)
    }
    if method.readsStore, let upstream = upstream.withLock({ $0 }) { await upstream.fetch(for: name, params) }
    let problems = ProblemList()
    return try await method(self, FieldReader(params, problems: problems), environment)
  }
}

/// Another place where runs live, behind the store.
package protocol Upstream: Sendable {
  /// Brings what a call with these parameters may ask for into the store, as far as it can be had now.
  func fetch(for method: String, _ params: JSONObject) async
}

extension Method {
  /// Whether the method shows or uses what was tracked before.
  fileprivate var readsStore: Bool { name != "rpc.discover" && name != "logFeedback" }
}
