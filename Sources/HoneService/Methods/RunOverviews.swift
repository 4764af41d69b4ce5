import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listRunKeys = Method(
    "listRunKeys", "Lists the names of parameters, metrics and tags that an experiment's latest runs have.",
    [Parameter("experimentId", Shape.string, "An experiment's id; all experiments unless given.")],
    result: Shape.object([
      "params": Shape.array(Shape.string), "metrics": Shape.array(Shape.string), "tags": Shape.array(Shape.string),
    ]),
    example: ["experimentId": "0"], isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.string("experimentId")
    try fields.check("listRunKeys")
    let keys = try await service.store().runKeys(experimentID: id)
    func list(_ names: [String]) -> JSONValue { .array(names.map(JSONValue.string)) }
    return ["params": list(keys.params), "metrics": list(keys.metrics), "tags": list(keys.tags)]
  }

  static let getUsage = Method(
    "getUsage", "Where a run's calls, tokens and money went: by phase, from its traces, and by role, from what it paid.",
    [Parameter("runId", required: true, Shape.string, "The run's id.")],
    result: Shape.object(["byPhase": Shape.array(Shape.anyObject), "byRole": Shape.array(Shape.anyObject)]),
    example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.requiredString("runId") ?? ""
    try fields.check("getUsage")
    let store = try await service.store()
    let phases = try await store.phases(of: id)
    let roles = try await store.payments(of: id)
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
    [
      Parameter("runId", required: true, Shape.string, "The run's id."),
      Parameter("name", Shape.string, "The new name."),
      Parameter("note", Shape.string, "The new note (the tag mlflow.note.content); an empty one removes it."),
      Parameter("tags", ["type": "object", "additionalProperties": ["type": "string"]], "Tags to set."),
      Parameter("removeTags", Shape.array(Shape.string), "Names of tags to remove; those it has not are passed over."),
    ],
    result: Shape.object(["run": Shape.reference("Run")]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "name": "first light", "tags": ["keep": "yes"]], isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.requiredString("runId") ?? ""
    let name = fields.string("name")
    let note = fields.string("note")
    var removed = fields.strings("removeTags") ?? []
    var tags: [KeyValue] = []
    for (key, value) in fields.object("tags") ?? [:] {
      if let text = value.stringValue {
        tags.append(KeyValue(key, text))
      } else {
        fields.problems.add("tags.\(key)", "A tag's value is a string, got \(value.kindName).")
      }
    }
    if let name, name.isEmpty { fields.problems.add("name", "A run's name is not empty.") }
    try fields.check("updateRun")
    if let note {
      if note.isEmpty { removed.append(noteTag) } else { tags.append(KeyValue(noteTag, note)) }
    }
    let store = try await service.store()
    if let name { try await store.updateRun(id, name: name) }
    if !tags.isEmpty { try await store.log(run: id, tags: tags) }
    let present = Set(try await store.run(id).tags.map(\.key))
    for key in removed where present.contains(key) { try await store.deleteTag(run: id, key) }
    return ["run": .object(try await store.run(id).json)]
  }
}

/// The tag under which MLflow keeps a run's description.
private let noteTag = "mlflow.note.content"

/// Which of a run's parameters, metrics, tags and inputs a listing shows.
struct RunSelection {
  private var patterns: [String: [Pattern]] = [:]
  private var hasInputs = false

  /// Reads names such as `metrics.eval`, `params.*` and `inputs`; nil where none are given, which means everything.
  init?(_ fields: FieldReader) {
    guard let names = fields.strings("select") else { return nil }
    for name in names {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      if name == "inputs" {
        hasInputs = true
      } else if parts.count == 2, ["params", "metrics", "tags"].contains(parts[0]) {
        patterns[parts[0], default: []].append(Pattern(parts[1]))
      } else {
        fields.problems.add(
          Problem(
            path: "select", message: "Nothing of a run is called \"\(name)\".", got: name,
            allowed: ["params.NAME", "metrics.NAME", "tags.NAME", "inputs", "* for any part of a name"]))
      }
    }
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
private struct Pattern {
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
