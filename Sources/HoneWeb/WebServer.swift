import Hummingbird
package import Logging

/// The HTTP face of a store.
package struct WebServer: Sendable {
  private let logger: Logger

  package init(logger: Logger) { self.logger = logger }

  /// Serves until the task is cancelled or the process is asked to end.
  package func run(host: String, port: Int) async throws {
    let router = Router()
    router.get("/health") { _, _ in "OK" }
    let application = Application(
      router: router, configuration: .init(address: .hostname(host, port: port)), logger: logger)
    try await application.runService()
  }
}
