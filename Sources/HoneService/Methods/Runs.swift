import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listRuns = Method(
    "listRuns", "Lists runs, in MLflow's filter language, newest first unless ordered otherwise.",
    [
      Parameter("experiment", Shape.string, "An experiment's name; all experiments unless given."),
      Parameter("experimentId", Shape.string, "An experiment's id."),
      Parameter("parentRunId", Shape.string, "Only children of this run."),
      Parameter("filter", Shape.string, "Such as metrics.eval > 50 and tags.hone.kind = 'compile'."),
      Parameter("orderBy", Shape.array(Shape.string), "Such as [\"metrics.eval DESC\"]."),
      Parameter("view", ["enum": ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]], "Active runs unless said."),
      Parameter(
        "select", Shape.array(Shape.string),
        "What of each run comes along, such as metrics.eval, params.*, inputs; everything unless given."),
      Parameter("maxResults", Shape.integer, "How many a page has; 100 unless said, 1000 at most."),
      Parameter("pageToken", Shape.string, "The nextPageToken of the page before."),
    ],
    result: Shape.object(["runs": Shape.array(Shape.reference("Run")), "nextPageToken": Shape.optionalString]),
    example: ["experiment": "Default", "filter": "metrics.score > 50", "orderBy": ["metrics.score DESC"]],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let name = fields.string("experiment")
    let id = fields.string("experimentId")
    let parent = fields.string("parentRunId")
    var filter = fields.string("filter") ?? ""
    let orderBy = fields.strings("orderBy") ?? []
    let view = fields.choice("view", of: ViewType.allCases.map(\.rawValue)).flatMap(ViewType.init) ?? .activeOnly
    let selection = RunSelection(fields)
    let maxResults = fields.int("maxResults", in: 1...1000) ?? 100
    let pageToken = fields.string("pageToken")
    if let parent, !isRunID(parent) { fields.problems.add("parentRunId", "A run's id has 32 hexadecimal digits.") }
    try fields.check("listRuns")
    let store = try await service.store()
    var ids: [String]?
    if let name { ids = [try await known(store, name).id] }
    if let id { ids = [id] }
    if let parent {
      let clause = "tags.mlflow.parentRunId = '\(parent)'"
      filter = filter.isEmpty ? clause : "(\(filter)) AND \(clause)"
    }
    let page = try await store.searchRuns(
      experimentIDs: ids, filter: filter, orderBy: orderBy, view: view, maxResults: maxResults, pageToken: pageToken)
    let children = try await store.childCounts(of: page.items.map(\.id))
    let shown = try await service.shown(page.items, store)
    let runs = zip(page.items, shown).map { run, whole in
      var object = selection?(whole) ?? whole
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
    [
      Parameter("runId", required: true, Shape.string, "The run's id."),
      Parameter("history", Shape.boolean, "Whether every metric's values by step come along; no unless said."),
    ],
    result: Shape.object([
      "run": Shape.reference("Run"), "history": Shape.anyObject, "children": Shape.integer, "home": Shape.string,
    ]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "history": true],
    isForPages: true
  ) { service, fields, environment throws(HoneError) in
    let id = fields.requiredString("runId")
    let wantsHistory = fields.bool("history") ?? false
    try fields.check("getRun")
    let store = try await service.store()
    let run = try await store.run(id ?? "")
    var object: JSONObject = ["run": .object(try await service.shown([run], store)[0])]
    object["children"] = .int(try await store.childCounts(of: [run.id])[run.id] ?? 0)
    // Where the store is, for the commands that name it.
    object["home"] = .string(
      service.home.hasPrefix("/") ? service.home : environment.baseDirectory + "/" + service.home)
    if wantsHistory {
      var history = JSONObject()
      for metric in run.metrics {
        let page = try await store.metricHistory(run: run.id, key: metric.key, maxResults: 10_000)
        history[metric.key] = .array(
          page.items.map { point in
            [
              "step": .int(point.step), "value": point.value.isFinite ? .double(point.value) : .string("\(point.value)"),
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
    [
      Parameter("runId", required: true, Shape.string, "The run's id."),
      Parameter("restore", Shape.boolean, "Whether to restore it instead."),
    ],
    result: Shape.object(["runId": Shape.string, "lifecycleStage": Shape.string]),
    example: ["runId": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.requiredString("runId")
    let restores = fields.bool("restore") ?? false
    try fields.check("deleteRun")
    let store = try await service.store()
    if restores { try await store.restoreRun(id ?? "") } else { try await store.deleteRun(id ?? "") }
    return ["runId": JSONValue(id), "lifecycleStage": restores ? "active" : "deleted"]
  }

  static let listExperiments = Method(
    "listExperiments", "Lists experiments, the latest first, each with how many runs it has and when the last began.",
    [
      Parameter("maxResults", Shape.integer, "How many a page has; 100 unless said."),
      Parameter("pageToken", Shape.string, "The nextPageToken of the page before."),
    ],
    result: Shape.object(["experiments": Shape.array(Shape.anyObject), "nextPageToken": Shape.optionalString]),
    example: [:],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let maxResults = fields.int("maxResults", in: 1...1000) ?? 100
    let pageToken = fields.string("pageToken")
    try fields.check("listExperiments")
    let store = try await service.store()
    let page = try await store.experiments(maxResults: maxResults, pageToken: pageToken)
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
