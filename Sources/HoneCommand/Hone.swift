import ArgumentParser
import Foundation
import HoneService
import Logging
import Terminal

/// The command `hone`.
@main
struct Hone: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hone",
    abstract: "Optimizes language-model programs, and tracks what was tried and why the best one won.",
    version: Service.version,
    subcommands: [
      ServeCommand.self, CompileCommand.self, EvaluateCommand.self, PredictCommand.self, ResumeCommand.self,
      WatchCommand.self, CancelCommand.self, RunsCommand.self, TraceCommand.self, CallCommand.self,
      BatchCommand.self, OptimizersCommand.self, MetricsCommand.self,
      ModelsCommand.self, DoctorCommand.self, GarbageCommand.self, MCPCommand.self, UICommand.self, KeysCommand.self,
      ExportCommand.self,
      ImportCommand.self,
      CompletionsCommand.self,
    ])

  /// Runs the command that the arguments name. Help and messages about wrong arguments, which repeat them, are written
  /// like all other text.
  static func main() async {
    LoggingSystem.bootstrap(TerminalLog.init)
    do {
      var command = try await asyncParseAsRoot()
      if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
      leave(0)
    } catch {
      let (text, status) = (fullMessage(for: error), exitCode(for: error))
      if !text.isEmpty { (status.isSuccess ? TerminalOutput.standard : .errors).line(text) }
      leave(status.rawValue)
    }
  }

  /// Ends the process: as a failure where what was printed did not arrive.
  private static func leave(_ status: Int32) -> Never {
    if let reason = TerminalOutput.standard.failure {
      TerminalOutput.errors.line("hone: standard output cannot be written: \(reason)")
      Foundation.exit(status == 0 ? 1 : status)
    }
    Foundation.exit(status)
  }
}
