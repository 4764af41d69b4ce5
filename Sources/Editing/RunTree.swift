import Evaluation
import Failures
import HoneService
import JSON
import Jobs
import Schema
import Statistics
import Tracking

/// `hone.runs`: runs as a tree, ready to be shown.
enum RunTree {
  static func json(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let limit = min(max(arguments.limit, 1), 50_000)
    let store = try await call.service.store()
    var experiment = arguments.experiment
    var filter = "tags.mlflow.parentRunId IS NULL"
    if let uri = try arguments.optionalURI() {
      let document = try call.editor.document(uri)
      if arguments.onlyFile {
        filter = FileRuns.filter(document.path ?? uri)
      } else if experiment == nil {
        experiment = (try? document.members()).map {
          RunSetup.known(from: FieldReader($0, problems: ProblemList())).experiment
        }
      }
    }
    var ids: [String]?
    if let experiment {
      guard let found = try await store.findExperiment(named: experiment) else {
        return ["experiment": .string(experiment), "runs": [], "more": false]
      }
      ids = [found.id]
    }
    let runs = try await store.searchRuns(
      experimentIDs: ids, filter: filter, orderBy: ["attributes.start_time DESC"], maxResults: limit)
    var nodes: [JSONValue] = []
    for run in runs.items { nodes.append(try await node(run, store)) }
    let more = runs.nextPageToken != nil
    return ["experiment": JSONValue(experiment), "runs": .array(nodes), "more": .bool(more)]
  }

  private static func node(_ run: Run, _ store: TrackingStore) async throws(HoneError) -> JSONValue {
    let interval = await store.interval(of: run)
    var label = run.info.name
    if let score = run.score { label += "  " + scoreText(score, interval) }
    if run.outcome != "FINISHED" { label += "  " + run.outcome }
    let record = RunRecord(run)
    var node: JSONObject = [
      "runId": .string(run.id), "name": .string(run.info.name), "label": .string(label), "kind": .string(run.kind),
      "status": .string(run.outcome), "score": JSONValue(run.score),
      "interval": interval?.jsonValue ?? .null,
      "startTime": .string(record.startTime), "duration": JSONValue(record.duration),
    ]
    if let file = run.tags.value(of: HoneTag.file) { node.append("file", .string(file)) }
    var children: [JSONValue] = []
    for child in try await store.children(of: run.id).prefix(1000) {
      children.append(try await self.node(child, store))
    }
    node.append("children", .array(children))
    return .object(node)
  }
}
