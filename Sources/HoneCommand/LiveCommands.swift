import ArgumentParser
import JSON

/// `hone resume`.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Continue a compile or evaluation that ended early.",
    discussion: """
      The run starts over and reuses every answer it has paid for, so it is soon back where it was and ends with the same \
      result. Limits count for the whole run, including what was spent before.
      """)

  @Argument(help: "The run's id; hone runs shows it.", completion: Candidates.runs)
  var run: String

  @OptionGroup var limits: LimitOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var trials: TrialsOption

  @Option(name: [.short, .long], help: "Write the best program to this file.")
  var output: String?

  func run() async throws {
    let params = limits.changes(to: run)
    try await reporting {
      let result = try await Caller(common).call("resumeRun", params, inStore: true, progress: TerminalProgress())
      if let output, let state = result["program"] { try writeText(output, state.text(.indented) + "\n") }
      try WorkReport.show(result, json: common.json, showsAllTrials: trials.allTrials)
    }
  }
}

/// `hone watch`.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Follow a run until it ends, and show its result.",
    discussion: "The run may belong to another process. Ctrl-C stops watching; the run continues.")

  @Argument(help: "The run's id.", completion: Candidates.runs)
  var run: String

  @OptionGroup var common: CommonOptions
  @OptionGroup var trials: TrialsOption

  func run() async throws {
    try await reporting {
      let result = try await Caller(common).call(
        "watchRun", ["runId": .string(run)], inStore: true, progress: TerminalProgress())
      try WorkReport.show(result, json: common.json, showsAllTrials: trials.allTrials)
    }
  }
}

/// `hone cancel`.
struct CancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Stop a run, this process's or another's, and show the best so far.")

  @Argument(help: "The run's id.", completion: Candidates.runs)
  var run: String

  @OptionGroup var common: CommonOptions
  @OptionGroup var trials: TrialsOption

  func run() async throws {
    try await reporting {
      let result = try await Caller(common).call("cancelRun", ["runId": .string(run)], inStore: true)
      WorkReport.write(result, json: common.json, showsAllTrials: trials.allTrials)
    }
  }
}
