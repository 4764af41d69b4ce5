package import Failures
import Foundation
import JSON
import Messages
import Traces
package import Tracking

/// Reads runs that `RunExport` wrote into a store, under the ids they had.
///
/// A run that is there already stays as it is, so that an import may be repeated; one whose import was broken off is
/// completed. The file is not trusted: ids, keys and paths pass the store's own checks.
package struct RunImport {
  /// What an import did.
  package struct Summary: Sendable {
    package var runs = 0
    package var skipped = 0
    package var artifacts = 0
    package var traces = 0
  }

  /// Set on a run while it is being imported.
  private static let mark = "hone.import"

  private let store: TrackingStore
  private var experiments: [String: String] = [:]
  /// Runs of the file that were there already.
  private var present: Set<String> = []
  /// Runs under way, with the status they end with.
  private var open: [(id: String, status: RunStatus, endTime: Int?, isDeleted: Bool)] = []
  private var lineNumber = 0
  private var isEnded = false
  private var summary = Summary()

  package init(_ store: TrackingStore) { self.store = store }

  /// Reads a whole file.
  ///
  /// - Throws: `invalidParams` with the line for what is no such file or was cut off; `storeUnavailable`.
  package mutating func read(_ path: String) async throws(HoneError) -> Summary {
    let lines = try LineReader(path)
    while let bytes = try lines.next() {
      lineNumber += 1
      if bytes.isEmpty { continue }
      try await take(bytes)
    }
    try await close()
    guard isEnded else {
      throw HoneError(
        .invalidParams, "\(path) ends after line \(lineNumber), before its last line: it was cut off.",
        remedy: "What it has is imported. Get the whole file and import it again; what is there is skipped.")
    }
    return summary
  }

  private mutating func take(_ bytes: [UInt8]) async throws(HoneError) {
    let value: JSONValue
    do {
      value = try JSONReader.read(bytes, maximumDepth: 200)
    } catch {
      throw refusal("is not JSON: \(error)")
    }
    if lineNumber == 1 {
      guard value["hone"] == "runs", let version = value["version"]?.intValue else {
        throw refusal("does not begin a file that hone export wrote")
      }
      guard version <= RunLines.version else {
        throw refusal("names version \(version) of the form; this Hone reads up to \(RunLines.version)")
      }
      return
    }
    if let experiment = value["experiment"] {
      try await take(experiment: experiment)
    } else if let run = value["run"] {
      try await take(run: run)
    } else if let artifact = value["artifact"] {
      try await take(artifact: artifact)
    } else if let trace = value["trace"] {
      try await take(trace: trace)
    } else if value["end"] != nil {
      isEnded = true
    } else {
      throw refusal("holds nothing that is known")
    }
  }

  private func refusal(_ what: String) -> HoneError {
    HoneError(.invalidParams, "Line \(lineNumber) \(what).", remedy: "Import a file that hone export wrote.")
  }

  // MARK: Lines

  private mutating func take(experiment: JSONValue) async throws(HoneError) {
    guard let id = experiment["id"]?.stringValue, let name = experiment["name"]?.stringValue else {
      throw refusal("is an experiment without id or name")
    }
    let known = try await store.experiment(named: name)
    experiments[id] = known.id
    for tag in experiment["tags"]?.objectValue?.pairs ?? [] where known.tags.value(of: tag.key) == nil {
      try await store.setExperimentTag(known.id, key: tag.key, value: tag.value)
    }
  }

  private mutating func take(run: JSONValue) async throws(HoneError) {
    guard let id = run["id"]?.stringValue, let name = run["name"]?.stringValue,
      let experiment = run["experiment"]?.stringValue.flatMap({ experiments[$0] }),
      let status = run["status"]?.stringValue.flatMap({ RunStatus(rawValue: $0) })
    else { throw refusal("is a run without id, name, status or experiment") }
    if let known = try await existing(id) {
      guard known.tags.value(of: Self.mark) != nil else {
        present.insert(id)
        summary.skipped += 1
        return
      }
    } else {
      var tags = run["tags"]?.objectValue?.pairs ?? []
      tags.append(KeyValue(Self.mark, "unfinished"))
      _ = try await store.createRun(
        NewRun(
          id: id, experimentID: experiment, name: name, parentID: run["parent"]?.stringValue,
          startTime: run["startTime"]?.intValue, tags: tags))
    }
    let points = (run["metrics"]?.arrayValue ?? []).compactMap(MetricPoint.init(line:))
    try await store.log(run: id, params: run["params"]?.objectValue?.pairs ?? [], metrics: points)
    try await store.logInputs(run: id, (run["inputs"]?.arrayValue ?? []).compactMap(DatasetInput.init(line:)))
    try await store.logResults(run: id, (run["results"]?.arrayValue ?? []).compactMap(EvaluationRow.init(line:)))
    // A run that was under way when it was exported is under way nowhere now.
    open.append((id, status.isFinal ? status : .killed, run["endTime"]?.intValue, run["deleted"] == true))
    summary.runs += 1
  }

  private func existing(_ id: String) async throws(HoneError) -> Run? {
    do throws(HoneError) {
      return try await store.run(id)
    } catch {
      if error.kind == .notFound { return nil }
      throw error
    }
  }

  private mutating func take(artifact: JSONValue) async throws(HoneError) {
    guard let run = artifact["run"]?.stringValue, let path = artifact["path"]?.stringValue,
      let data = artifact["base64"]?.stringValue.flatMap({ Data(base64Encoded: $0) })
    else { throw refusal("is an artifact without run, path or content") }
    if present.contains(run) { return }
    try await store.writeArtifact(run: run, path: path, Array(data))
    summary.artifacts += 1
  }

  private mutating func take(trace: JSONValue) async throws(HoneError) {
    guard let info = trace["info"], let id = info["traceId"]?.stringValue.flatMap({ TraceID($0) }),
      let run = info["runId"]?.stringValue, let name = info["name"]?.stringValue
    else { throw refusal("is a trace without id, name or run") }
    if present.contains(run) { return }
    let spans = (trace["spans"]?.arrayValue ?? []).compactMap(Span.init(line:))
    await store.record(
      Trace(
        id: id, name: name, experimentID: info["experimentId"]?.stringValue.flatMap { experiments[$0] }, runID: run,
        spans: spans,
        status: TraceStatus(word: info["status"]?.stringValue, message: info["statusMessage"]?.stringValue),
        usage: TokenUsage(
          inputTokens: info["usage"]?["inputTokens"]?.intValue ?? 0,
          outputTokens: info["usage"]?["outputTokens"]?.intValue ?? 0),
        cost: info["cost"]?.doubleValue, metadata: info["metadata"]?.objectValue ?? [:]))
    try await take(assessments: info["assessments"]?.arrayValue ?? [], of: id)
    let tags = info["tags"]?.objectValue?.pairs ?? []
    if !tags.isEmpty {
      await store.flush()
      for tag in tags { try await store.setTraceTag(id, tag.key, tag.value) }
    }
    summary.traces += 1
  }

  private func take(assessments: [JSONValue], of trace: TraceID) async throws(HoneError) {
    // Those of an import that was broken off are there already.
    guard try await store.assessments(of: trace).isEmpty else { return }
    var ids: [String: String] = [:]
    for line in assessments {
      guard let name = line["name"]?.stringValue else { throw refusal("has an assessment without a name") }
      let stored = try await store.addAssessment(
        Assessment(
          name: name, value: line["value"] ?? .null, rationale: line["rationale"]?.stringValue,
          source: line["sourceType"]?.stringValue.flatMap { Assessment.Source(rawValue: $0) } ?? .code,
          error: line["error"]?.stringValue, metadata: line["metadata"]?.objectValue ?? [:]),
        to: trace, span: line["spanId"]?.stringValue.flatMap { SpanID($0) },
        kind: line["type"] == "expectation" ? .expectation : .feedback, sourceID: line["sourceId"]?.stringValue,
        overrides: line["overrides"]?.stringValue.flatMap { ids[$0] })
      if let id = line["assessmentId"]?.stringValue { ids[id] = stored.id }
    }
  }

  /// Gives the imported runs the status they had, once all that belongs to them is there.
  private func close() async throws(HoneError) {
    await store.flush()
    for run in open {
      try await store.updateRun(run.id, status: run.status, endTime: run.endTime)
      try await store.deleteTag(run: run.id, Self.mark)
    }
    for run in open.reversed() where run.isDeleted { try await store.deleteRun(run.id) }
  }
}
