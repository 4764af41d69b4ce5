import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Logging
import Messages
import Platform
import Programs
import Schema
import Statistics
import Synchronization
import Tracking

/// The listener that tracks: a run for each evaluation, and the search's course on the run above them.
///
/// Tracking is worth less than the work it follows: what cannot be written is logged as a warning, and the work goes on.
final class RunRecorder: EventSink {
  private let store: TrackingStore
  private let notes: JobNotes
  private let logger: Logger
  private let experimentID: String
  /// The run of the compile; nil where none is tracked, and evaluations stand by themselves.
  private let parentID: String?
  private let logsEvaluations: Bool
  private let languageModel: ModelConfiguration
  private let account: RunAccount
  private let user: String?
  /// Evaluations that an earlier session of the run had finished, with the score they had.
  private let standing = Mutex<[String: Double]>([:])

  /// - Parameter notes: hears what cannot be written.
  init(_ run: OpenRun, _ notes: JobNotes, logger: Logger, logsEvaluations: Bool, languageModel: ModelConfiguration) {
    store = run.store
    self.notes = notes
    self.logger = logger
    experimentID = run.experimentID
    parentID = run.id
    self.logsEvaluations = logsEvaluations
    self.languageModel = languageModel
    account = run.account
    user = Environment.value("USER") ?? Environment.value("LOGNAME")
  }

  func emit(_ event: EngineEvent) async {
    do throws(HoneError) {
      switch event {
      case .evaluationStarted(let info): try await start(info)
      case .evaluationFinished(let info, let result): try await finish(info, result)
      case .evaluationStopped(let info, let result, let error): try await stop(info, result, error)
      case .trialFinished(let trial): try await note(trial)
      case .adapterDecided(let decided):
        if let parentID {
          try await store.log(run: parentID, params: [KeyValue("adapter", decided.format.rawValue)])
        }
      case .warning(let text): logger.warning("\(text)")
      case .summary(let text):
        if let parentID { try await store.setTag(run: parentID, HoneTag.summary, text) }
      case .phase, .planned, .exampleFinished, .demoSetReady, .instructionProposed: break
      }
    } catch {
      logger.warning("Tracking failed: \(error.message)")
      notes.warn("Tracking failed: \(error.message)")
    }
  }

  private func start(_ info: EvaluationInfo) async throws(HoneError) {
    guard logsEvaluations else { return }
    if try await store.findRun(info.id) != nil {
      guard try await takeUp(info) else { return }
    } else {
      _ = try await store.createRun(
        NewRun(
          id: info.id, experimentID: experimentID, name: info.name, parentID: parentID, user: user,
          sourceName: "hone", sourceType: "LOCAL",
          tags: modelTags(languageModel) + [
            KeyValue(HoneTag.evaluation, info.identity), KeyValue(HoneTag.trial, "\(info.place)"),
            KeyValue(HoneTag.choice, info.choice),
          ]))
    }
    var params = stateParams(info.program)
    params.append(KeyValue("lm_params", modelParams(languageModel)))
    for (key, value) in info.coordinates { params.append(KeyValue(key, pythonText(value))) }
    params.append(KeyValue("metric", info.metric))
    params.append(KeyValue("rows", "\(info.rows.count)"))
    try await store.log(run: info.id, params: params)
    try await store.writeArtifact(run: info.id, path: "model.json", text: StateFile.text(info.program))
  }

  /// Goes on with an evaluation's run of an earlier session; false if that session had finished it.
  private func takeUp(_ info: EvaluationInfo) async throws(HoneError) -> Bool {
    let run = try await store.run(info.id)
    // Another place than before, or none: an earlier version noted none.
    if run.tags.value(of: HoneTag.trial) != "\(info.place)" {
      try await store.setTag(run: info.id, HoneTag.trial, "\(info.place)")
    }
    if run.tags.value(of: HoneTag.evaluation) != info.identity {
      // An outage that is over now had led the search elsewhere.
      try await store.clearRun(info.id)
      try await store.setTag(run: info.id, HoneTag.evaluation, info.identity)
    } else if run.info.status == .finished, let score = run.metric("eval"), run.metric("coverage") == 1 {
      standing.withLock { $0[info.id] = score }
      return false
    }
    try await store.updateRun(info.id, status: .running)
    return true
  }

