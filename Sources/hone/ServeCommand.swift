import ArgumentParser
import Exchange
import Failures
import Foundation
import HoneService
import HoneWeb
import JSONRPC
import Logging

/// `hone serve`: the JSON-RPC service on standard input and output, or on a Unix socket.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve JSON-RPC on standard input and output, or on a Unix socket; and HTTP beside it.",
    discussion: """
      Newline-delimited JSON and Content-Length headers are told apart by a connection's first byte. Nothing but \
      protocol is written to standard output; logs go to standard error.
      """)

  @Option(help: "Listen at this path in place of standard input and output.")
  var socket: String?

  @Option(help: "Serve the page and MLflow's API over HTTP, too, at this address and port.")
  var http: String?

  @OptionGroup var web: WebOptions

  @Option(help: ArgumentHelp("Send every trace to this OpenTelemetry collector.", valueName: "url"))
  var otlp: String?

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "The largest message taken, in bytes.")
  var maxMessage = 64 << 20

  @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.", transform: readLogLevel)
  var logLevel = Logger.Level.notice

  func run() async throws {
    try await reporting {
      var options = CommonOptions()
      options.home = home
      let service = Service(home: options.homeDirectory, logger: standardErrorLogger(level: logLevel))
      var limits = ConnectionLimits()
      limits.message = maxMessage
      let exporter = try await startExporter(service)
      let page = try await http.map(web.configuration)?.start(service)
      if let page { service.logger.notice("The page is at \(page.url)") }
      if let socket {
        try await listen(at: socket, service, limits)
      } else {
        try await serveStandardStreams(service, limits)
      }
      await page?.stop()
      await exporter?.stop()
      await service.close()
    }
  }

  private func startExporter(_ service: Service) async throws(HoneError) -> TraceExporter? {
    guard let otlp else { return nil }
    let exporter = try await TraceExporter.start(
      to: otlp, store: try await service.store(), version: Service.version, logger: service.logger)
    if exporter == nil {
      service.logger.notice("Another process sends this store's traces to \(otlp) already")
    }
    return exporter
  }

  private func serveStandardStreams(_ service: Service, _ limits: ConnectionLimits) async throws {
    let streams = try StandardStreams.claim()
    let directory = FileManager.default.currentDirectoryPath
    let session = Session(service: service, baseDirectory: directory) { status in
      Task {
        await service.close()
        Foundation.exit(status)
      }
    }
    let connection = Connection(streams, handler: session, limits: limits)
    let signals = TerminationSignals {
      Task {
        await service.drain()
        connection.close(cancelling: true)
      }
    }
    connection.start()
    await connection.waitUntilFinished()
    // Detached works go on when the client has left.
    await service.waitUntilIdle()
    withExtendedLifetime(signals) {}
  }

  private func listen(at path: String, _ service: Service, _ limits: ConnectionLimits) async throws {
    let logger = service.logger
    let directory = FileManager.default.currentDirectoryPath
    let loop = try EventLoop()
    let connections = OpenConnections()
    let server = try UnixSocketServer(path: path, loop: loop, report: { logger.warning("\($0)") }) { stream in
      let session = Session(service: service, baseDirectory: directory)
      let connection = Connection(stream, handler: session, limits: limits)
      connections.add(connection)
      connection.start()
    }
    logger.notice("Listening at \(path)")
    let (ending, end) = AsyncStream<Void>.makeStream()
    let signals = TerminationSignals { end.finish() }
    for await _ in ending {}
    withExtendedLifetime(signals) {}
    server.close()
    await service.drain()
    await connections.finish()
    loop.stop()
  }
}

private func readLogLevel(_ word: String) throws -> Logger.Level {
  guard let level = Logger.Level(rawValue: word) else {
    throw ValidationError("There is no log level \"\(word)\".")
  }
  return level
}
