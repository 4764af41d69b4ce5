import Failures
import JSON
import Jobs
package import LanguageModels
package import Schema
package import Tracking

extension Method {
  static let listRunKeys = Method(
    "listRunKeys", "Lists the names of parameters, metrics and tags that an experiment's latest runs have.",
    takes: ListRunKeysRequest.self, gives: ListRunKeysResult.self, example: ["experimentId": "0"], isReading: true,
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let keys = try await service.store().runKeys(experimentID: request.experimentId)
    var result = ListRunKeysResult()
    result.params = keys.params
    result.metrics = keys.metrics
    result.tags = keys.tags
    return result
  }

  static let getUsage = Method(
    "getUsage",
    "Where a run's calls, tokens and money went: by phase, from its traces, and by role, from its bill.",
    takes: RunRequest.self, gives: GetUsageResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef"], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var result = GetUsageResult()
    result.byPhase = try await store.phases(of: request.runId).map(GetUsageResult.Phase.init)
    result.byRole = try await store.payments(of: request.runId).map(GetUsageResult.Role.init)
    result.estimated = try await store.bill(run: request.runId).usage.total.estimated
    return result
  }

  static let updateRun = Method(
    "updateRun", "Renames a run, writes its note, sets and removes tags.",
    takes: UpdateRunRequest.self, gives: UpdateRunResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef", "name": "first light", "tags": ["keep": "yes"]],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let id = request.runId
    var tags = request.tags.sorted { $0.key < $1.key }.map { KeyValue($0.key, $0.value) }
    var removed = request.removeTags
    if let note = request.note {
      if note.isEmpty { removed.append(noteTag) } else { tags.append(KeyValue(noteTag, note)) }
    }
    let store = try await service.store()
    if let name = request.name { try await store.updateRun(id, name: name) }
    if !tags.isEmpty { try await store.log(run: id, tags: tags) }
    let present = Set(try await store.run(id).tags.map(\.key))
    for key in removed where present.contains(key) { try await store.deleteTag(run: id, key) }
    var result = UpdateRunResult()
    result.run = RunRecord(try await store.run(id))
    return result
  }
}

/// Names that runs have.
package struct ListRunKeysResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("params", \.params, isAlwaysWritten: true, "Names of parameters."),
    Member("metrics", \.metrics, isAlwaysWritten: true, "Names of metrics."),
    Member("tags", \.tags, isAlwaysWritten: true, "Names of tags."),
  ]
  package var params: [String] = []
  package var metrics: [String] = []
  package var tags: [String] = []

  package init() {}
}

/// Where a run's calls, tokens and money went.
package struct GetUsageResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("byPhase", \.byPhase, isAlwaysWritten: true, "By phase, from its traces."),
    Member("byRole", \.byRole, isAlwaysWritten: true, "By role, from its bill: the requests that were answered."),
    Member(
      "estimated", \.estimated,
      "The part of the bill that nobody counted, the most that it can be."
    ),
  ]

  package struct Phase: ResultObject {
    package static let members: [Member<Self>] = [
      Member("phase", \.phase, isAlwaysWritten: true, "The phase."),
      Member("executions", \.executions, isAlwaysWritten: true, "Executions of a program."),
      Member("failed", \.failed, isAlwaysWritten: true, "Those that failed."),
      Member("inputTokens", \.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("cost", \.cost, isAlwaysWritten: true, "US dollars."),
      Member("seconds", \.seconds, isAlwaysWritten: true, "Seconds of all executions added up."),
    ]
    package var phase = ""
    package var executions = 0
    package var failed = 0
    package var inputTokens = 0
    package var outputTokens = 0
    package var cost = 0.0
    package var seconds = 0.0

    package init() {}

    init(_ phase: PhaseUsage) {
      self.phase = phase.phase
      executions = phase.executions
      failed = phase.failed
      inputTokens = phase.inputTokens
      outputTokens = phase.outputTokens
      cost = phase.cost
      seconds = phase.seconds
    }
  }

  package struct Role: ResultObject {
    package static let members: [Member<Self>] = [
      Member("role", \.role, isAlwaysWritten: true, "What was asked for."),
      Member("model", \.model, isAlwaysWritten: true, "Which model."),
      Member("calls", \.calls, isAlwaysWritten: true, "Calls."),
      Member("inputTokens", \.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("cost", \.cost, isAlwaysWritten: true, "US dollars."),
    ]
    package var role = ""
    package var model = ""
    package var calls = 0
    package var inputTokens = 0
    package var outputTokens = 0
    package var cost = 0.0

    package init() {}

    init(_ role: Payment) {
      self.role = role.role
      model = role.model
      calls = role.calls
      inputTokens = role.inputTokens
      outputTokens = role.outputTokens
      cost = role.cost
    }
  }

  package var byPhase: [Phase] = []
  package var byRole: [Role] = []
  package var estimated: UsageReport.Entry.Share?

  package init() {}
}

/// The run as it is now.
package struct UpdateRunResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("run", \.run, isAlwaysWritten: true, as: Schema(.named("Run")), "The run.")
  ]
  package var run = RunRecord()

  package init() {}
}

