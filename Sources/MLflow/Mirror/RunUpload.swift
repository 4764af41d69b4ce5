import Basics
import Delivery
import Failures
import JSON
import Logging
import Schema
import RunFiles
import Tracking

/// Brings one run of the store, as it stands, to an MLflow server. What the server has already is sent again without
/// harm: parameters are written once, points of a metric are known by all they hold.
struct RunUpload: Sendable {
  let store: TrackingStore
  let api: MLflowAPI
  let state: MirrorState
  let logger: Logger

  /// By which a run on the server is known as ours.
  static let idTag = "hone.runId"
  /// By which MLflow knows a run's parent.
  static let parentTag = "mlflow.parentRunId"
  /// MLflow's limits on one batch and on the length of a parameter and a tag.
  private static let batch = 100
  private static let pointBatch = 1000
  private static let paramLength = 6000
  private static let tagLength = 8000

  /// - Returns: whether anything was sent.
  func send(_ id: String) async throws(HoneError) -> Bool {
    let known = try state.counterpart(of: id)
    if known?.isForeign == true { return false }
    let run = try await store.run(id)
    let files = try await artifacts(of: id, in: "")
    let fingerprint = Self.fingerprint(run, files)
    if known?.fingerprint == fingerprint { return false }
    var target: MirrorState.Counterpart
    if let known { target = known } else { target = try await create(run) }
    if run.info.lifecycle == .active { try await fill(target, run, files) }
    try await end(target, run)
    target.fingerprint = fingerprint
    try state.keep(target)
    return true
  }

  private static func fingerprint(_ run: Run, _ files: [ArtifactEntry]) -> String {
    let listed = files.map { JSONValue.array([.string($0.path), .int($0.size ?? 0)]) }
    return ContentDigest.of(JSONValue.array([RunRecord(run).jsonValue, .array(listed)]).encoded()).description
  }

  private func artifacts(of run: String, in directory: String) async throws(HoneError) -> [ArtifactEntry] {
    var files: [ArtifactEntry] = []
    for entry in try await store.listArtifacts(run: run, path: directory) {
      if entry.isDirectory {
        files += try await artifacts(of: run, in: entry.path)
      } else {
        files.append(entry)
      }
    }
    return files
  }

  // MARK: Making

  /// The server's id of the experiment of that name, made where there is none.
  func experiment(_ id: String) async throws(HoneError) -> String {
    let experiment = try await store.experiment(id: id)
    let found = try await api.get("2.0/mlflow/experiments/get-by-name", [("experiment_name", experiment.name)])
    if case .value(let reply) = found, let known = reply.experiment, let remote = known.id {
      if known.lifecycleStage == Lifecycle.deleted.rawValue {
        _ = try await api.post("2.0/mlflow/experiments/restore", ["experiment_id": .string(remote)])
      }
      return remote
    }
    let made = try await api.post(
      "2.0/mlflow/experiments/create",
      ["name": .string(experiment.name), "tags": PairList(experiment.tags).jsonValue])
    let reply = try api.value(of: made, doing: "make the experiment \"\(experiment.name)\"")
    guard let remote = reply.experimentID else { throw unreadable("experiments/create") }
    return remote
  }

  private func create(_ run: Run) async throws(HoneError) -> MirrorState.Counterpart {
    let experiment = try await experiment(run.info.experimentID)
    // A reply that was lost must not make a second run.
    let clause = "tags.`\(Self.idTag)` = '\(run.id)'"
    let search: JSONValue = [
      "experiment_ids": [.string(experiment)], "filter": .string(clause), "run_view_type": "ALL", "max_results": 1,
    ]
    if case .value(let reply) = try await api.post("2.0/mlflow/runs/search", search),
      let found = reply.runs.first, let counterpart = counterpart(run, found.info)
    {
      return counterpart
    }
    let made = try await api.post(
      "2.0/mlflow/runs/create",
      [
        "experiment_id": .string(experiment), "run_name": .string(run.info.name), "user_id": .string(run.info.user),
        "start_time": .int(run.info.startTime), "tags": PairList(try await tags(run)).jsonValue,
      ])
    let reply = try api.value(of: made, doing: "make the run \(run.info.name)")
    guard let info = reply.run?.info, let counterpart = counterpart(run, info) else {
      throw unreadable("runs/create")
    }
    try state.keep(counterpart)
    return counterpart
  }

