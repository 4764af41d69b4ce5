import ArgumentParser
import Failures
import HoneService
import Jobs
import JSON
import Schema
import Terminal
import Tracking

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

  @Option(help: "Such as \"metrics.eval DESC\"; may be repeated.")
  var orderBy: [String] = []

  @Option(name: [.short, .long], help: "How many runs at most.")
  var limit = 200

  func run() async throws {
    var request: JSONObject = ["maxResults": .int(min(max(limit, 1), 1000))]
    request.set([
      "experiment": experiment.map(JSONValue.string), "parentRunId": parent.map(JSONValue.string),
      "filter": filter.map(JSONValue.string), "orderBy": orderBy.isEmpty ? nil : orderBy.jsonValue,
    ])
    let params = request
    try await reporting {
      let result = try await Caller(common).call("listRuns", params, inStore: true)
      guard !common.json, let listing = ListRunsResult(json: result) else {
        return TerminalOutput.standard.json(result)
      }
      if listing.runs.isEmpty { return TerminalOutput.standard.line(nothing(in: listing.home).visible) }
      TerminalOutput.standard.line(tree(listing.runs))
    }
  }

  private func nothing(in home: String) -> String {
    guard TrackingStore.isThere(in: home) else { return TrackingStore.missing(in: home).description }
    let isNarrowed = filter != nil || experiment != nil || parent != nil
    return isNarrowed ? "No such runs in \(home)." : "No runs in \(home)."
  }

  private func tree(_ runs: [RunRecord]) -> String {
    var rows = [["run", "name", "status", "score", "started", "seconds"]]
    let ids = Set(runs.map(\.runID))
    func add(_ run: RunRecord, prefix: String) {
      rows.append([
        prefix + run.runID, run.name, run.status, WorkReport.number(run.metric("score") ?? run.metric("eval")),
        String(run.startTime.prefix(19)), WorkReport.number(run.duration),
      ])
      // Children come in the order they were made; a listing has the newest first.
      let children = runs.filter { $0.parentRunID == run.runID }
      for (index, child) in children.reversed().enumerated() {
        add(child, prefix: index == children.count - 1 ? "└─ " : "├─ ")
      }
    }
    for run in runs where run.parentRunID.map({ !ids.contains($0) }) ?? true { add(run, prefix: "") }
    var text = columns(rows)
    for run in runs {
      guard let command = run.resumeCommand else { continue }
      text += "\n\(run.runID) (\(run.tag(HoneTag.status) ?? run.status)) goes on with: \(command)"
    }
    return text
  }
}
