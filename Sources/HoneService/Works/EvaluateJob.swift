import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Synchronization
import Tracking

/// An evaluation that was asked for by itself, under way: one run with everything in it.
struct EvaluateJob: Job {
  let order: EvaluateOrder
  let run: OpenRun
  let service: Service
  private let start = ContinuousClock.now

  /// - Parameter run: just made, or taken up.
  init(_ order: EvaluateOrder, _ run: OpenRun, _ service: Service) {
    self.order = order
    self.run = run
    self.service = service
  }

  var runID: String? { run.id }
  var experimentID: String { run.experimentID }

  func run(_ work: Work) async -> Result<JSONValue, HoneError> {
    let listener = PartialResult()
    var trouble = await tracked(service) { () async throws(HoneError) in if let id = run.id { try await describe(id, run.store) } }
    let progress = RunProgress(work.watchers, account: run.account, runID: run.id, namesRuns: run.id != nil)
    var session = EngineSession(
      runID: run.id, experimentID: run.experimentID, account: run.account, concurrency: order.concurrency,
      events: Listeners(all: [listener, progress]), traces: order.autolog.tracesFromEval ? run.store : nil,
      maxErrors: order.maxErrors)
    session.callbacks = order.callbacks
    session.tracksEvaluations = run.id != nil
    var info = EvaluationInfo(
      run: nil, key: "eval", index: 0, program: order.program, rows: Array(order.devset.rows.indices),
      metric: order.metric.name)
    if let id = run.id { info.id = id }
    await session.events.emit(.planned(executions: order.devset.count))
    await session.events.emit(.phase("evaluate", message: "Evaluating \(order.devset.count) examples"))
    let evaluator = Evaluator(session: session, model: order.model, metric: order.metric)
    let (announced, rows, engine) = (info, order.devset.rows, session)
    let ended = await work.stoppable {
      await attempt { () async throws(HoneError) in
        var announced = announced
        try await decideAdapter(&announced.program, engine)
        return try await evaluator.evaluate(announced, examples: rows)
      }
    }

    var stopped: HoneError?
    if case .failure(let error) = ended { stopped = error }
    let result = (try? ended.get()) ?? listener.result
    trouble += await tracked(service) { () async throws(HoneError) in
      try await run.account.close(in: run.store)
    }
    let outcome = RunOutcome(stopped, work.stopReason)
    let error = stopped?.explained(outcome, work.stopReason, run: run.id, home: service.home)
    let warnings = order.warnings + listener.warnings
    let adapter = listener.adapter
    var json = answer(result, outcome, error, adapter, warnings: warnings + trouble)
    trouble += await trackedEnd(service, run.store) { [json] id throws(HoneError) in
      try await finish(id, result, outcome, error, json)
    }
    if !trouble.isEmpty { json = answer(result, outcome, error, adapter, warnings: warnings + trouble) }
    // Traces are there when the result is.
    await run.store.flush()
    // Where nothing was judged there is nothing to return but the error.
    let isScored = result?.examples.contains { $0.score != nil } ?? false
    if let error, outcome == .paused || outcome == .failed, !isScored { return .failure(error) }
    return .success(.object(json))
  }

