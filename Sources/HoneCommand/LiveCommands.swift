import ArgumentParser
import JSON

/// `hone resume`.
struct ResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Go on with a compile or evaluation that ended before its time.",
    discussion: """
      The run is done again from the top; answers that it has paid for are not asked for twice, so it comes to where it \
      was in no time and ends as if nothing had happened. Limits count for the whole run, what was spent before included.
      """)

  @Argument(help: "The run's id; hone runs shows it.", completion: Candidates.runs)
  var run: String

  @OptionGroup var limits: LimitOptions
  @OptionGroup var common: CommonOptions

  @Option(name: [.short, .long], help: "Write the best program to this file.")
  var output: String?

  func run() async throws {
    let params = limits.changes(to: run)
    try await reporting {
      let result = try await Caller(common).call("resumeRun", params, progress: TerminalProgress())
      if let output, let state = result["program"] { try writeText(output, state.text(.indented) + "\n") }
      try WorkReport.show(result, json: common.json)
    }
  }
}

/// `hone watch`.
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Follow a run until it ends, and show its result.",
    discussion: "The run may be another process's; Ctrl-C ends the watching, not the run.")

  @Argument(help: "The run's id.", completion: Candidates.runs)
  var run: String

  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await reporting {
      let result = try await Caller(common).call("watchRun", ["runId": .string(run)], progress: TerminalProgress())
      try WorkReport.show(result, json: common.json)
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

  func run() async throws {
    try await reporting {
      let result = try await Caller(common).call("cancelRun", ["runId": .string(run)])
      print(common.json ? result.text(.indented) : WorkReport.text(result))
    }
  }
}
