package import Failures
package import HTTPResponses
import Hummingbird
import HummingbirdCore
package import Logging
package import MLflow
import NIOCore
import OpenTelemetry
import Platform
import ServiceLifecycle
import Synchronization
import Tracking

/// How the web server listens, and whom it lets in.
package struct WebConfiguration: Sendable {
  package var host: String
  /// 0 takes a free port.
  package var port: Int
  /// Names beside the address itself by which clients may call this server, such as a proxy's.
  package var allowedHosts: [String] = []
  /// Asks everybody for the token on loopback addresses, too.
  package var requiresToken = false
  /// Whose page to serve in place of Hone's own.
  package var mlflow: MLflowAssets?
  var times = RequestTimes()
  /// Nil for as many connections as the process's descriptors allow.
  var maximumConnections: Int?

  package init(host: String = "127.0.0.1", port: Int = 5000) {
    self.host = host
    self.port = port
  }

  /// Whether the processes of this server's own user need the token, too.
  var asksOwner: Bool { requiresToken || !HostName.isLoopback(host) }
}

/// The HTTP face of a store: the page, and JSON-RPC for it.
///
/// Every request, whatever its route, passes the `Gatekeeper` first.
package final class WebServer: Sendable {
  /// Where the page is, with the real port.
  package let url: String
  /// What a browser opens the first time: `url`, with the token where its user needs one.
  package let invitation: String
  /// Where the token lies, if programs of this server's own user need it; else nil.
  package let tokenFile: String?
  private let group: ServiceGroup
  private let serving: Task<Void, any Error>

  /// Listens and serves until `stop()`.
  ///
  /// - Throws: `invalidParams` if it cannot listen there; `storeUnavailable` if the token cannot be kept.
  package static func start(
    _ configuration: WebConfiguration, backend: WebBackend, logger: Logger
  ) async throws(HoneError) -> WebServer {
    let isNeeded = configuration.asksOwner || !SocketOwners.areKnown
    let token = try KeptToken(home: backend.home, isNeeded: isNeeded)
    let connections = OpenConnections(maximum: configuration.maximumConnections ?? OpenConnections.maximumHere)
    let owners = configuration.asksOwner ? nil : SocketOwners()
    let (ports, hear) = AsyncStream<Int>.makeStream()
    // The library tells of each connection that is cut off; that is for debugging it.
    var quiet = logger
    quiet.logLevel = .critical
    let gatekeeper = Gatekeeper(configuration: configuration, token: token)
    let application = Application(
      responder: GuardedResponder(
        gatekeeper: gatekeeper, inner: routes(backend, mlflow: configuration.mlflow).buildResponder(), logger: logger),
      server: HTTPServerBuilder { responder in
        ConnectionSetup(responder: responder, connections: connections, times: configuration.times, owners: owners)
      },
      configuration: .init(address: .hostname(configuration.host, port: configuration.port)),
      onServerRunning: { channel in
        await connections.listen(channel)
        hear.yield(channel.localAddress?.port ?? configuration.port)
        hear.finish()
      }, logger: quiet)
    var lifecycle = ServiceGroupConfiguration(services: [application], logger: quiet)
    lifecycle.maximumGracefulShutdownDuration = .seconds(5)
    let group = ServiceGroup(configuration: lifecycle)
    let serving = Task {
      defer { hear.finish() }
      try await group.run()
    }
    var port: Int?
    for await number in ports { port = number }
    guard let port else {
      serving.cancel()
      throw await refusal(serving, configuration)
    }
    return WebServer(
      host: configuration.host, port: port, token: isNeeded ? try token.token() : nil, home: backend.home, group: group,
      serving: serving)
  }

  private init(
    host: String, port: Int, token: AccessToken?, home: String, group: ServiceGroup, serving: Task<Void, any Error>
  ) {
    let shown = host.contains(":") ? "[\(host)]" : host
    url = "http://\(shown):\(port)"
    invitation = token.map { "http://\(shown):\(port)/?token=\($0.text)" } ?? url
    tokenFile = token.map { _ in AccessToken.path(home: home) }
    self.group = group
    self.serving = serving
  }

  /// Takes no more requests and returns when those under way are answered, or five seconds have passed.
  package func stop() async {
    await group.triggerGracefulShutdown()
    _ = try? await serving.value
  }

  private static func refusal(_ serving: Task<Void, any Error>, _ configuration: WebConfiguration) async -> HoneError {
    var cause = "the server ended at once"
    do { try await serving.value } catch { cause = "\(error)" }
    return HoneError(
      .invalidParams, "The web server cannot listen on \(configuration.host), port \(configuration.port).",
      remedy: "Choose another address or port; port 0 takes a free one.", cause: cause)
  }

  /// All routes; the guard stands in front of them.
  static func routes(_ backend: WebBackend, mlflow: MLflowAssets? = nil) -> Router<BasicRequestContext> {
    let router = Router()
    if let mlflow { mlflow.addRoutes(to: router) } else { PageFiles.addRoutes(to: router) }
    CallRoute.add(to: router, backend: backend)
    ExportRoute.add(to: router, backend: backend)
    API.addRoutes(to: router, backend: backend)
    router.get("/health") { _, _ in "OK" }
    return router
  }
}
