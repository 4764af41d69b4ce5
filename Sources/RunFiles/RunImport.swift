package import Failures
import Foundation
import JSON
import Messages
import Schema
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
    let problems = ProblemList()
    guard let line = FileLine.read(value, at: "", problems) else {
      throw refusal("cannot be read: \(problems.problems.first?.description ?? "")")
    }
    if lineNumber == 1 {
      guard line.hone == "runs", let version = line.version else {
        throw refusal("is not the first line of a file that hone export wrote")
      }
      guard version <= RunLines.version else {
        throw refusal("has version \(version) of the format; this Hone reads up to \(RunLines.version)")
      }
      return
    }
    if let experiment = line.experiment {
      try await take(experiment)
    } else if let run = line.run {
      try await take(run)
    } else if let artifact = line.artifact {
      try await take(artifact)
    } else if let trace = line.trace {
      try await take(trace)
    } else if line.end != nil {
      isEnded = true
    } else {
      throw refusal("has nothing that this Hone knows")
    }
  }

  private func refusal(_ what: String) -> HoneError {
    HoneError(.invalidParams, "Line \(lineNumber) \(what).", remedy: "Import a file that hone export wrote.")
  }

  // MARK: Lines

  private mutating func take(_ experiment: ExperimentLine) async throws(HoneError) {
    guard !experiment.id.isEmpty, !experiment.name.isEmpty else {
      throw refusal("is an experiment without id or name")
    }
    let known = try await store.experiment(named: experiment.name)
    experiments[experiment.id] = known.id
    for tag in experiment.tags.pairs where known.tags.value(of: tag.key) == nil {
      try await store.setExperimentTag(known.id, key: tag.key, value: tag.value)
    }
  }

  private mutating func take(_ run: RunLine) async throws(HoneError) {
    let id = run.id
    guard !id.isEmpty, !run.name.isEmpty, let experiment = experiments[run.experiment],
      let status = RunStatus(rawValue: run.status)
    else { throw refusal("is a run without id, name, status or experiment") }
    if let known = try await existing(id) {
      guard known.tags.value(of: Self.mark) != nil else {
        present.insert(id)
        summary.skipped += 1
        return
      }
    } else {
      _ = try await store.createRun(
        NewRun(
          id: id, experimentID: experiment, name: run.name, parentID: run.parent, startTime: run.startTime,
          tags: run.tags.pairs + [KeyValue(Self.mark, "unfinished")]))
    }
    let points = run.metrics.compactMap(MetricPoint.init(line:))
    try await store.log(run: id, params: run.params.pairs, metrics: points)
    try await store.logInputs(run: id, run.inputs.map { DatasetInput($0) })
    try await store.logResults(run: id, run.results.compactMap(EvaluationRow.init(line:)))
    // A run that was under way when it was exported is under way nowhere now.
    open.append((id, status.isFinal ? status : .killed, run.endTime, run.isDeleted))
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

  private mutating func take(_ artifact: ArtifactLine) async throws(HoneError) {
    guard !artifact.run.isEmpty, !artifact.path.isEmpty, let data = Data(base64Encoded: artifact.base64) else {
      throw refusal("is an artifact without run, path or content")
    }
    if present.contains(artifact.run) { return }
    try await store.writeArtifact(run: artifact.run, path: artifact.path, Array(data))
    summary.artifacts += 1
  }

  private mutating func take(_ trace: TraceLine) async throws(HoneError) {
    let info = trace.info
    guard let id = TraceID(info.traceID), let run = info.runID, !info.name.isEmpty else {
      throw refusal("is a trace without id, name or run")
    }
    if present.contains(run) { return }
    await store.record(
      Trace(
        id: id, name: info.name, experimentID: info.experimentID.flatMap { experiments[$0] }, runID: run,
        spans: trace.spans.compactMap { Span($0) },
        status: TraceStatus(word: info.status, message: info.statusMessage),
        usage: TokenUsage(inputTokens: info.usage.inputTokens, outputTokens: info.usage.outputTokens),
        cost: info.cost, metadata: info.metadata))
    try await take(info.assessments, of: id)
    let tags = info.tags.pairs
    if !tags.isEmpty {
      await store.flush()
      for tag in tags { try await store.setTraceTag(id, tag.key, tag.value) }
    }
    summary.traces += 1
  }

  private func take(_ assessments: [AssessmentRecord], of trace: TraceID) async throws(HoneError) {
    // Those of an import that was broken off are there already.
    guard try await store.assessments(of: trace).isEmpty else { return }
    var ids: [String: String] = [:]
    for record in assessments {
      guard !record.name.isEmpty else { throw refusal("has an assessment without a name") }
      let stored = try await store.addAssessment(
        Assessment(
          name: record.name, value: record.value, rationale: record.rationale,
          source: Assessment.Source(rawValue: record.sourceType) ?? .code, error: record.error,
          metadata: record.metadata),
        to: trace, span: record.spanID.flatMap { SpanID($0) },
        kind: record.type == "expectation" ? .expectation : .feedback, sourceID: record.sourceID,
        overrides: record.overrides.flatMap { ids[$0] })
      if !record.assessmentID.isEmpty { ids[record.assessmentID] = stored.id }
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
