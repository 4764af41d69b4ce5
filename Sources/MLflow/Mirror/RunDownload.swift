import Basics
import Failures
import Foundation
import JSON
import Logging
import Messages
import OpenTelemetry
import RunFiles
import Schema
import Traces
import Tracking

/// Fetches what an MLflow server has and the store has not: experiments, runs that others made, their artifacts and
/// traces, under the server's ids.
struct RunDownload: Sendable {
  let store: TrackingStore
  let api: MLflowAPI
  let state: MirrorState
  let logger: Logger

  /// How many runs and traces of an experiment are looked at, the newest first.
  private static let window = 1000

  func experiments() async throws(HoneError) {
    for experiment in try await listed() {
      if let name = experiment.name { _ = try await store.experiment(named: name) }
    }
  }

  private func listed() async throws(HoneError) -> [MLflowExperiment] {
    let answer = try await api.post("2.0/mlflow/experiments/search", ["max_results": 1000])
    return try api.value(of: answer, doing: "list experiments").experiments
  }

  /// The server's runs of an experiment, or of all.
  func runs(experiment name: String?) async throws(HoneError) {
    var ids: [String] = []
    if let name {
      let found = try await api.get("2.0/mlflow/experiments/get-by-name", [("experiment_name", name)])
      if case .value(let reply) = found, let id = reply.experiment?.id { ids = [id] }
    } else {
      ids = try await listed().compactMap(\.id)
    }
    guard !ids.isEmpty else { return }
    let answer = try await api.post(
      "2.0/mlflow/runs/search",
      ["experiment_ids": .array(ids.map(JSONValue.string)), "max_results": .int(Self.window)])
    // The oldest first, so that parents come before their children.
    for run in try api.value(of: answer, doing: "list runs").runs.reversed() { try await take(run) }
  }

  /// One run, whole: with the points of its metrics, its artifacts and traces.
  func run(_ id: String) async throws(HoneError) {
    guard case .value(let reply) = try await api.get("2.0/mlflow/runs/get", [("run_id", id)]), let run = reply.run,
      try await take(run)
    else { return }
    for key in Set(run.data.metrics.compactMap(\.key)).sorted() {
      let history = try await api.get("2.0/mlflow/metrics/get-history", [("run_id", id), ("metric_key", key)])
      if case .value(let reply) = history {
        try await store.log(run: id, metrics: reply.metrics.compactMap(\.point))
      }
    }
    if let root = run.info.artifactPath { try await artifacts(of: id, at: root, in: "") }
    try await traces(of: id, experiment: run.info.experimentID ?? "0")
  }

  // MARK: Runs

  /// Writes a run as it stands on the server into the store.
  ///
  /// - Returns: false for one that we made, or that has no place here.
  @discardableResult
  private func take(_ run: MLflowRun) async throws(HoneError) -> Bool {
    let (info, tags) = (run.info, run.data.tags.pairs)
    guard let id = info.id, isRunID(id), tags.value(of: RunUpload.idTag) == nil else { return false }
    let known = try state.counterpart(remote: id)
    if known?.isForeign == false { return false }
    if known == nil {
      let name = try await experimentName(info.experimentID ?? "0")
      let experiment = try await store.experiment(named: name)
      var parent = tags.value(of: RunUpload.parentTag)
      if let remote = parent, let ours = try state.counterpart(remote: remote) { parent = ours.local }
      if let wanted = parent, try await !exists(wanted) { parent = nil }
      if try await !exists(id) {
        _ = try await store.createRun(
          NewRun(
            id: id, experimentID: experiment.id, name: info.name, parentID: parent, startTime: info.start?.value,
            user: info.user))
      }
      try state.keep(
        MirrorState.Counterpart(local: id, remote: id, artifacts: nil, fingerprint: "", isForeign: true))
    }
    try await store.log(
      run: id, params: run.data.params.pairs, metrics: run.data.metrics.compactMap(\.point),
      tags: tags.filter { $0.key != RunUpload.parentTag })
    if let status = info.status.flatMap({ RunStatus(rawValue: $0) }) {
      try await store.updateRun(id, status: status, endTime: info.end?.value)
    }
    return true
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

  private func experimentName(_ id: String) async throws(HoneError) -> String {
    let answer = try await api.get("2.0/mlflow/experiments/get", [("experiment_id", id)])
    return try api.value(of: answer, doing: "name experiment \(id)").experiment?.name ?? "Default"
  }

  private func artifacts(of run: String, at root: String, in directory: String) async throws(HoneError) {
    let path = directory.isEmpty ? root : "\(root)/\(directory)"
    let answer = try await api.get("2.0/mlflow-artifacts/artifacts", [("path", path)])
    guard case .value(let reply) = answer else { return }
    for file in reply.files {
      guard let last = file.path.split(separator: "/").last else { continue }
      let place = directory.isEmpty ? String(last) : "\(directory)/\(last)"
      if file.isDirectory {
        try await artifacts(of: run, at: root, in: place)
      } else {
        let bytes = try await api.download("\(root)/\(place)")
        try await store.writeArtifact(run: run, path: place, bytes)
      }
    }
  }

  // MARK: Traces

  private func traces(of run: String, experiment: String) async throws(HoneError) {
    let answer = try await api.post(
      "3.0/mlflow/traces/search",
      [
        "locations": [MLflowTraceInfo.Location(experiment: experiment).jsonValue],
        "filter": .string("run_id = '\(run)'"), "max_results": 500,
      ])
    guard case .value(let reply) = answer else { return }
    for info in reply.traces { if let id = info.id { try await trace(id, run: run) } }
  }

  /// One trace with its spans and assessments; nothing where the server has none of that id.
  func trace(_ text: String, run: String? = nil) async throws(HoneError) {
    guard let id = TraceID(text),
      case .value(let reply) = try await api.get("3.0/mlflow/traces/get", [("trace_id", text)]),
      let trace = reply.trace
    else { return }
    let (info, metadata) = (trace.info, trace.info.metadata.pairs)
    let spans = trace.spans.compactMap(\.span)
    let name = try await experimentName(info.location.experiment.id ?? "0")
    let usage = metadata.value(of: TraceKey.usage).flatMap { try? JSONReader.read($0) }
    let assessments = info.assessments.filter { $0.isValid != false && $0.feedback != nil && !$0.name.isEmpty }
    let isKnown = try await !store.assessments(of: id).isEmpty
    await store.record(
      Trace(
        id: id, name: info.tags.pairs.value(of: TraceKey.name) ?? spans.first?.name ?? "",
        experimentID: try await store.experiment(named: name).id, runID: run ?? metadata.value(of: TraceKey.run),
        spans: spans.sorted { ($0.parent == nil ? 0 : 1, $0.start) < ($1.parent == nil ? 0 : 1, $1.start) },
        status: TraceStatus(word: info.state, message: nil), usage: TokenUsage(TokenCounts(usage)),
        assessments: isKnown ? [] : assessments.map(\.assessment), metadata: info.metadata.object))
    await store.flush()
  }
}
