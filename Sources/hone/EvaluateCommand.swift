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
    if let devset { request["devset"] = work.placed(try datasetValue(devset, "--devset")) }
    let params = request
    try await reporting {
      let result = try await Caller(common).call(
        "evaluate", params, from: work.directory, progress: TerminalProgress())
      print(common.json ? result.text(.indented) : text(result))
      if result["status"]?.stringValue == "BUDGET_EXHAUSTED" { throw ExitCode(4) }
    }
  }

  private func text(_ result: JSONValue) -> String {
    var lines: [String] = []
    if result["simulated"]?.boolValue == true { lines.append("(simulated model)") }
    lines.append(
      "score \(CompileReport.number(result["score"])) \(CompileReport.interval(result["interval"])) on \(result["count"]?.text() ?? "0") examples, \(result["failed"]?.text() ?? "0") failed")
    for row in (result["results"]?.arrayValue ?? []).filter({ $0["error"] != nil }).prefix(5) {
      lines.append(
        "  row \(row["index"]?.text() ?? ""): \(row["error"]?["message"]?.stringValue ?? "") \(row["traceId"]?.stringValue ?? "")")
    }
    if let run = result["runId"]?.stringValue { lines.append("run \(run)") }
    return lines.joined(separator: "\n")
  }
}
