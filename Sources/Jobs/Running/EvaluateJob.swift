import Datasets
package import Evaluation
package import Failures
import JSON
package import LanguageModels
import Programs
import Schema
package import Tracking

/// What an `evaluate` request asks for, read and checked: an evaluation by itself, one run with everything in it.
package struct EvaluateJob: Job {
  package static let method = "evaluate"

  var program: Program
  var devset: Dataset
  /// The rows of it that are scored.
  var scored: [Int]
  var metric: any Metric
  package var model: ModelClient
  package var terms: JobTerms
  /// How many examples the result lists.
  var maxResults: Int

  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong.
  package init(_ request: EvaluateRequest, _ resolver: RequestResolver) async throws(HoneError) {
    await resolver.fetch(request.devset)
    var resolved = try await resolver.program(request.program, module: request.module)
    var devset = try await resolver.dataset(request.devset, at: "devset")
    resolved = resolver.adapting(resolver.naming(resolved, inputs: devset?.inputKeys), to: request.adapter)
    let metric = try await resolver.metric(request.metric)
    var warnings: [String] = []
    devset = resolver.readingGold(devset, "devset", resolved?.program, metric, &warnings)
    let configuration = resolver.taskConfiguration(request.lm, fallback: resolved?.configuration)
    resolver.checkDetached(request.detach, isTracked: request.autolog.evals, switchName: "evals")
    resolver.checkRows(devset, "devset", resolved?.program)
    resolver.checkMetricFields(resolved?.program, rows: devset)
    let answers = try await resolver.answers()
    let client = resolver.client(configuration, "lm", knowledge: [devset], answers: answers)
    let vectorizer = resolver.vectorizer(request.vectorizer, for: resolved?.program, answers: answers)
    var preparation = resolved.flatMap { resolved in
      metric.map { DataPreparation(resolved.program, $0, request.data, comparesRows: !resolver.environment.isCheck) }
    }
    let scored = resolver.scored(devset, "devset", &preparation)
    let whole = try resolver.whole(resolved, devset, metric, client)
    program = whole.0.program
    self.devset = whole.1
    self.scored = scored
    self.metric = whole.2
    model = whole.3
    maxResults = request.maxResults
    var kept = resolver.kept(program: program, metric: self.metric)
    kept["lm"] = .object(model.configuration.json)
    if let vectorizer { kept["vectorizer"] = .object(vectorizer.configuration.json) }
    let models = [model.configuration, vectorizer?.configuration, (whole.2 as? JudgeMetric)?.configuration]
    terms = JobTerms(
      callbacks: try await resolver.callbacks(), vectorizer: vectorizer, tracking: request.tracking,
      autolog: request.autolog,
      concurrency: request.concurrency, budget: resolver.budget(request.budget, asking: models),
      maxErrors: request.maxErrors,
      isDetached: request.detach, warnings: whole.0.warnings + warnings + (preparation?.warnings ?? []), kept: kept,
      keptData: [("devset", self.devset)])
  }

  // MARK: Doing it

  /// What was scored, all of it or what there was when it ended, and what ended it.
  package struct Found: Sendable {
    var result: EvaluationResult?
    var stopped: HoneError?
  }

  package var isTracked: Bool { terms.autolog.evals }
  package var defaultRunName: String? { "eval" }
  package var tracesExecutions: Bool { terms.autolog.tracesFromEval }
  package var tracksEvaluations: Bool { isTracked }

  package func recorder(_ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace) -> (any EventSink)? {
    run.tracked.map { ResultRecorder($0, notes) }
  }

  package func perform(_ session: EngineSession, _ run: OpenRun) async -> Found {
    var info = EvaluationInfo(
      run: nil, key: "eval", index: 0, program: program, rows: scored, metric: metric.name)
    if let id = run.id { info.id = id }
    await session.events.emit(.planned(executions: scored.count))
    do throws(HoneError) {
      try await decideAdapter(&info.program, session, run)
      await session.events.emit(.phase("evaluate", message: "Evaluating \(scored.count) examples"))
      let evaluator = Evaluator(session: session, model: model, metric: metric, keeping: maxResults)
      let result = try await evaluator.evaluate(info, examples: devset.rows)
      return Found(result: result, stopped: result.unanswered)
    } catch {
      return Found(stopped: error)
    }
  }

  /// Learns in which form the model is to be asked, where that is open.
  private func decideAdapter(
    _ program: inout Program, _ session: EngineSession, _ run: OpenRun
  ) async throws(HoneError) {
    guard program.adapter == nil else { return }
    let trial = AdapterTrial(session: session, model: model, metric: metric)
    guard
      let decision = try await trial.decide(
        program, rows: devset.choosing(scored).rows, goodScore: AdapterTrial.forEvaluations)
    else { return }
    program.adapter = decision.format
    await session.events.emit(.adapterDecided(decision))
    if decision.isHopeless {
      let error = decision.unreadable(model.configuration)
      await session.events.emit(.warning([error.message, error.remedy].compactMap(\.self).joined(separator: " ")))
    }
    guard let tracked = run.tracked else { return }
    do throws(HoneError) {
      try await tracked.store.log(run: tracked.id, params: [KeyValue("adapter", decision.format.rawValue)])
      try await tracked.store.writeArtifact(run: tracked.id, path: "model.json", text: StateFile.text(program))
    } catch {
      await session.events.emit(.warning("Tracking failed: \(error.message)"))
    }
  }

  package func stopped(_ found: Found) -> HoneError? { found.stopped ?? devset.unreadable }

  package func isEmpty(_ found: Found, _ run: OpenRun, _ notes: JobNotes) -> Bool {
    (found.result ?? notes.partial).map { $0.count == $0.failed } ?? true
  }

  package func output(
    _ found: Found, _ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace
  ) -> EvaluateResult {
    EvaluateResult(found.result ?? notes.partial, run, maxResults: maxResults)
  }

  // MARK: Tracking

  package func describe(_ run: TrackedRun) async throws(HoneError) {
    var params = stateParams(program)
    params.append(KeyValue("lm_params", modelParams(model.configuration)))
    params.append(KeyValue("metric", metric.name))
    try await run.store.log(run: run.id, params: params)
    try await logConcurrency(run)
    try await run.store.logInputs(run: run.id, [datasetInput(devset, context: "evaluation")])
    try await run.store.writeArtifact(run: run.id, path: "model.json", text: StateFile.text(program))
  }

  package func keep(
    _ found: Found, _ output: EvaluateResult, _ run: TrackedRun, _ notes: JobNotes
  ) async throws(HoneError) -> (metrics: [MetricPoint], tags: [KeyValue]) {
    guard let result = found.result ?? notes.partial else { return ([], []) }
    if let lost = notes.lostResults { throw lost }
    try await run.store.keepResultTable(run: run.id, of: devset.rows)
    return (summaryMetrics(result), [])
  }
}
