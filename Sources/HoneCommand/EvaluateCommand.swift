import ArgumentParser
import JSON

/// `hone evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Score a program on examples and track the evaluation.")

  @OptionGroup var work: WorkOptions
  @OptionGroup var common: CommonOptions

  @Option(help: "gsm8k:test, word-problems:test, a file, or JSON.")
  var devset: String?

  func run() async throws {
    var request = try work.request("evaluate")
    request.set(["devset": try devset.map { work.placed(try datasetValue($0, "--devset")) }])
    let params = try work.call(request, common)
    try await reporting {
      let result = try await Caller(common, keyRules: work.keyRules(common)).call(
        "evaluate", params, from: work.directory, progress: TerminalProgress())
      try WorkReport.show(result, json: common.json)
    }
  }
}
