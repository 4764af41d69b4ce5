import ArgumentParser
import JSON

/// `hone runs`.
struct RunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Show runs as a tree of parents and children.")

  @OptionGroup var common: CommonOptions

  @Option(help: "Only this experiment.")
  var experiment: String?

  @Option(help: "Only the children of this run.", completion: Candidates.runs)
  var parent: String?

  @Option(help: "MLflow's filter language: metrics.eval > 50 and tags.hone.kind = 'compile'.")
  var filter: String?

  @Option(help: "Such as \"metrics.eval DESC\"; may stand several times.")
  var orderBy: [String] = []

  @Option(name: [.short, .long], help: "How many runs at most.")
  var limit = 200

  func run() async throws {
    var request: JSONObject = ["maxResults": .int(min(max(limit, 1), 1000))]
    if let experiment { request["experiment"] = .string(experiment) }
    if let parent { request["parentRunId"] = .string(parent) }
    if let filter { request["filter"] = .string(filter) }
    if !orderBy.isEmpty { request["orderBy"] = .array(orderBy.map(JSONValue.string)) }
    let params = request
    try await reporting {
      let result = try await Caller(common).call("listRuns", params)
      print(common.json ? result.text(.indented) : tree(result["runs"]?.arrayValue ?? []))
    }
  }

  private func tree(_ runs: [JSONValue]) -> String {
    if runs.isEmpty { return "no runs" }
    var rows = [["run", "name", "status", "score", "started", "seconds"]]
    let ids = Set(runs.compactMap { $0["runId"]?.stringValue })
    func add(_ run: JSONValue, prefix: String) {
      let metrics = run["metrics"]
      let score = metrics?["score"] ?? metrics?["eval"]
      rows.append([
        prefix + (run["runId"]?.stringValue ?? ""), run["name"]?.stringValue ?? "", run["status"]?.stringValue ?? "",
        CompileReport.number(score), String((run["startTime"]?.stringValue ?? "").prefix(19)),
        CompileReport.number(run["duration"]),
      ])
      // Children come in the order they were made; a listing has the newest first.
      let children = runs.filter { $0["parentRunId"] == run["runId"] && run["runId"] != nil }
      for (index, child) in children.reversed().enumerated() {
        add(child, prefix: index == children.count - 1 ? "└─ " : "├─ ")
      }
    }
    for run in runs where run["parentRunId"]?.stringValue.map({ !ids.contains($0) }) ?? true { add(run, prefix: "") }
    var text = columns(rows)
    for run in runs {
      guard let command = run["resumeCommand"]?.stringValue else { continue }
      let status = run["tags"]?["hone.status"]?.stringValue ?? run["status"]?.stringValue ?? ""
      text += "\n\(run["runId"]?.stringValue ?? "") (\(status)) goes on with: \(command)"
    }
    return text
  }
}
