import Evaluation
import Failures
import JSON
import LanguageModels
import Logging
import Programs
import Synchronization
import Tracking

/// The listener that tracks an evaluation that was asked for by itself: one run with everything in it.
final class EvaluationRecorder: EventSink {
  private struct State {
    var partial: EvaluationResult?
    var warnings: [String] = []
  }

  private let store: TrackingStore
  private let logger: Logger
  private let experimentID: String
  private let isOn: Bool
  private let tracking: RunSetup
  private let devset: Dataset
  private let languageModel: ModelConfiguration
  private let concurrency: Int
  private let account: RunAccount
  private let state = Mutex(State())

  init(
    store: TrackingStore, logger: Logger, experimentID: String, isOn: Bool, tracking: RunSetup, devset: Dataset,
    languageModel: ModelConfiguration, concurrency: Int, account: RunAccount
  ) {
    self.store = store
    self.logger = logger
    self.experimentID = experimentID
    self.isOn = isOn
    self.tracking = tracking
    self.devset = devset
    self.languageModel = languageModel
    self.concurrency = concurrency
    self.account = account
  }

  /// What was scored before the evaluation was stopped.
  var partial: EvaluationResult? { state.withLock { $0.partial } }
  var warnings: [String] { state.withLock { $0.warnings } }

  func emit(_ event: EngineEvent) async {
    do throws(HoneError) {
      switch event {
      case .evaluationStarted(let info) where isOn: try await start(info)
      case .evaluationFinished(let info, let result) where isOn: try await finish(info, result, nil)
      case .evaluationStopped(let info, let result, let error):
        state.withLock { $0.partial = result }
        if isOn { try await finish(info, result, error) }
      case .warning(let text): state.withLock { $0.warnings.append(text) }
      default: break
      }
    } catch {
      logger.warning("Tracking failed: \(error.message)")
      state.withLock { $0.warnings.append("Tracking failed: \(error.message)") }
    }
  }

  private func start(_ info: EvaluationInfo) async throws(HoneError) {
    _ = try await store.createRun(
      NewRun(
        id: info.id, experimentID: experimentID, name: tracking.runName ?? "eval", user: Environment.value("USER"),
        sourceName: "hone", sourceType: "LOCAL",
        tags: tracking.tags + modelTags(languageModel)
          + [KeyValue(HoneTag.kind, "evaluate"), KeyValue("mlflow.autologging", "hone")]))
    try await store.acquireLease(run: info.id)
    var params = stateParams(info.program)
    params.append(KeyValue("lm_params", modelParams(languageModel)))
    params.append(KeyValue("metric", info.metric))
    params.append(KeyValue("concurrency", "\(concurrency)"))
    try await store.log(run: info.id, params: params)
    try await store.logInputs(run: info.id, [datasetInput(devset, context: "evaluation")])
    try await store.writeArtifact(run: info.id, path: "model.json", text: StateFile.text(info.program))
  }

  private func finish(
    _ info: EvaluationInfo, _ result: EvaluationResult?, _ error: HoneError?
  ) async throws(HoneError) {
    if let result {
      try await store.keep(result, run: info.id)
      try await store.log(run: info.id, metrics: summaryMetrics(result))
    }
    let usage = account.usage.total
    let outcome = RunOutcome(error)
    var tags = [KeyValue(HoneTag.status, outcome.word)]
    if let error { tags.append(KeyValue(HoneTag.error, error.message)) }
    try await store.log(
      run: info.id,
      metrics: [
        Tracking.Metric("calls", Double(usage.calls)), Tracking.Metric("calls_cached", Double(usage.cached)),
        Tracking.Metric("tokens", Double(usage.tokens.totalTokens)),
      ], tags: tags)
    try await store.updateRun(info.id, status: outcome.runStatus)
    try await store.releaseLease(run: info.id)
  }
}