  private func counterpart(_ run: Run, _ info: MLflowRun.Info) -> MirrorState.Counterpart? {
    guard let remote = info.id else { return nil }
    if info.artifactPath == nil {
      logger.warning("The server stores artifacts where only its own clients reach them; those of \(run.id) stay here")
    }
    return MirrorState.Counterpart(
      local: run.id, remote: remote, artifacts: info.artifactPath, fingerprint: "", isForeign: false)
  }

  private func unreadable(_ what: String) -> HoneError {
    HoneError(.storeUnavailable, "\(api.sender.base) answered \(what) in a form that MLflow does not use.")
  }

  // MARK: Filling

  /// The run's tags with its id here and the parent's as the server knows it.
  private func tags(_ run: Run) async throws(HoneError) -> [KeyValue] {
    var tags = run.tags.filter { $0.key != Self.idTag }
      .map { KeyValue($0.key, String($0.value.prefix(Self.tagLength))) }
    if let parent = run.info.parentID {
      if try state.counterpart(of: parent) == nil { _ = try await send(parent) }
      if let remote = try state.counterpart(of: parent)?.remote {
        tags.removeAll { $0.key == Self.parentTag }
        tags.append(KeyValue(Self.parentTag, remote))
      }
    }
    return tags + [KeyValue(Self.idTag, run.id)]
  }

  private func fill(
    _ target: MirrorState.Counterpart, _ run: Run, _ files: [ArtifactEntry]
  ) async throws(HoneError) {
    let id = JSONValue.string(target.remote)
    let params = run.params.map { KeyValue($0.key, String($0.value.prefix(Self.paramLength))) }
    let tags = try await tags(run)
    for first in stride(from: 0, to: max(params.count, tags.count), by: Self.batch) {
      let part = PairList(Array(params.dropFirst(first).prefix(Self.batch)))
      let more = PairList(Array(tags.dropFirst(first).prefix(Self.batch)))
      note(
        try await api.post(
          "2.0/mlflow/runs/log-batch",
          ["run_id": id, "params": part.jsonValue, "tags": more.jsonValue, "metrics": []]), run)
    }
    for metric in run.metrics { try await sendHistory(of: metric.key, target, run) }
    if !run.inputs.isEmpty {
      note(
        try await api.post(
          "2.0/mlflow/runs/log-inputs",
          ["run_id": id, "datasets": .array(run.inputs.map { MLflowDatasetInput($0).jsonValue })]), run)
    }
    if let directory = target.artifacts { for file in files { try await send(file, to: directory, run) } }
  }

  private func sendHistory(
    of key: String, _ target: MirrorState.Counterpart, _ run: Run
  ) async throws(HoneError) {
    var token: String?
    repeat {
      let page = try await store.metricHistory(run: run.id, key: key, maxResults: Self.pointBatch, pageToken: token)
      token = page.nextPageToken
      note(
        try await api.post(
          "2.0/mlflow/runs/log-batch",
          [
            "run_id": .string(target.remote), "params": [], "tags": [],
            "metrics": .array(page.items.map { MLflowPoint($0).jsonValue }),
          ]), run)
    } while token != nil
  }

  private func send(_ file: ArtifactEntry, to directory: String, _ run: Run) async throws(HoneError) {
    let content = try await store.readArtifact(run: run.id, path: file.path)
    let version = ContentDigest.of(content.bytes).description
    guard try state.artifactVersion(run.id, file.path) != version else { return }
    note(try await api.upload(content.bytes, to: "\(directory)/\(file.path)"), run)
    try state.keepArtifact(run.id, file.path, version: version)
  }

  private func end(_ target: MirrorState.Counterpart, _ run: Run) async throws(HoneError) {
    let id = JSONValue.string(target.remote)
    if run.info.lifecycle == .deleted {
      note(try await api.post("2.0/mlflow/runs/delete", ["run_id": id]), run)
      return
    }
    var update = MLflowRun.Info()
    update.id = target.remote
    update.status = run.info.status.rawValue
    update.name = run.info.name
    update.end = run.info.endTime.map { WideNumber($0) }
    note(try await api.post("2.0/mlflow/runs/update", update.jsonValue), run)
  }

  /// One thing that the server will not take must not hold up the rest; it stays in the store and in the log.
  private func note(_ answer: MLflowAPI.Answer, _ run: Run) {
    if case .refusal(let refusal) = answer {
      logger.warning("The server refused a part of run \(run.id): \(refusal.message) (\(refusal.status))")
    }
  }
}
