import Evaluation
import Failures
import JSON
import LanguageModels
import Optimizers
import Programs
import Schema
import Tracking

/// A compile under way: searches, tracks the course and the outcome, and makes the answer.
struct CompileJob: Job {
  let order: CompileOrder
  let run: OpenRun
  let service: Service
  private let start = ContinuousClock.now

  /// - Parameter run: just made, or taken up.
  init(_ order: CompileOrder, _ run: OpenRun, _ service: Service) {
    self.order = order
    self.run = run
    self.service = service
  }

  var runID: String? { run.id }
  var experimentID: String { run.experimentID }

  func run(_ work: Work) async -> Result<JSONValue, HoneError> {
    let recorder = RunRecorder(
      store: run.store, logger: service.logger, experimentID: run.experimentID, parentID: run.id,
      logsEvaluations: order.autolog.evals, languageModel: order.taskModel.configuration,
      account: run.account)
    var trouble = await tracked(service) { () async throws(HoneError) in if let id = run.id { try await describe(id, run.store) } }
    let progress = RunProgress(work.watchers, account: run.account, runID: run.id, namesRuns: order.autolog.evals)
    var session = EngineSession(
      runID: run.id, experimentID: run.experimentID, account: run.account, concurrency: order.concurrency,
      events: Listeners(all: [recorder, progress]), traces: order.autolog.tracesFromCompile ? run.store : nil,
      maxErrors: order.maxErrors)
    session.callbacks = order.callbacks
    session.tracksEvaluations = order.autolog.evals
    let task = order.task(session)
    let result = await work.stoppable { await order.optimizer.compile(task) }

    trouble += await tracked(service) { () async throws(HoneError) in
      try await run.account.close(in: run.store)
    }
    let outcome = RunOutcome(result.stopped, work.stopReason)
    let error = result.stopped?.explained(outcome, work.stopReason, run: run.id, home: service.home)
    let answer = CompileAnswer(job: self, result: result, outcome: outcome, error: error, seconds: seconds,
      adapter: recorder.adapter)
    let warnings = order.warnings + recorder.allWarnings
    var json = answer.json(warnings: warnings + trouble)
    trouble += await trackedEnd(service, run.store) { [json] id throws(HoneError) in
      try await finish(id, answer, json, recorder)
    }
    if !trouble.isEmpty { json = answer.json(warnings: warnings + trouble) }
    // Traces are there when the result is.
    await run.store.flush()
    // Where nothing was answered there is nothing to return but the error.
    if let error, outcome == .paused || outcome == .failed, result.trials.isEmpty, run.account.usage.total.answered == 0 {
      return .failure(error)
    }
    return .success(.object(json))
  }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  // MARK: Tracking

  /// What the run is about. Done again when the run is taken up, where it changes nothing.
  private func describe(_ id: String, _ store: TrackingStore) async throws(HoneError) {
    var params: [KeyValue] = [KeyValue("optimizer", type(of: order.optimizer).name)]
    for (key, value) in order.optimizer.json where !value.isNull { params.append(KeyValue(key, pythonText(value))) }
    params.append(KeyValue("lm_params", modelParams(order.taskModel.configuration)))
    if let model = order.promptModel { params.append(KeyValue("prompt_model_params", modelParams(model.configuration))) }
    if let model = order.teacher { params.append(KeyValue("teacher_params", modelParams(model.configuration))) }
    params.append(KeyValue("metric", order.metric.name))
    params.append(KeyValue("trainset_size", "\(order.trainset.count)"))
    if let valset = order.valset { params.append(KeyValue("valset_size", "\(valset.count)")) }
    params.append(KeyValue("signature", order.student.module.signatureText))
    params.append(KeyValue("module", order.student.module.className))
    // How many ran at once may change when the run goes on, so the first one stays.
    let known = try await store.run(id).params
    if known.value(of: "concurrency") == nil { params.append(KeyValue("concurrency", "\(order.concurrency)")) }
    try await store.log(run: id, params: params)
    var inputs = [datasetInput(order.trainset, context: "training")]
    if let valset = order.valset { inputs.append(datasetInput(valset, context: "validation")) }
    try await store.logInputs(run: id, inputs)
    let train = table(order.trainset.rows)
    try await store.writeTable(run: id, path: "trainset.json", columns: train.columns, rows: train.rows)
    if let valset = order.valset {
      let val = table(valset.rows)
      try await store.writeTable(run: id, path: "valset.json", columns: val.columns, rows: val.rows)
    }
    try await store.writeArtifact(run: id, path: "initial_model.json", text: StateFile.text(order.student))
  }

  private func finish(
    _ id: String, _ answer: CompileAnswer, _ json: JSONObject, _ recorder: RunRecorder
  ) async throws(HoneError) {
    let result = answer.result
    let store = run.store
    try await store.writeArtifact(run: id, path: "best_model.json", text: StateFile.text(result.program))
    let search: JSONValue = [
      "trials": json["trials"] ?? .null, "instructions": .array(recorder.proposals),
      "comparison": json["comparison"] ?? .null,
    ]
    try await store.writeArtifact(run: id, path: "trials.json", text: search.text(.indented))
    var metrics = usageMetrics(run.account.usage.total)
    metrics.append(Tracking.Metric("trials", Double(result.trials.count)))
    if let score = result.baseline?.result.score { metrics.append(Tracking.Metric("baseline_score", score)) }
    if let score = result.best?.result.score { metrics.append(Tracking.Metric("score", score)) }
    var tags = [KeyValue(HoneTag.status, answer.outcome.word)]
    if let best = result.best {
      if order.autolog.evals { tags.append(KeyValue(HoneTag.bestRun, best.evaluation.id)) }
      tags.append(KeyValue(HoneTag.bestScore, "\(best.result.score)"))
    }
    if let error = answer.error { tags.append(KeyValue(HoneTag.error, error.message)) }
    try await store.endRun(
      id, status: answer.outcome.runStatus, seconds: answer.seconds, metrics: metrics, tags: tags,
      result: .object(json))
  }
}

extension CompileOrder {
  func task(_ session: EngineSession) -> CompileTask {
    var task = CompileTask(
      student: student, trainset: trainset.rows, valset: valset?.rows, metric: metric, taskModel: taskModel,
      promptModel: promptModel, session: session)
    task.teacherModel = teacher
    return task
  }
}
