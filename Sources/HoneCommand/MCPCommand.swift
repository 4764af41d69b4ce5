import ArgumentParser
import Failures
import Foundation
import HTTPModels
import HoneService
import JSON
import JSONRPC
import Jobs
import Logging
import Schema

/// `hone mcp`.
struct MCPCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mcp",
    abstract: "Offer the methods as tools to coding agents (Model Context Protocol, on standard input and output).",
    discussion: """
      An agent's settings name the command: {"mcpServers": {"hone": {"command": "hone", "args": ["mcp", "--home", "…"]}}}. \
      Relative paths count from where the agent starts it. Calls with detach run in the service that hone serve --attach \
      joins, and outlive the agent.
      """)

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "How many model calls a request without a budget may make.")
  var maxCalls = AgentBudget().maxCalls

  @Option(help: "How many US dollars a request without a budget may cost, where prices are known.")
  var maxCost = AgentBudget().maxCost

  @OptionGroup var keys: KeyOptions

  @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.", transform: readLogLevel)
  var logLevel = Logger.Level.warning

  func run() async throws {
    try await reporting {
      var options = CommonOptions()
      options.home = home
      let homeDirectory = options.homeDirectory
      let service = Service(
        home: homeDirectory, logger: standardErrorLogger(level: logLevel), keyRules: KeyRules(grants: keys.allowKey))
      let streams = try StandardStreams.claim()
      let directory = FileManager.default.currentDirectoryPath
      // Work that nobody waits for any more spends no more; its run can be resumed. What ends in a moment may end.
      let leave: @Sendable () -> Void = {
        Task {
          try? await Task.sleep(for: .seconds(1))
          await service.workspace.drain()
        }
      }
      let session = AgentSession(budget: AgentBudget(maxCalls: maxCalls, maxCost: maxCost), onEnd: leave) {
        method, params, progress in
        // What belongs to the session is not the agent's to say.
        var frame = RequestFrame()
        frame.restrictsKeys = true
        frame.baseDirectory = .string(directory)
        let own = RequestFrame.stripped(params)
        if Detaching(.object(own)).detach {
          return try await SharedService.ask(method, own.merging(frame.jsonObject), home: homeDirectory)
        }
        var environment = CallEnvironment(progress: progress, baseDirectory: directory)
        environment.asker.isTrustedOnLoopback = false
        return try await service.call(method, own, in: environment)
      }
      let connection = Connection(streams, handler: session, framing: .lines)
      let signals = TerminationSignals {
        Task {
          await service.workspace.drain()
          connection.close(cancelling: true)
        }
      }
      connection.start()
      await connection.waitUntilFinished()
      await service.close()
      withExtendedLifetime(signals) {}
    }
  }
}

/// Whether a call is to go on without the agent.
private struct Detaching: ForeignRecord {
  static let members: [Member<Self>] = [Member("detach", \.detach)]
  var detach = false
}