struct ListRunKeysRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experimentId", \.experimentId, "An experiment's id; all experiments by default.")
  ]
  var experimentId: String?
}

struct UpdateRunRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId),
    Member("name", \.name, "The new name."),
    Member("note", \.note, "The new note (the tag mlflow.note.content); an empty one removes it."),
    Member("tags", \.tags, "Tags to set."),
    Member("removeTags", \.removeTags, "Names of tags to remove; missing ones are ignored."),
  ]
  var runId = ""
  var name: String?
  var note: String?
  var tags: [String: String] = [:]
  var removeTags: [String] = []

  mutating func settle(_ fields: FieldReader) {
    if name == "" { fields.problems.add("name", "A run's name is not empty.") }
  }
}

/// The tag under which MLflow keeps a run's description.
private let noteTag = "mlflow.note.content"

/// Which of a run's parameters, metrics, tags and inputs a listing shows.
struct RunSelection: SchemaValue {
  private var patterns: [String: [Pattern]] = [:]
  private var hasInputs = false

  private init(names: [String]) { self.names = names }

  static var schema: Schema { [String].schema }
  private(set) var names: [String] = []
  var jsonValue: JSONValue { names.jsonValue }

  /// Reads names such as `metrics.eval`, `params.*` and `inputs`.
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> RunSelection? {
    guard let names = [String].read(value, at: place, problems) else { return nil }
    var selection = RunSelection(names: names)
    for name in names {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      if name == "inputs" {
        selection.hasInputs = true
      } else if parts.count == 2, ["params", "metrics", "tags"].contains(parts[0]) {
        selection.patterns[parts[0], default: []].append(Pattern(parts[1]))
      } else {
        problems.add(
          Problem(
            path: place, message: "A run has nothing called \"\(name)\".", got: name,
            allowed: ["params.NAME", "metrics.NAME", "tags.NAME", "inputs", "* for any part of a name"]))
      }
    }
    return selection
  }

  func callAsFunction(_ run: RunRecord) -> RunRecord {
    func selected(_ members: JSONObject, _ group: String) -> JSONObject {
      let wanted = patterns[group] ?? []
      return members.filter { name in wanted.contains { $0.matches(name) } }
    }
    var run = run
    run.params = selected(run.params, "params")
    run.metrics = selected(run.metrics, "metrics")
    run.tags = selected(run.tags, "tags")
    if !hasInputs { run.inputs = nil }
    return run
  }
}

/// A name in which each `*` stands for any text.
private struct Pattern: Sendable {
  private let parts: [Substring]

  init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false) }

  func matches(_ name: String) -> Bool {
    guard let first = parts.first, let last = parts.last, parts.count > 1 else { return name == parts.first ?? "" }
    guard name.hasPrefix(first) else { return false }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.count >= last.count && rest.hasSuffix(last)
  }
}
