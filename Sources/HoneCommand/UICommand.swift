import ArgumentParser
import Foundation
import HoneService
import HoneWeb
import Jobs
import Logging
import MLflow
import Platform
import Terminal

/// `hone ui`: the page, and MLflow's REST API, over a store.
struct UICommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ui", abstract: "Show experiments, runs and traces in the browser, and serve MLflow's clients.",
    discussion: """
      Only your own programs on this machine have access. Other users, and all clients on another address, need the \
      token, which is kept in the home directory.
      """)

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port; 0 takes a free one.")
  var port = 5000

  @Flag(help: "Serve MLflow's own page, from an installed mlflow package, over this store.")
  var mlflow = false

  @Option(help: ArgumentHelp("Where the mlflow package is.", discussion: "Else the one that python3 imports."))
  var mlflowPackage: String?

  @OptionGroup var web: WebOptions

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @OptionGroup var durable: DurabilityOption

  func run() async throws {
    try await reporting {
      Memory.returnLargePieces()
      var options = CommonOptions()
      options.home = home
      let service = Service(
        home: options.homeDirectory, logger: standardErrorLogger(level: .notice), durability: durable.durability)
      // A store that cannot be opened is told here, not to the first visitor.
      _ = try await service.store()
      var configuration = web.configuration(host: host, port: port)
      if mlflow || mlflowPackage != nil { configuration.mlflow = try MLflowAssets(path: mlflowPackage) }
      let server = try await configuration.start(service)
      TerminalOutput.standard.line("Hone is at \(server.invitation)")
      TerminalOutput.standard.line("For MLflow's clients: export MLFLOW_TRACKING_URI=\(server.url)")
      if let file = server.tokenFile {
        TerminalOutput.standard.line("With the token: export MLFLOW_TRACKING_TOKEN=\"$(cat '\(file)')\"")
      }
      let (ending, end) = AsyncStream<Void>.makeStream()
      let signals = TerminationSignals { end.finish() }
      for await _ in ending {}
      withExtendedLifetime(signals) {}
      await server.stop()
      await service.close()
    }
  }
}
