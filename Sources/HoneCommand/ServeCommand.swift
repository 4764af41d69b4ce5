import ArgumentParser
import Failures
import Editing
import Foundation
import HTTPModels
import HoneService
import HoneWeb
import JSONRPC
import Jobs
import Logging
import MLflow
import OpenTelemetry
import Platform
import Synchronization

/// `hone serve`: the JSON-RPC service on standard input and output, or on a Unix socket.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve JSON-RPC on standard input and output, or on a Unix socket; and HTTP beside it.",
    discussion: """
      Newline-delimited JSON and Content-Length headers are told apart by a connection's first byte. Only \
      protocol messages go to standard output; logs go to standard error.
      """)

  @Option(help: "Listen at this path instead of standard input and output.", completion: .file())
  var socket: String?

  @Flag(
    help: ArgumentHelp(
      "Connect standard input and output to the user's shared service for this store.",
      discussion: "Starts it if there is none. Its environment, keys included, is that of the process that started it.")
  )
  var attach = false

  @Option(
    help: ArgumentHelp(
      "End after so many seconds without a connection and without work.",
      discussion:
        "With --socket the default is never. With --attach it applies to a service that is started; the default is \(SharedService.idleSeconds)."
    ))
  var idleTimeout: Double?

  @Option(help: "Serve the page and MLflow's API over HTTP, too, at this address and port.")
  var http: String?

  /// How `--attach` starts a service: with a session of its own and out of everybody's directories.
  @Flag(help: .hidden)
  var apart = false

  @OptionGroup var web: WebOptions

  @Option(help: ArgumentHelp("Send every trace to this OpenTelemetry collector.", valueName: "url"))
  var otlp: String?

  @Option(
    help: ArgumentHelp(
      "Keep runs at this MLflow server; the local store buffers them.", valueName: "url"))
  var trackingURI: String?

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @OptionGroup var keys: KeyOptions
  @OptionGroup var durable: DurabilityOption

  @Option(help: "The largest message that is accepted, in bytes.")
  var maxMessage = 64 << 20

  @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.", transform: readLogLevel)
  var logLevel = Logger.Level.notice

  func validate() throws {
    if attach, socket != nil || http != nil || otlp != nil || !keys.allowKey.isEmpty {
      throw ValidationError(
        "--attach joins a service that is apart; --socket, --http, --otlp and --allow-key are for that service.")
    }
    if let idleTimeout, !(idleTimeout > 0 && idleTimeout < 1e9) {
      throw ValidationError("--idle-timeout should be a number of seconds.")
    }
    if idleTimeout != nil, !attach, socket == nil {
      throw ValidationError("--idle-timeout goes with --socket or --attach.")
    }
  }

  func run() async throws {
    try await reporting {
      var options = CommonOptions()
      options.home = home
      if attach {
        let descriptor = try SharedService.connect(
          home: options.homeDirectory, idleSeconds: idleTimeout, durability: durable.durability)
        return try BytePump(input: STDIN_FILENO, output: STDOUT_FILENO, socket: descriptor).run()
      }
      if apart {
        _ = setsid()
        _ = chdir("/")
      }
      Memory.returnLargePieces()
      let service = Service(
        home: options.homeDirectory, logger: standardErrorLogger(level: logLevel),
        keyRules: KeyRules(grants: keys.allowKey), durability: durable.durability)
      var limits = ConnectionLimits()
      limits.message = maxMessage
      let exporter = try await startExporter(service)
      let mirror = try await startMirror(service)
      let page = try await http.map(web.configuration)?.start(service)
      if let page { service.logger.notice("The page is at \(page.url)") }
      var status: Int32 = 0
      if let socket {
        try await listen(at: socket, service, limits)
      } else {
        status = try await serveStandardStreams(service, limits)
      }
      await page?.stop()
      await service.workspace.drain()
      await exporter?.stop()
      await mirror?.stop()
      await service.close()
      if status != 0 { throw ExitCode(status) }
    }
  }

  private func startExporter(_ service: Service) async throws(HoneError) -> TraceExporter? {
    guard let otlp else { return nil }
    let exporter = try await TraceExporter.start(
      to: otlp, store: try await service.madeStore(), version: Service.version, logger: service.logger)
    if exporter == nil {
      service.logger.notice("Another process sends this store's traces to \(otlp) already")
    }
    return exporter
  }

  private func startMirror(_ service: Service) async throws(HoneError) -> MLflowMirror? {
    guard let trackingURI else { return nil }
    let mirror = try await MLflowMirror.start(
      to: trackingURI, store: try await service.madeStore(), version: Service.version, logger: service.logger)
    service.use(mirror)
    return mirror
  }

  /// - Returns: the status to end with.
  private func serveStandardStreams(_ service: Service, _ limits: ConnectionLimits) async throws -> Int32 {
    let streams = try StandardStreams.claim()
    let directory = FileManager.default.currentDirectoryPath
    let home = service.home
    service.leaveDetached { method, params throws(HoneError) in
      try await SharedService.ask(method, params, home: home)
    }
    let ending = ConnectionReference()
    let asked = Mutex<Int32?>(nil)
    let session = Session(service: service, extensions: [Editor.self], baseDirectory: directory) { status in
      asked.withLock { $0 = $0 ?? status }
      // What is answered already is still written.
      Task { await ending.connection?.finish() }
    }
    let connection = Connection(streams, handler: session, limits: limits)
    ending.connection = connection
    let signals = TerminationSignals {
      connection.refuseFurther()
      Task {
        await service.workspace.drain()
        await connection.finish()
      }
    }
    connection.start()
    await connection.waitUntilFinished()
    // Detached works go on when the client has left, unless it wanted an end.
    let status = asked.withLock { $0 }
    if status == nil { await service.workspace.waitUntilIdle() }
    withExtendedLifetime(signals) {}
    return status ?? 0
  }

  private func listen(at path: String, _ service: Service, _ limits: ConnectionLimits) async throws {
    let logger = service.logger
    let directory = FileManager.default.currentDirectoryPath
    let loop = try EventLoop()
    let connections = OpenConnections()
    let server = try UnixSocketServer(path: path, loop: loop, report: { logger.warning("\($0)") }) { stream in
      // Relative paths are the client's, so they count from where the client is.
      let here = stream.peerProcess.flatMap(workingDirectory) ?? directory
      let ending = ConnectionReference()
      let session = Session(service: service, extensions: [Editor.self], baseDirectory: here, watchesClient: false) {
        _ in
        ending.connection?.close(cancelling: true)
      }
      let connection = Connection(stream, handler: session, limits: limits)
      ending.connection = connection
      connections.add(connection)
      connection.start()
    }
    // Who reads that it listens may tell it to end at once.
    let (ending, end) = AsyncStream<Void>.makeStream()
    let signals = TerminationSignals {
      // At once, and not behind the work that waits for a thread.
      connections.refuseFurther()
      end.finish()
    }
    logger.notice("Listening at \(path)")
    let leaving = idleTimeout.map { seconds in
      Task {
        await SharedService.waitUntilUnused(server, service, home: service.home, seconds: seconds)
        guard !Task.isCancelled else { return }
        logger.notice("Ending: nobody was connected for \(seconds) s")
        end.finish()
      }
    }
    for await _ in ending {}
    leaving?.cancel()
    withExtendedLifetime(signals) {}
    server.close()
    await service.workspace.drain()
    await connections.finish()
    loop.stop()
  }
}

extension MLflowMirror: Upstream {}

func readLogLevel(_ word: String) throws -> Logger.Level {
  guard let level = Logger.Level(rawValue: word) else {
    throw ValidationError("There is no log level \"\(word)\".")
  }
  return level
}
