import Basics
import Failures
package import JSON
import Jobs
package import Schema
package import Tracking

extension Method {
  static let listRuns = Method(
    "listRuns", "Lists runs, in MLflow's filter language, newest first unless ordered otherwise.",
    takes: ListRunsRequest.self, gives: ListRunsResult.self,
    example: ["experiment": "Default", "filter": "metrics.score > 50", "orderBy": ["metrics.score DESC"]],
    isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var ids: [String]?
    if let name = request.experiment { ids = [try await known(store, name).id] }
    if let id = request.experimentId { ids = [id] }
    let page = try await store.searchRuns(
      experimentIDs: ids, filter: request.wholeFilter, orderBy: request.orderBy, view: request.view,
      maxResults: request.maxResults, pageToken: request.pageToken)
    let children = try await store.childCounts(of: page.items.map(\.id))
    var result = ListRunsResult()
    result.runs = try await service.shown(page.items, store).map { run in
      var run = request.select?(run) ?? run
      run.children = children[run.runID] ?? 0
      return run
    }
    result.nextPageToken = page.nextPageToken
    result.home = store.place
    return result
  }

  static func known(_ store: TrackingStore, _ name: String) async throws(HoneError) -> Experiment {
    if let experiment = try await store.findExperiment(named: name) { return experiment }
    let names = try await store.experiments().items.map(\.name)
    let hint = nearest(to: name, among: names).map { " Did you mean \"\($0)\"?" } ?? ""
    throw HoneError(.notFound, "There is no experiment \"\(name)\".\(hint)", remedy: "listExperiments shows them.")
  }

  static let getRun = Method(
    "getRun",
    "One run: its parameters, metrics, tags, data sets and, on request, the course of its metrics and the trials of its search.",
    takes: GetRunRequest.self, gives: GetRunResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef", "history": true], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let run = try await store.run(request.runId)
    var result = GetRunResult()
    result.run = try await service.shown([run], store)[0]
    result.children = try await store.childCounts(of: [run.id])[run.id] ?? 0
    result.home = store.place
    if request.trials { result.trials = try await store.trials(run: run.id) }
    guard request.history else { return result }
    var history: [String: [MetricValue]] = [:]
    for metric in run.metrics {
      let page = try await store.metricHistory(run: run.id, key: metric.key, maxResults: 10_000)
      history[metric.key] = page.items.map(MetricValue.init)
    }
    result.history = history
    return result
  }

  static let deleteRun = Method(
    "deleteRun", "Marks a run as deleted, or restores it.",
    takes: DeleteRunRequest.self, gives: DeleteRunResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let id = request.runId
    let store = try await service.store()
    if request.restore { try await store.restoreRun(id) } else { try await store.deleteRun(id) }
    var result = DeleteRunResult()
    result.runID = id
    result.lifecycleStage = request.restore ? "active" : "deleted"
    return result
  }

  static let listExperiments = Method(
    "listExperiments", "Lists experiments, the latest first, each with how many runs it has and when the last began.",
    takes: PageRequest.self, gives: ListExperimentsResult.self, example: [:], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let page = try await store.experiments(maxResults: request.maxResults, pageToken: request.pageToken)
    let activity = try await store.experimentActivity()
    var result = ListExperimentsResult()
    result.experiments = page.items.map { ExperimentRecord($0, activity[$0.id] ?? ExperimentActivity()) }
    result.nextPageToken = page.nextPageToken
    return result
  }
}

/// A page of runs.
package struct ListRunsResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("runs", \.runs, isAlwaysWritten: true, as: Schema(.array(Schema(.named("Run")))), "The runs."),
    Member("nextPageToken", \.nextPageToken, isAlwaysWritten: true, "Asks for the next page; null on the last."),
    Member("home", \.home, isAlwaysWritten: true, "The home directory of the store, whether or not it is there yet."),
  ]
  package var runs: [RunRecord] = []
  package var nextPageToken: String?
  package var home = ""

  package init() {}
}

/// One run.
package struct GetRunResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("run", \.run, isAlwaysWritten: true, as: Schema(.named("Run")), "The run."),
    Member("children", \.children, isAlwaysWritten: true, "How many runs belong to it."),
    Member("home", \.home, isAlwaysWritten: true, "The home directory of its store, for the commands that name it."),
    Member("history", \.history, "Every metric's values by step."),
    Member(
      "trials", \.trials, as: Schema(.array(Schema(.named("Trial")))),
      "The evaluations of its search that have ended, in order."),
  ]
  package var run = RunRecord()
  package var children = 0
  package var home = ""
  package var history: [String: [MetricValue]]?
  package var trials: [JSONValue]?

  package init() {}
}

/// One value of a metric.
package struct MetricValue: ResultObject {
  package static let members: [Member<Self>] = [
    Member("step", \.step, isAlwaysWritten: true, "The step."),
    Member("value", \.value, isAlwaysWritten: true, "The value; NaN and infinities as texts."),
    Member("timestamp", \.timestamp, isAlwaysWritten: true, "When it was logged (RFC 3339, UTC)."),
  ]
  package var step = 0
  package var value = JSONValue.int(0)
  package var timestamp = ""

  package init() {}

  init(_ point: MetricPoint) {
    step = point.step
    value = JSONValue(numberOrText: point.value)
    timestamp = rfc3339(milliseconds: point.timestamp)
  }
}

/// What became of a run.
package struct DeleteRunResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("runId", \.runID, isAlwaysWritten: true, "The run."),
    Member("lifecycleStage", \.lifecycleStage, isAlwaysWritten: true, "active or deleted."),
  ]
  package var runID = ""
  package var lifecycleStage = ""

  package init() {}
}

/// A page of experiments.
package struct ListExperimentsResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("experiments", \.experiments, isAlwaysWritten: true, "The experiments."),
    Member("nextPageToken", \.nextPageToken, isAlwaysWritten: true, "Asks for the next page; null on the last."),
  ]
  package var experiments: [ExperimentRecord] = []
  package var nextPageToken: String?

  package init() {}
}

struct ListRunsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experiment", \.experiment, "An experiment's name; all experiments by default."),
    Member("experimentId", \.experimentId, "An experiment's id."),
    Member("parentRunId", \.parentRunId, "Only children of this run."),
    Member("filter", \.filter, "Such as metrics.eval > 50 and tags.hone.kind = 'compile'."),
    Member("orderBy", \.orderBy, "Such as [\"metrics.eval DESC\"]."),
    Member("view", \.view, "Whether deleted runs are listed."),
    Member(
      "select", \.select,
      "Which parts of each run to return, such as metrics.eval, params.*, inputs; everything by default."),
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
    Member("trials", \.trials, "Whether the trials of its search come along."),
  ]
  var runId = ""
  var history = false
  var trials = false
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
  func shown(_ runs: [Run], _ store: TrackingStore) async throws(HoneError) -> [RunRecord] {
    let unfinished = runs.filter { [.killed, .failed, .running].contains($0.info.status) }.map(\.id)
    var resumable = unfinished.isEmpty ? [] : try await store.runsWithRequests(unfinished)
    for run in runs where run.info.status == .running && resumable.contains(run.id) {
      if try await store.processWorking(on: run.id) != nil { resumable.remove(run.id) }
    }
    return runs.map { run in
      var record = RunRecord(run)
      if resumable.contains(run.id) { record.resumeCommand = resumeCommand(run.id, home: home) }
      return record
    }
  }
}