  /// Learns in which form the model is to be asked, where that is open.
  private func decideAdapter(_ program: inout Program, _ session: EngineSession) async throws(HoneError) {
    guard program.adapter == nil else { return }
    let trial = AdapterTrial(session: session, model: order.model, metric: order.metric)
    guard let decision = try await trial.decide(program, rows: order.devset.rows, goodScore: AdapterTrial.forEvaluations) else { return }
    program.adapter = decision.format
    await session.events.emit(.adapterDecided(decision))
    if decision.isHopeless {
      let error = decision.unreadable(order.model.configuration)
      await session.events.emit(.warning([error.message, error.remedy].compactMap(\.self).joined(separator: " ")))
    }
    guard let id = run.id else { return }
    let decided = program
    let trouble = await tracked(service) { () async throws(HoneError) in
      try await run.store.log(run: id, params: [KeyValue("adapter", decision.format.rawValue)])
      try await run.store.writeArtifact(run: id, path: "model.json", text: StateFile.text(decided))
    }
    for warning in trouble { await session.events.emit(.warning(warning)) }
  }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  private func answer(
    _ result: EvaluationResult?, _ outcome: RunOutcome, _ error: HoneError?, _ adapter: AdapterDecision?,
    warnings: [String]
  ) -> JSONObject {
    var object: JSONObject = [
      "runId": JSONValue(run.id), "experimentId": .string(run.experimentID), "status": .string(outcome.word),
    ]
    for (key, value) in (result ?? EvaluationResult([])).summary { object[key] = value }
    if let adapter { object["adapter"] = .object(adapter.json) }
    let examples = result?.examples ?? []
    // A mean of nothing is no score.
    if result?.coverage ?? 0 == 0 { object["score"] = .null }
    object["results"] = .array(examples.prefix(order.maxResults).map { .object($0.json) })
    if examples.count > order.maxResults { object["resultsTruncated"] = true }
    object["usage"] = .object(run.account.usage.json)
    object["seconds"] = .double((seconds * 1000).rounded() / 1000)
    if order.model.configuration.isSimulated { object["simulated"] = true }
    if !warnings.isEmpty { object["warnings"] = .array(warnings.map(JSONValue.string)) }
    if let error { object["error"] = error.json }
    if let id = run.id, outcome != .finished { object["resumeCommand"] = .string(resumeCommand(id, home: service.home)) }
    return object
  }

  // MARK: Tracking

  /// What the run is about. Done again when the run is taken up, where it changes nothing.
  private func describe(_ id: String, _ store: TrackingStore) async throws(HoneError) {
    var params = stateParams(order.program)
    params.append(KeyValue("lm_params", modelParams(order.model.configuration)))
    params.append(KeyValue("metric", order.metric.name))
    // How many ran at once may change when the run goes on, so the first one stays.
    let known = try await store.run(id).params
    if known.value(of: "concurrency") == nil { params.append(KeyValue("concurrency", "\(order.concurrency)")) }
    try await store.log(run: id, params: params)
    try await store.logInputs(run: id, [datasetInput(order.devset, context: "evaluation")])
    try await store.writeArtifact(run: id, path: "model.json", text: StateFile.text(order.program))
  }

  private func finish(
    _ id: String, _ result: EvaluationResult?, _ outcome: RunOutcome, _ error: HoneError?, _ json: JSONObject
  ) async throws(HoneError) {
    var metrics = usageMetrics(run.account.usage.total)
    if let result {
      try await run.store.keep(result, run: id)
      metrics += summaryMetrics(result)
    }
    var tags = [KeyValue(HoneTag.status, outcome.word)]
    if let error { tags.append(KeyValue(HoneTag.error, error.message)) }
    try await run.store.endRun(
      id, status: outcome.runStatus, seconds: seconds, metrics: metrics, tags: tags, result: .object(json))
  }
}

/// The listener that keeps what was scored before an evaluation was stopped.
private final class PartialResult: EventSink {
  private struct State {
    var result: EvaluationResult?
    var warnings: [String] = []
    var adapter: AdapterDecision?
  }

  private let state = Mutex(State())

  var result: EvaluationResult? { state.withLock { $0.result } }
  var warnings: [String] { state.withLock { $0.warnings } }
  var adapter: AdapterDecision? { state.withLock { $0.adapter } }

  func emit(_ event: EngineEvent) async {
    switch event {
    case .evaluationStopped(_, let result, _): state.withLock { $0.result = result }
    case .adapterDecided(let decision): state.withLock { $0.adapter = decision }
    case .warning(let text): state.withLock { $0.warnings.append(text) }
    default: break
    }
  }
}
