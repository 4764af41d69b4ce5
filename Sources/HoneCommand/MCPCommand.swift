import ArgumentParser
import Failures
import Foundation
import HTTPModels
import HoneService
import JSON
import JSONRPC
import Jobs
import LanguageModels
import Logging
import Platform
import Schema

/// `hone mcp`.
struct MCPCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mcp",
    abstract: "Offer the methods as tools to coding agents (Model Context Protocol, on standard input and output).",
    discussion: """
      An agent's settings name the command: {"mcpServers": {"hone": {"command": "hone", "args": ["mcp", "--home", "…"]}}}. \
      The limits hold for all requests of one agent together, from its start to its end, and no request can lift them. \
      Calls with detach run in the service that hone serve --attach joins, and outlive the agent.
      """)

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(
    help: ArgumentHelp(
      "The only directory whose files the agent may name, and from which its relative paths count.",
      discussion: "The working directory unless given."), completion: .directory)
  var root: String?

  @Option(help: "How many model calls the agent may make.")
  var maxCalls = AgentTerms.limits.maxCalls ?? 0

  @Option(help: "How many tokens the agent may use.")
  var maxTokens = AgentTerms.limits.maxTokens ?? 0

  @Option(
    help: ArgumentHelp(
      "How many US dollars the agent may spend. If given, models are refused whose list price is not known.",
      discussion: "Unless given, 2 where prices are known; other models are bounded by calls and tokens."))
  var maxCost: Double?

  @Option(help: "How many seconds the agent's requests may be at work.")
  var maxSeconds = AgentTerms.limits.maxSeconds ?? 0

  @OptionGroup var keys: KeyOptions
  @OptionGroup var durable: DurabilityOption

  @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.", transform: readLogLevel)
  var logLevel = Logger.Level.warning

  func validate() throws {
    guard maxCalls >= 0, maxTokens >= 0, maxCost ?? 0 >= 0, maxSeconds >= 0 else {
      throw ValidationError("A limit is not less than 0.")
    }
  }

  func run() async throws {
    try await reporting {
      var options = CommonOptions()
      options.home = home
      let homeDirectory = options.homeDirectory
      let service = Service(
        home: homeDirectory, logger: standardErrorLogger(level: logLevel), keyRules: KeyRules(grants: keys.allowKey),
        durability: durable.durability)
      guard let enclosure = Enclosure(root ?? FileManager.default.currentDirectoryPath) else {
        throw HoneError(.invalidParams, "--root: \(root ?? "the working directory") is no directory.")
      }
      let limits = Budget.Limits(
        maxCalls: maxCalls, maxTokens: maxTokens, maxCost: maxCost ?? AgentTerms.limits.maxCost, maxSeconds: maxSeconds)
      let terms = AgentTerms(
        ceiling: SpendingCeiling(limits, refusesUnknownPrices: maxCost != nil), root: enclosure)
      let streams = try StandardStreams.claim()
      // Work that nobody waits for any more spends no more; its run can be resumed. What ends in a moment may end.
      let leave: @Sendable () -> Void = {
        Task {
          try? await Task.sleep(for: .seconds(1))
          await service.workspace.drain()
        }
      }
      let work = AgentWork(service, terms: terms) { method, params throws(HoneError) in
        try await SharedService.ask(method, params, home: homeDirectory)
      }
      let session = AgentSession(work, onEnd: leave)
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
