package import Failures
package import HTTPModels
package import JSON
import JSONRPC
package import Jobs
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

  /// Where its work is done and kept.
  package let workspace: Workspace
  /// What it knows by name.
  package let catalog: Catalog
  /// Asked to fetch what a call may need before the store is read; nil where the store is all there is.
  private let upstream = Mutex<(any Upstream)?>(nil)
  /// Does a call in a service that stays when this one's client leaves; nil where this one stays itself.
  private let staying = Mutex<StayingService?>(nil)

  /// The description of its methods, made once.
  private let description = Mutex<JSONObject?>(nil)

  package init(
    home: String, logger: Logger, catalog: Catalog = Catalog(), keyRules: KeyRules = KeyRules(),
    durability: Durability = .power
  ) {
    workspace = Workspace(
      home: home, logger: logger, optimizers: catalog.optimizers, metrics: catalog.metrics, keyRules: keyRules,
      durability: durability)
    self.catalog = catalog
  }

  package var home: String { workspace.home }

  /// The OpenRPC document of its methods.
  var document: JSONObject {
    description.withLock { known in
      let document = known ?? OpenRPC.document(catalog)
      known = document
      return document
    }
  }
  package var logger: Logger { workspace.logger }

  /// The tracking store that is there; an empty one where there is none.
  package func store() async throws(HoneError) -> TrackingStore { try await workspace.store() }

  /// The tracking store, made where there is none, for what is kept in it.
  package func madeStore() async throws(HoneError) -> TrackingStore { try await workspace.madeStore() }

  /// Stops what is under way, writes what is queued and closes the store.
  package func close() async { await workspace.close() }

  /// Puts another place behind the store.
  package func use(_ upstream: any Upstream) { self.upstream.withLock { $0 = upstream } }

  package typealias StayingService =
    @Sendable (_ method: String, _ params: JSONObject) async throws(HoneError) -> JSONValue

  /// Names the service that takes the detached jobs of editors, which end this one when they leave.
  package func leaveDetached(to service: @escaping StayingService) { staying.withLock { $0 = service } }

  package var stayingService: StayingService? { staying.withLock { $0 } }

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
