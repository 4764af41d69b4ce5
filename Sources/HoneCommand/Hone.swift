import ArgumentParser
import HoneService

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
}
