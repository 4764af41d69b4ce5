import ArgumentParser
import HoneService
import JSON
import Jobs
import Schema
import Terminal

/// `hone evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Score a program on examples and track the evaluation.",
    discussion: """
      Status: 0 when it ran to its end and all that was asserted holds, 5 when something asserted does not hold, 2 for a \
      wrong request, 3 when the model could not be used, 4 when the budget was spent, 130 when interrupted.
      """)

  @OptionGroup var work: WorkOptions
  @OptionGroup var common: CommonOptions

  @Option(help: "gsm8k:test, word-problems:test, a file, or JSON.")
  var devset: String?

  @Option(
    name: .customLong("assert"), parsing: .singleValue,
    help: ArgumentHelp(
      "End with status 5 unless this holds, \(ScoreAssertion.help). Repeatable.", valueName: "assertion"))
  var assertions: [ScoreAssertion] = []

  @Option(
    help: "End with status 5 if the evaluation is clearly worse than this run's, row by row.",
    completion: Candidates.runs)
  var assertNoWorse: String?

  func run() async throws {
    var request = try work.request("evaluate")
    request.set(["devset": try devset.map { work.placed(try datasetValue($0, "--devset")) }])
    let params = try work.call(request, common)
    try await reporting {
      let result = try await Caller(common, keyRules: work.keyRules(common)).call(
        "evaluate", params, from: work.directory, progress: TerminalProgress())
      try WorkReport.show(result, json: common.json)
      try await check(result)
    }
  }

  /// Ends with status 5 where something that was asserted does not hold.
  private func check(_ result: JSONValue) async throws {
    guard !assertions.isEmpty || assertNoWorse != nil, let outline = JobOutline(json: result) else { return }
    var checks = assertions.map { $0.check(outline) }
    if let assertNoWorse, let run = outline.runID {
      let compared = try await Caller(common, keyRules: work.keyRules(common)).call(
        "compareRuns", ["runIds": [.string(assertNoWorse), .string(run)]], inStore: true)
      checks.append(NoWorse.check(CompareRunsResult(json: compared)?.comparisons.first, with: assertNoWorse))
    } else if let assertNoWorse {
      checks.append((false, "no worse than \(assertNoWorse): this evaluation is not tracked, so it cannot be compared"))
    }
    let output = common.json ? TerminalOutput.errors : TerminalOutput.standard
    for (holds, sentence) in checks { output.line("\(holds ? "holds" : "FAILS"): \(sentence.visibleLine)") }
    if checks.contains(where: { !$0.holds }) { throw ExitCode(assertionStatus) }
  }
}