  private func finish(_ info: EvaluationInfo, _ result: EvaluationResult) async throws(HoneError) {
    if logsEvaluations, standing.withLock({ $0[info.id] }) != result.score {
      try await store.keep(result, run: info.id)
      try await store.log(run: info.id, metrics: summaryMetrics(result), .replacing)
      try await store.updateRun(info.id, status: .finished)
    }
    if let parentID, let score = result.score {
      try await store.log(
        run: parentID, metrics: [MetricPoint(info.key, score, step: info.index)], .replacing)
    }
  }

  private func stop(
    _ info: EvaluationInfo, _ result: EvaluationResult?, _ error: HoneError
  ) async throws(HoneError) {
    guard logsEvaluations, standing.withLock({ $0[info.id] }) == nil else { return }
    if let result {
      try await store.keep(result, run: info.id)
      // Of the rows that were asked; `count` says how many.
      try await store.log(run: info.id, metrics: summaryMetrics(result), .replacing)
    }
    try await store.setTag(run: info.id, HoneTag.error, error.messageWithCause)
    try await store.updateRun(info.id, status: RunOutcome(error, nil).runStatus)
  }

  private func note(_ trial: Trial) async throws(HoneError) {
    guard let parentID else { return }
    try await store.logTrial(run: parentID, number: trial.number, TrialResult(trial, namesRun: logsEvaluations).given)
    let usage = account.usage.total
    let paid = [
      MetricPoint("trial_calls", Double(usage.calls), step: trial.number),
      MetricPoint("trial_cost", usage.knownCost, step: trial.number),
    ]
    // A run that is done again has paid for everything before its first trial.
    try await store.log(run: parentID, metrics: paid, .keepingFirst)
    guard let best = trial.bestSoFar else { return }
    try await store.log(run: parentID, metrics: [MetricPoint("best_score", best, step: trial.number)], .replacing)
  }
}

/// `eval` and what belongs to it, as metrics.
func summaryMetrics(_ result: EvaluationResult) -> [MetricPoint] {
  var metrics = [
    MetricPoint("count", Double(result.count)), MetricPoint("failed", Double(result.failed)),
    MetricPoint("coverage", result.coverage),
    MetricPoint("unreadable", result.replies.share(\.unreadable)), MetricPoint("cut", result.replies.share(\.cut)),
    MetricPoint("repaired", result.replies.share(\.repaired)),
  ]
  if let score = result.score { metrics.insert(MetricPoint("eval", score), at: 0) }
  for (kind, count) in result.failures.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
    metrics.append(MetricPoint("failed.\(kind.rawValue)", Double(count)))
  }
  if result.refused > 0 { metrics.append(MetricPoint("refused", Double(result.refused))) }
  if let interval = result.interval {
    metrics.append(MetricPoint("eval_low", interval.low))
    metrics.append(MetricPoint("eval_high", interval.high))
  }
  return metrics
}

/// What a run paid for, as metrics.
func usageMetrics(_ usage: UsageReport.Entry) -> [MetricPoint] {
  var metrics = [
    MetricPoint("calls", Double(usage.calls)), MetricPoint("calls_cached", Double(usage.cached)),
    MetricPoint("tokens", Double(usage.tokens.totalTokens)),
  ]
  if let cost = usage.cost { metrics.append(MetricPoint("cost", cost)) }
  return metrics
}

extension EvaluationInfo {
  /// What is evaluated: tells an evaluation done again from another one under the same name.
  fileprivate var identity: String {
    let rows = rows.map(String.init).joined(separator: ",")
    return String(ContentDigest.of("\(programID(program)) \(rows)").description.prefix(16))
  }
}

/// A model's settings as MLflow's `lm_params`: JSON with sorted names.
func modelParams(_ configuration: ModelConfiguration) -> String {
  let members = configuration.json.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  return JSONValue.object(JSONObject(members)).text(.spaced)
}

/// Tags that say which model a run used, so that its program can be loaded back with it.
func modelTags(_ configuration: ModelConfiguration) -> [KeyValue] {
  var tags = [KeyValue(HoneTag.languageModel, JSONValue.object(configuration.json).text())]
  if configuration.isSimulated { tags.append(KeyValue(HoneTag.simulated, "true")) }
  return tags
}
