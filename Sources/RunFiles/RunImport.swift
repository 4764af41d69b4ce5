import Basics
package import Failures
import Foundation
import JSON
import Messages
import Schema
import Traces
package import Tracking

/// Reads runs that `RunExport` wrote into a store, under the ids they had: all of a file, or nothing.
///
/// The file is not trusted. It adds runs that this import makes, and to them alone; nothing that is there already changes.
/// A run that is there stays as it is, with everything under it, so that an import may be repeated. A run's parent comes
/// before it in the same file. Ids, keys and paths pass the store's own checks.
package struct RunImport {
  /// What an import did.
  package struct Summary: Sendable {
    package var runs = 0
    package var skipped = 0
    package var artifacts = 0
    package var traces = 0
  }

  /// The values that a line may have: a run's holds all points of its metrics.
  private static let lineValues = 20_000_000
  /// Times in nanoseconds that can be reckoned with.
  private static let times = 0...(Int.max / 2)

  private let store: TrackingStore
  private let mark = ImportMark()
  /// The experiments of this store by the file's ids.
  private var experiments: [String: String] = [:]
  /// The runs that this import made, with their experiments.
  private var made: [String: String] = [:]
  /// Runs of the file that were there already, and those under them.
  private var skipped: Set<String> = []
  private var ends: [ImportedEnd] = []
  private var lineNumber = 0
  private var isBegun = false
  private var isEnded = false
  private var summary = Summary()

  package init(_ store: TrackingStore) { self.store = store }

  /// Reads a whole file. What an import left whose process was killed is taken away before.
  ///
  /// - Throws: `invalidParams` with the line for what is no such file, was cut off or changes what is there;
  ///   `storeUnavailable`. Nothing is left of the file then.
  package mutating func read(_ path: String) async throws(HoneError) -> Summary {
    let lines = try LineReader(path)
    try await store.discardBrokenImports()
    do throws(HoneError) {
      while let bytes = try lines.next() {
        lineNumber += 1
        if !bytes.isEmpty { try await take(bytes) }
      }
      guard isEnded else {
        throw HoneError(
          .invalidParams, "\(path) ends after line \(lineNumber), before its last line: it was cut off.",
          remedy: "Get the whole file and import it again.")
      }
      try await store.finishImport(mark, ends)
    } catch {
      try await discard(after: error)
      throw error
    }
    return summary
  }

  private func discard(after error: HoneError) async throws(HoneError) {
    do throws(HoneError) {
      try await store.discardImport(mark)
    } catch let second {
      throw HoneError(
        error.kind, error.message, remedy: "What was imported before is taken away when hone import runs again.",
        cause: "it could not be taken away: \(second.message)")
    }
  }

  private mutating func take(_ bytes: [UInt8]) async throws(HoneError) {
    let value: JSONValue
    do {
      value = try JSONReader.read(bytes, maximumDepth: 200, maximumValues: Self.lineValues)
    } catch {
      throw refusal("is not JSON: \(error)")
    }
    let problems = ProblemList()
    guard let line = FileLine.read(value, at: "", problems), problems.problems.isEmpty else {
      throw refusal("cannot be read: \(problems.problems.first?.description ?? "")")
    }
    guard isBegun else {
      guard line.hone == "runs", let version = line.version else {
        throw refusal("is not the first line of a file that hone export wrote")
      }
      guard version <= RunLines.version else {
        throw refusal("has version \(version) of the format; this Hone reads up to \(RunLines.version)")
      }
      isBegun = true
      return
    }
    if isEnded { throw refusal("comes after the last one") }
    if let experiment = line.experiment {
      try await take(experiment)
    } else if let run = line.run {
      try await take(run)
    } else if let artifact = line.artifact {
      try await take(artifact)
    } else if let trace = line.trace {
      try await take(trace)
    } else if let end = line.end {
      guard end.runs == made.count + skipped.count else {
        throw refusal("tells of \(end.runs) runs, but \(made.count + skipped.count) came: lines are missing")
      }
      isEnded = true
    } else {
      throw refusal("has nothing that this Hone knows")
    }
  }

  private func refusal(_ what: String) -> HoneError {
    HoneError(
      .invalidParams, "Line \(lineNumber) \(what).",
      remedy: "Nothing was imported. Import a file that hone export wrote.")
  }

  // MARK: Lines

  private mutating func take(_ experiment: ExperimentLine) async throws(HoneError) {
    guard !experiment.id.isEmpty, !experiment.name.isEmpty else {
      throw refusal("is an experiment without id or name")
    }
    guard experiments[experiment.id] == nil else { throw refusal("is an experiment that came already") }
    let tags = try pairs(experiment.tags).filter { $0.key != ImportMark.tag }
    experiments[experiment.id] = try await store.importExperiment(named: experiment.name, tags: tags, mark).id
  }

  private mutating func take(_ run: RunLine) async throws(HoneError) {
    let id = run.id
    guard !id.isEmpty, !run.name.isEmpty, let experiment = experiments[run.experiment],
      let status = RunStatus(rawValue: run.status)
    else { throw refusal("is a run without id, name, status or experiment") }
    guard made[id] == nil, !skipped.contains(id) else { throw refusal("is a run that came already") }
    let tags = try pairs(run.tags).filter { $0.key != ImportMark.tag }
    let params = try pairs(run.params)
    let points = run.metrics.compactMap(MetricPoint.init(line:))
    let rows = run.results.compactMap(EvaluationRow.init(line:))
    guard points.count == run.metrics.count, rows.count == run.results.count else {
      throw refusal("has a metric or a result that cannot be read")
    }
    // A tag can name the parent, too.
    let parents = [run.parent, tags.value(of: KnownTag.parentRunID)].compactMap { $0 }
    let isThere = try await exists(id)
    if isThere || parents.contains(where: skipped.contains) {
      skipped.insert(id)
      summary.skipped += 1
      return
    }
    if let parent = parents.first(where: { made[$0] == nil }) {
      throw refusal("is a run under \(shortened(parent)), which is no run of this file")
    }
    try await store.importRun(
      NewRun(
        id: id, experimentID: experiment, name: run.name, parentID: parents.first, startTime: run.startTime, tags: tags),
      mark)
    made[id] = experiment
    try await store.log(run: id, params: params, metrics: points)
    try await store.logInputs(run: id, run.inputs.map { DatasetInput($0) })
    try await store.logResults(run: id, rows)
    // A run that was under way when it was exported is under way nowhere now.
    ends.append(
      ImportedEnd(
        run: id, status: status.isFinal ? status : .killed, endTime: run.endTime, isDeleted: run.isDeleted))
    summary.runs += 1
  }

  private func exists(_ id: String) async throws(HoneError) -> Bool {
    do throws(HoneError) {
      _ = try await store.run(id)
      return true
    } catch {
      if error.kind == .notFound { return false }
      throw error
    }
  }

  private func pairs(_ object: JSONObject) throws(HoneError) -> [KeyValue] {
    let pairs = object.pairs
    guard pairs.count == object.count else { throw refusal("has a parameter or a tag that is no text") }
    return pairs
  }

  private mutating func take(_ artifact: ArtifactLine) async throws(HoneError) {
    guard !artifact.run.isEmpty, !artifact.path.isEmpty, let data = Data(base64Encoded: artifact.base64) else {
      throw refusal("is an artifact without run, path or content")
    }
    if skipped.contains(artifact.run) { return }
    guard made[artifact.run] != nil else { throw foreign("an artifact", artifact.run) }
    try await store.writeArtifact(run: artifact.run, path: artifact.path, Array(data))
    summary.artifacts += 1
  }

  private func foreign(_ what: String, _ run: String) -> HoneError {
    refusal("is \(what) of \(shortened(run)), which is no run of this file")
  }

  private func shortened(_ text: String) -> String { text.count <= 80 ? text : text.prefix(80) + "…" }

  private mutating func take(_ trace: TraceLine) async throws(HoneError) {
    let info = trace.info
    guard let id = TraceID(info.traceID), let run = info.runID, !info.name.isEmpty else {
      throw refusal("is a trace without id, name or run")
    }
    if skipped.contains(run) { return }
    guard let experiment = made[run] else { throw foreign("a trace", run) }
    let spans = trace.spans.compactMap { Span($0) }
    let moments = spans.flatMap { [$0.start, $0.end] + $0.events.map(\.time) } + [info.startTimeNs, info.endTimeNs]
    guard spans.count == trace.spans.count, moments.allSatisfy(Self.times.contains) else {
      throw refusal("is a trace with a span that cannot be read")
    }
    let whole = Trace(
      id: id, name: info.name, experimentID: info.experimentID.flatMap { experiments[$0] } ?? experiment, runID: run,
      spans: spans, status: TraceStatus(word: info.status, message: info.statusMessage),
      usage: TokenUsage(inputTokens: info.usage.inputTokens, outputTokens: info.usage.outputTokens), cost: info.cost,
      metadata: info.metadata)
    try await store.importTrace(
      ImportedTrace(
        whole, assessments: try assessments(trace, of: id), tags: try pairs(info.tags), start: info.startTimeNs,
        duration: max(0, info.endTimeNs - info.startTimeNs), requestPreview: info.requestPreview,
        responsePreview: info.responsePreview), mark)
    summary.traces += 1
  }

  private func assessments(_ trace: TraceLine, of id: TraceID) throws(HoneError) -> [StoredAssessment] {
    var lines: [String: AssessmentLine] = [:]
    for line in trace.assessments { lines[line.id] = line }
    var assessments: [StoredAssessment] = []
    for record in trace.info.assessments {
      guard !record.name.isEmpty, let created = nanoseconds(rfc3339: record.createTime) else {
        throw refusal("has an assessment without a name or a time")
      }
      let line = lines[record.assessmentID]
      assessments.append(
        StoredAssessment(
          id: record.assessmentID, traceID: id, spanID: record.spanID.flatMap { SpanID($0) },
          kind: record.type == "expectation" ? .expectation : .feedback,
          assessment: Assessment(
            name: record.name, value: record.value, rationale: record.rationale,
            source: Assessment.Source(rawValue: record.sourceType) ?? .code, error: record.error,
            metadata: record.metadata),
          sourceID: record.sourceID, created: created / 1_000_000, updated: line?.updated ?? created / 1_000_000,
          details: line?.details ?? [:], overrides: record.overrides, isValid: record.isValid))
    }
    return assessments
  }
}
