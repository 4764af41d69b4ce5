import Basics
import Failures
import Foundation
import JSON
import Logging
import Messages
import RunFiles
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
    let answer = try await api.post("2.0/mlflow/experiments/search", ["max_results": 1000])
    for experiment in try api.value(of: answer, doing: "list experiments")["experiments"]?.arrayValue ?? [] {
      if let name = experiment["name"]?.stringValue { _ = try await store.experiment(named: name) }
    }
  }

  /// The server's runs of an experiment, or of all.
  func runs(experiment name: String?) async throws(HoneError) {
    var ids: [JSONValue] = []
    if let name {
      let found = try await api.get("2.0/mlflow/experiments/get-by-name", [("experiment_name", name)])
      guard case .value(let value) = found, let id = value["experiment"]?["experiment_id"] else { return }
      ids = [id]
    } else {
      let answer = try await api.post("2.0/mlflow/experiments/search", ["max_results": 1000])
      let list = try api.value(of: answer, doing: "list experiments")["experiments"]?.arrayValue ?? []
      ids = list.compactMap { $0["experiment_id"] }
    }
    guard !ids.isEmpty else { return }
    let answer = try await api.post(
      "2.0/mlflow/runs/search", ["experiment_ids": .array(ids), "max_results": .int(Self.window)])
    let runs = try api.value(of: answer, doing: "list runs")["runs"]?.arrayValue ?? []
    // The oldest first, so that parents come before their children.
    for run in runs.reversed() { try await take(run) }
  }

  /// One run, whole: with the points of its metrics, its artifacts and traces.
  func run(_ id: String) async throws(HoneError) {
    guard case .value(let value) = try await api.get("2.0/mlflow/runs/get", [("run_id", id)]), let run = value["run"],
      try await take(run), let info = run["info"]
    else { return }
    for key in run["data"]?["metrics"]?.keyValues.keys ?? [] {
      let history = try await api.get("2.0/mlflow/metrics/get-history", [("run_id", id), ("metric_key", key)])
      if case .value(let value) = history {
        try await store.log(
          run: id, metrics: (value["metrics"]?.arrayValue ?? []).compactMap(MetricPoint.init(mlflow:)))
      }
    }
    let scheme = "mlflow-artifacts:/"
    if let uri = info["artifact_uri"]?.stringValue, uri.hasPrefix(scheme) {
      try await artifacts(of: id, at: String(uri.dropFirst(scheme.count)), in: "")
    }
    try await traces(of: id, experiment: info["experiment_id"]?.stringValue ?? "0")
  }

  // MARK: Runs

  /// Writes a run as it stands on the server into the store.
  ///
  /// - Returns: false for one that we made, or that has no place here.
  @discardableResult
  private func take(_ run: JSONValue) async throws(HoneError) -> Bool {
    guard let info = run["info"], let id = info["run_id"]?.stringValue, isRunID(id) else { return false }
    let data = run["data"]
    let tags = data?["tags"]?.keyValues ?? [:]
    if tags[RunUpload.idTag] != nil { return false }
    let known = try state.counterpart(remote: id)
    if known?.isForeign == false { return false }
    if known == nil {
      let name = try await experimentName(info["experiment_id"]?.stringValue ?? "0")
      let experiment = try await store.experiment(named: name)
      var parent = tags["mlflow.parentRunId"]?.stringValue
      if let remote = parent, let ours = try state.counterpart(remote: remote) { parent = ours.local }
      if let wanted = parent, try await !exists(wanted) { parent = nil }
      if try await !exists(id) {
        _ = try await store.createRun(
          NewRun(
            id: id, experimentID: experiment.id, name: info["run_name"]?.stringValue, parentID: parent,
            startTime: info["start_time"]?.whole, user: info["user_id"]?.stringValue))
      }
      try state.keep(
        MirrorState.Counterpart(local: id, remote: id, artifacts: nil, fingerprint: "", isForeign: true))
    }
    let plain = tags.filter { $0 != "mlflow.parentRunId" }.pairs
    let points = (data?["metrics"]?.arrayValue ?? []).compactMap(MetricPoint.init(mlflow:))
    try await store.log(run: id, params: data?["params"]?.keyValues.pairs ?? [], metrics: points, tags: plain)
    if let status = info["status"]?.stringValue.flatMap({ RunStatus(rawValue: $0) }) {
      try await store.updateRun(id, status: status, endTime: info["end_time"]?.whole)
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
    return try api.value(of: answer, doing: "name experiment \(id)")["experiment"]?["name"]?.stringValue ?? "Default"
  }

  private func artifacts(of run: String, at root: String, in directory: String) async throws(HoneError) {
    let path = directory.isEmpty ? root : "\(root)/\(directory)"
    let answer = try await api.get("2.0/mlflow-artifacts/artifacts", [("path", path)])
    guard case .value(let value) = answer else { return }
    for file in value["files"]?.arrayValue ?? [] {
      guard let name = file["path"]?.stringValue, let last = name.split(separator: "/").last else { continue }
      let place = directory.isEmpty ? String(last) : "\(directory)/\(last)"
      if file["is_dir"] == true {
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
        "locations": [["type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)]]],
        "filter": .string("run_id = '\(run)'"), "max_results": 500,
      ])
    guard case .value(let value) = answer else { return }
    for info in value["traces"]?.arrayValue ?? [] {
      if let id = info["trace_id"]?.stringValue { try await trace(id, run: run) }
    }
  }

  /// One trace with its spans and assessments; nothing where the server has none of that id.
  func trace(_ text: String, run: String? = nil) async throws(HoneError) {
    guard let id = TraceID(text),
      case .value(let value) = try await api.get("3.0/mlflow/traces/get", [("trace_id", text)]),
      let info = value["trace"]?["trace_info"]
    else { return }
    let metadata = info["trace_metadata"]?.objectValue ?? [:]
    let source = run ?? metadata["mlflow.sourceRun"]?.stringValue
    let spans = (value["trace"]?["spans"]?.arrayValue ?? []).compactMap(Span.init(mlflow:))
    let name = try await experimentName(
      info["trace_location"]?["mlflow_experiment"]?["experiment_id"]?.stringValue ?? "0")
    let usage = metadata["mlflow.trace.tokenUsage"]?.stringValue.flatMap { try? JSONReader.read($0) }
    let assessments = (info["assessments"]?.arrayValue ?? []).compactMap(Assessment.init(mlflow:))
    let isKnown = try await !store.assessments(of: id).isEmpty
    await store.record(
      Trace(
        id: id, name: info["tags"]?["mlflow.traceName"]?.stringValue ?? spans.first?.name ?? "",
        experimentID: try await store.experiment(named: name).id, runID: source,
        spans: spans.sorted { ($0.parent == nil ? 0 : 1, $0.start) < ($1.parent == nil ? 0 : 1, $1.start) },
        status: TraceStatus(word: info["state"]?.stringValue, message: nil),
        usage: TokenUsage(
          inputTokens: usage?["input_tokens"]?.intValue ?? 0, outputTokens: usage?["output_tokens"]?.intValue ?? 0),
        assessments: isKnown ? [] : assessments, metadata: metadata))
    await store.flush()
  }
}

extension JSONValue {
  /// A whole number that may have been written as text, as 64-bit ones are.
  fileprivate var whole: Int? { intValue ?? stringValue.flatMap { Int($0) } }
}

extension MetricPoint {
  fileprivate init?(mlflow point: JSONValue) {
    guard let key = point["key"]?.stringValue,
      let value = point["value"]?.doubleValue ?? point["value"]?.stringValue.flatMap({ Double($0) })
    else { return nil }
    self.init(key, value, step: point["step"]?.whole ?? 0, timestamp: point["timestamp"]?.whole ?? 0)
  }
}

extension Assessment {
  fileprivate init?(mlflow said: JSONValue) {
    guard let name = said["assessment_name"]?.stringValue, said["valid"] != false, let feedback = said["feedback"]
    else { return nil }
    self.init(
      name: name, value: feedback["value"] ?? .null, rationale: said["rationale"]?.stringValue,
      source: said["source"]?["source_type"]?.stringValue.flatMap { Source(rawValue: $0) } ?? .code,
      error: feedback["error"]?["error_message"]?.stringValue, metadata: said["metadata"]?.objectValue ?? [:])
  }
}

extension Span {
  /// From the form of `traces/get`: ids in base64, names with underscores, typed values.
  fileprivate init?(mlflow span: JSONValue) {
    guard let id = Self.number(span["span_id"]), let name = span["name"]?.stringValue,
      let start = span["start_time_unix_nano"]?.whole
    else { return nil }
    var attributes = JSONObject()
    for (key, value) in span["attributes"]?.keyValues ?? [:] { attributes[key] = value.untyped }
    let inputs = attributes["mlflow.spanInputs"]
    let outputs = attributes["mlflow.spanOutputs"]
    let kind = attributes["mlflow.spanType"]?.stringValue ?? SpanKind.unknown.rawValue
    for key in ["mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType", "mlflow.traceRequestId"] {
      attributes[key] = nil
    }
    let events = (span["events"]?.arrayValue ?? []).compactMap { event -> SpanEvent? in
      guard let name = event["name"]?.stringValue else { return nil }
      var facts = JSONObject()
      for (key, value) in event["attributes"]?.keyValues ?? [:] { facts[key] = value.untyped }
      return SpanEvent(name: name, time: event["time_unix_nano"]?.whole ?? start, attributes: facts)
    }
    let code = span["status"]?["code"]?.stringValue
    self.init(
      id: SpanID(id), parent: Self.number(span["parent_span_id"]).map { SpanID($0) }, name: name,
      kind: SpanKind(rawValue: kind), start: start, end: span["end_time_unix_nano"]?.whole ?? start,
      inputs: SpanPayload(line: inputs), outputs: SpanPayload(line: outputs), attributes: attributes, events: events,
      status: code == "STATUS_CODE_ERROR" ? .error(span["status"]?["message"]?.stringValue ?? "") : .ok)
  }

  private static func number(_ base64: JSONValue?) -> UInt64? {
    guard let data = base64?.stringValue.flatMap({ Data(base64Encoded: $0) }), data.count == 8 else { return nil }
    return data.reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension JSONValue {
  /// The plain value of one in OTLP's typed form.
  fileprivate var untyped: JSONValue {
    guard let (kind, value) = objectValue?.first else { return .null }
    switch kind {
    case "int_value": return value.whole.map(JSONValue.int) ?? value
    case "array_value": return .array((value["values"]?.arrayValue ?? []).map(\.untyped))
    case "kvlist_value":
      return .object(JSONObject((value["values"]?.keyValues ?? [:]).map { ($0.key, $0.value.untyped) }))
    default: return value
    }
  }
}
