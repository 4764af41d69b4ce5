import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listRunKeys = Method(
    "listRunKeys", "Lists the names of parameters, metrics and tags that an experiment's latest runs have.",
    takes: ListRunKeysRequest.self,
    result: Shape.object([
      "params": Shape.array(Shape.string), "metrics": Shape.array(Shape.string), "tags": Shape.array(Shape.string),
    ]),
    example: ["experimentId": "0"], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let keys = try await service.store().runKeys(experimentID: request.experimentId)
    func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
    return ["params": list(keys.params), "metrics": list(keys.metrics), "tags": list(keys.tags)]
  }

  static let getUsage = Method(
    "getUsage", "Where a run's calls, tokens and money went: by phase, from its traces, and by role, from what it paid.",
    takes: RunRequest.self,
    result: Shape.object(["byPhase": Shape.array(Shape.anyObject), "byRole": Shape.array(Shape.anyObject)]),
    example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let phases = try await store.phases(of: request.runId)
    let roles = try await store.payments(of: request.runId)
    return [
      "byPhase": .array(
        phases.map { phase in
          [
            "phase": .string(phase.phase), "executions": .int(phase.executions), "failed": .int(phase.failed),
            "inputTokens": .int(phase.inputTokens), "outputTokens": .int(phase.outputTokens),
            "cost": .double(phase.cost), "seconds": .double(phase.seconds),
          ]
        }),
      "byRole": .array(
        roles.map { role in
          [
            "role": .string(role.role), "model": .string(role.model), "calls": .int(role.calls),
            "inputTokens": .int(role.inputTokens), "outputTokens": .int(role.outputTokens), "cost": .double(role.cost),
          ]
        }),
    ]
  }

  static let updateRun = Method(
    "updateRun", "Renames a run, writes its note, sets and removes tags.",
    takes: UpdateRunRequest.self,
    result: Shape.object(["run": Shape.reference("Run")]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "name": "first light", "tags": ["keep": "yes"]], isForPages: true
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
    return ["run": .object(try await store.run(id).json)]
  }
}

struct ListRunKeysRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experimentId", \.experimentId, "An experiment's id; all experiments unless given.")
  ]
  var experimentId: String?
}

struct UpdateRunRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId),
    Member("name", \.name, "The new name."),
    Member("note", \.note, "The new note (the tag mlflow.note.content); an empty one removes it."),
    Member("tags", \.tags, "Tags to set."),
    Member("removeTags", \.removeTags, "Names of tags to remove; those it has not are passed over."),
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
            path: place, message: "Nothing of a run is called \"\(name)\".", got: name,
            allowed: ["params.NAME", "metrics.NAME", "tags.NAME", "inputs", "* for any part of a name"]))
      }
    }
    return selection
  }

  func callAsFunction(_ run: JSONObject) -> JSONObject {
    var run = run
    for group in ["params", "metrics", "tags"] {
      guard let members = run[group]?.objectValue else { continue }
      let wanted = patterns[group] ?? []
      run[group] = .object(members.filter { name in wanted.contains { $0.matches(name) } })
    }
    if !hasInputs { run["inputs"] = nil }
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
