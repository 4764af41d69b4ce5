import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listRuns = Method(
    "listRuns", "Lists runs, in MLflow's filter language, newest first unless ordered otherwise.",
    takes: ListRunsRequest.self,
    result: Shape.object(["runs": Shape.array(Shape.reference("Run")), "nextPageToken": Shape.optionalString]),
    example: ["experiment": "Default", "filter": "metrics.score > 50", "orderBy": ["metrics.score DESC"]],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var ids: [String]?
    if let name = request.experiment { ids = [try await known(store, name).id] }
    if let id = request.experimentId { ids = [id] }
    let page = try await store.searchRuns(
      experimentIDs: ids, filter: request.wholeFilter, orderBy: request.orderBy, view: request.view,
      maxResults: request.maxResults, pageToken: request.pageToken)
    let children = try await store.childCounts(of: page.items.map(\.id))
    let shown = try await service.shown(page.items, store)
    let runs = zip(page.items, shown).map { run, whole in
      var object = request.select?(whole) ?? whole
      object["children"] = .int(children[run.id] ?? 0)
      return JSONValue.object(object)
    }
    return ["runs": .array(runs), "nextPageToken": JSONValue(page.nextPageToken)]
  }

  static func known(_ store: TrackingStore, _ name: String) async throws(HoneError) -> Experiment {
    if let experiment = try await store.findExperiment(named: name) { return experiment }
    let names = try await store.experiments().items.map(\.name)
    let hint = nearest(to: name, among: names).map { " Did you mean \"\($0)\"?" } ?? ""
    throw HoneError(.notFound, "There is no experiment \"\(name)\".\(hint)", remedy: "listExperiments shows them.")
  }

  static let getRun = Method(
    "getRun", "One run: its parameters, metrics, tags, data sets and, on request, the course of its metrics.",
    takes: GetRunRequest.self,
    result: Shape.object([
      "run": Shape.reference("Run"), "history": Shape.anyObject, "children": Shape.integer, "home": Shape.string,
    ]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "history": true],
    isForPages: true
  ) { service, request, environment throws(HoneError) in
    let store = try await service.store()
    let run = try await store.run(request.runId)
    var object: JSONObject = ["run": .object(try await service.shown([run], store)[0])]
    object["children"] = .int(try await store.childCounts(of: [run.id])[run.id] ?? 0)
    // Where the store is, for the commands that name it.
    object["home"] = .string(
      service.home.hasPrefix("/") ? service.home : environment.baseDirectory + "/" + service.home)
    if request.history {
      var history = JSONObject()
      for metric in run.metrics {
        let page = try await store.metricHistory(run: run.id, key: metric.key, maxResults: 10_000)
        history[metric.key] = .array(
          page.items.map { point in
            [
              "step": .int(point.step), "value": JSONValue(numberOrText: point.value),
              "timestamp": .string(rfc3339(milliseconds: point.timestamp)),
            ]
          })
      }
      object["history"] = .object(history)
    }
    return .object(object)
  }

  static let deleteRun = Method(
    "deleteRun", "Marks a run as deleted, or restores it.",
    takes: DeleteRunRequest.self,
    result: Shape.object(["runId": Shape.string, "lifecycleStage": Shape.string]),
    example: ["runId": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let id = request.runId
    let store = try await service.store()
    if request.restore { try await store.restoreRun(id) } else { try await store.deleteRun(id) }
    return ["runId": .string(id), "lifecycleStage": request.restore ? "active" : "deleted"]
  }

  static let listExperiments = Method(
    "listExperiments", "Lists experiments, the latest first, each with how many runs it has and when the last began.",
    takes: PageRequest.self,
    result: Shape.object(["experiments": Shape.array(Shape.anyObject), "nextPageToken": Shape.optionalString]),
    example: [:],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let page = try await store.experiments(maxResults: request.maxResults, pageToken: request.pageToken)
    let activity = try await store.experimentActivity()
    let experiments = page.items.map { experiment in
      var object = experiment.json
      let found = activity[experiment.id] ?? ExperimentActivity()
      object["runs"] = .int(found.runs)
      object["topRuns"] = .int(found.topRuns)
      object["running"] = .int(found.running)
      object["lastRunTime"] = JSONValue(found.lastStart.map(rfc3339(milliseconds:)))
      return JSONValue.object(object)
    }
    return ["experiments": .array(experiments), "nextPageToken": JSONValue(page.nextPageToken)]
  }
}

struct ListRunsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experiment", \.experiment, "An experiment's name; all experiments unless given."),
    Member("experimentId", \.experimentId, "An experiment's id."),
    Member("parentRunId", \.parentRunId, "Only children of this run."),
    Member("filter", \.filter, "Such as metrics.eval > 50 and tags.hone.kind = 'compile'."),
    Member("orderBy", \.orderBy, "Such as [\"metrics.eval DESC\"]."),
    Member("view", \.view, "Whether deleted runs are listed."),
    Member(
      "select", \.select,
      "What of each run comes along, such as metrics.eval, params.*, inputs; everything unless given."),
    .maxResults(\.maxResults),
    .pageToken(\.pageToken),
  ]
  var experiment: String?
  var experimentId: String?
  var parentRunId: String?
  var filter = ""
  var orderBy: [String] = []
  var view = ViewType.activeOnly
  var select: RunSelection?
  var maxResults = 100
  var pageToken: String?

  /// The filter with the parent's as part of it.
  var wholeFilter: String {
    guard let parentRunId else { return filter }
    let clause = "tags.mlflow.parentRunId = '\(parentRunId)'"
    return filter.isEmpty ? clause : "(\(filter)) AND \(clause)"
  }

  mutating func settle(_ fields: FieldReader) {
    if let parentRunId, !isRunID(parentRunId) {
      fields.problems.add("parentRunId", "A run's id has 32 hexadecimal digits.")
    }
  }
}

extension ViewType: SchemaChoice {}

struct GetRunRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId), Member("history", \.history, "Whether every metric's values by step come along."),
  ]
  var runId = ""
  var history = false
}

struct DeleteRunRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId), Member("restore", \.restore, "Whether to restore it instead."),
  ]
  var runId = ""
  var restore = false
}

struct PageRequest: SchemaObject {
  static let members: [Member<Self>] = [.maxResults(\.maxResults), .pageToken(\.pageToken)]
  var maxResults = 100
  var pageToken: String?
}

extension Service {
  /// Runs as they are sent; those that ended before their time say how they go on.
  func shown(_ runs: [Run], _ store: TrackingStore) async throws(HoneError) -> [JSONObject] {
    let unfinished = runs.filter { [.killed, .failed, .running].contains($0.info.status) }.map(\.id)
    var resumable = unfinished.isEmpty ? [] : try await store.runsWithRequests(unfinished)
    for run in runs where run.info.status == .running && resumable.contains(run.id) {
      if try await store.processWorking(on: run.id) != nil { resumable.remove(run.id) }
    }
    return runs.map { run in
      var object = run.json
      if resumable.contains(run.id) { object["resumeCommand"] = .string(resumeCommand(run.id, home: home)) }
      return object
    }
  }
}
