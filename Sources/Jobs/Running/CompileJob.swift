import Datasets
package import Evaluation
package import Failures
import JSON
package import LanguageModels
package import Optimizers
import Programs
import Schema
package import Tracking

/// What a `compile` request asks for, read and checked.
package struct CompileJob: Job {
  package static let method = "compile"

  var student: Program
  var optimizer: any Optimizer
  var trainset: Dataset
  var valset: Dataset?
  var testset: Dataset?
  var metric: any Metric
  package var model: ModelClient
  var promptModel: ModelClient?
  var teacher: ModelClient?
  package var terms: JobTerms
  /// Set where the request only asks what it would cost.
  package var estimate: CompileEstimate.Terms?

  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong.
  package init(_ request: CompileRequest, _ resolver: RequestResolver) async throws(HoneError) {
    await resolver.fetch(request.trainset, request.valset, request.testset)
    var resolved = try await resolver.program(request.program, module: request.module)
    var trainset = try await resolver.dataset(request.trainset, at: "trainset")
    var valset = try await resolver.dataset(request.valset, at: "valset")
    var testset = try await resolver.dataset(request.testset, at: "testset")
    resolved = resolver.adapting(resolver.naming(resolved, inputs: trainset?.inputKeys), to: request.adapter)
    let metric = try await resolver.metric(request.metric)
    var warnings: [String] = []
    trainset = resolver.readingGold(trainset, "trainset", resolved?.program, metric, &warnings)
    valset = resolver.readingGold(valset, "valset", resolved?.program, metric, &warnings)
    testset = resolver.readingGold(testset, "testset", resolved?.program, metric, &warnings)
    let optimizer = try await resolver.lookingUp(Self.optimizer(request, resolver), for: resolved?.program)
    let languageModel = resolver.taskConfiguration(request.lm, fallback: resolved?.configuration)
    resolver.checkDetached(request.detach, isTracked: request.autolog.compiles, switchName: "compiles")
    resolver.checkRows(trainset, "trainset", resolved?.program)
    resolver.checkRows(valset, "valset", resolved?.program)
    resolver.checkRows(testset, "testset", resolved?.program)
    resolver.checkMetricFields(resolved?.program, rows: valset ?? trainset)
    if let trainset {
      optimizer?.check(
        trainset: trainset.count, valset: valset?.count, at: "optimizer", problems: resolver.problems)
    }
    resolver.checkProposers(of: optimizer)
    var preparation = resolved.flatMap { resolved in
      metric.map { DataPreparation(resolved.program, $0, request.data, comparesRows: !resolver.environment.isCheck) }
    }
    // Kept as they were given, so that a resumed run looks at them again and says the same.
    let given = [("trainset", trainset), ("valset", valset), ("testset", testset)]
    resolver.prepare(
      &trainset, &valset, &testset, scoresTrainset: optimizer?.scoresTrainset == true, &preparation)
    let answers = try await resolver.answers()
    let knowledge = [trainset, valset, testset]
    let task = resolver.client(languageModel, "lm", knowledge: knowledge, answers: answers)
    let prompt = resolver.client(request.promptModel, "promptModel", knowledge: knowledge, answers: answers)
    let teaching = resolver.client(request.teacher, "teacher", knowledge: knowledge, answers: answers)
    let vectorizer = resolver.vectorizer(request.vectorizer, for: resolved?.program, answers: answers)
    let whole = try resolver.whole(resolved, trainset, metric, optimizer, task)
    student = whole.0.program
    self.trainset = whole.1
    self.valset = valset
    self.testset = testset
    self.metric = whole.2
    self.optimizer = whole.3
    model = whole.4
    self.promptModel = prompt
    self.teacher = teaching
    estimate = request.estimate.flatMap { $0.value ?? ($0.flag ? CompileEstimate.Terms() : nil) }
    var kept = resolver.kept(program: student, metric: self.metric)
    kept["lm"] = .object(model.configuration.json)
    if let prompt { kept["promptModel"] = .object(prompt.configuration.json) }
    if let teaching { kept["teacher"] = .object(teaching.configuration.json) }
    if let vectorizer { kept["vectorizer"] = .object(vectorizer.configuration.json) }
    warnings += Self.promptModelWarning(whole.3, task: model, prompt: prompt)
    let models =
      [model, prompt, teaching, vectorizer].map { $0?.configuration } + [(whole.2 as? JudgeMetric)?.configuration]
    terms = JobTerms(
      callbacks: try await resolver.callbacks(), vectorizer: vectorizer, tracking: request.tracking,
      autolog: request.autolog,
      concurrency: request.concurrency, budget: resolver.budget(request.budget, asking: models),
      maxErrors: request.maxErrors,
      isDetached: request.detach, warnings: whole.0.warnings + warnings + (preparation?.warnings ?? []), kept: kept,
      keptData: given.compactMap { member, dataset in dataset.map { (member, $0) } })
  }

  /// The optimizer; the request's own seed counts where the optimizer has one and its settings name none.
  private static func optimizer(_ request: CompileRequest, _ resolver: RequestResolver) -> (any Optimizer)? {
    // Who gives nothing at all is told all that there is to give.
    if request.optimizer == nil, request.program == nil, request.trainset == nil {
      resolver.problems.add("optimizer", "No optimizer is named. With the rest given, \(Auto.name) is the default.")
      return nil
    }
    var value = request.optimizer?.value ?? .string(Auto.name)
    if value.stringValue != nil { value = ["name": value] }
    let optimizers = resolver.workspace.optimizers
    if let seed = request.seed, var object = value.objectValue {
      let type = object["name"]?.stringValue.flatMap { optimizers.type(named: $0) }
      if type?.fields.contains(where: { $0.name == "seed" }) == true, object["seed"] == nil {
        object["seed"] = .int(seed)
        value = .object(object)
      }
    }
    return optimizers.read(value, at: "optimizer", resolver.problems)
  }

  /// How many billions of parameters a model has, at least, that writes instructions well.
  private static let capable = 4.0

  /// That a small model is to write its own instructions, where its name says that it is small.
  private static func promptModelWarning(
    _ optimizer: any Optimizer, task: ModelClient, prompt: ModelClient?
  ) -> [String] {
    let writer = (prompt ?? task).configuration
    guard optimizer.writesTexts, writer.model == task.configuration.model, let size = writer.billionsOfParameters,
      size < capable
    else { return [] }
    return [
      "\(writer.model) writes its own instructions, and small models do that badly: name a stronger model as promptModel. "
        + "It is asked a few dozen times."
    ]
  }

  // MARK: Doing it

  package var isTracked: Bool { terms.autolog.compiles }
  package var defaultRunName: String? { nil }
  package var tracesExecutions: Bool { terms.autolog.tracesFromCompile }
  package var tracksEvaluations: Bool { terms.autolog.evals }

  func task(_ session: EngineSession) -> CompileTask {
    var task = CompileTask(
      student: student, trainset: trainset.rows, valset: valset?.rows, metric: metric,
      taskModel: model,
      promptModel: promptModel, session: session)
    task.teacherModel = teacher
    return task
  }

  package func recorder(_ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace) -> (any EventSink)? {
    RunRecorder(
      run, notes, logger: workspace.logger, logsEvaluations: terms.autolog.evals, languageModel: model.configuration)
  }

  package func perform(_ session: EngineSession, _ run: OpenRun) async -> SearchResult {
    var found = await optimizer.compile(task(session))
    // No candidate brought anything to judge: the student itself least of all.
    if found.stopped == nil, !found.trials.isEmpty, found.trials.allSatisfy({ $0.result.score == nil }) {
      found.stopped = found.trials.last?.result.unanswered
    }
    if found.stopped == nil {
      await score(&found, on: testset, session, run)
    } else if testset != nil {
      await session.events.emit(
        .warning("The search ended early, so the testset was not looked at; that is done when the run is resumed."))
    }
    return found
  }

  /// Scores the student and the best program on the testset, once each, now that all choices are made.
  private func score(
    _ found: inout SearchResult, on testset: Dataset?, _ session: EngineSession, _ run: OpenRun
  ) async {
    guard let testset else { return }
    let rows = Array(testset.rows.indices)
    let evaluator = Evaluator(session: session, model: model, metric: metric)
    var programs = [found.baseline?.evaluation.program ?? student]
    if found.program != programs[0] { programs.append(found.program) }
    await session.events.emit(
      .phase("test", message: "Scoring the best program on \(rows.count) rows of the testset"))
    var trials: [Trial] = []
    do throws(HoneError) {
      if let tracked = run.tracked {
        try await tracked.store.logInputs(run: tracked.id, [datasetInput(testset, context: Self.testContext)])
      }
      for (index, program) in programs.enumerated() {
        let info = EvaluationInfo(
          run: session.runID, key: Self.testEvaluation, index: index, place: found.trials.count + 1 + index,
          program: program,
          rows: rows, metric: metric.name)
        let result = try await evaluator.evaluate(info, examples: testset.rows)
        trials.append(Trial(number: found.trials.count + 1 + index, evaluation: info, result: result, bestSoFar: nil))
      }
      found.test = (trials[0], trials.count > 1 ? trials[1] : nil)
    } catch {
      found.stopped = Callbacks.causeOf(error, session.callbacks?.peer)
    }
  }

  /// What evaluations of the testset are called.
  static let testEvaluation = "eval_test"

  /// As what a testset is noted with the runs that have looked at it.
  static let testContext = "test"

  package func stopped(_ found: SearchResult) -> HoneError? {
    found.stopped ?? [trainset, valset, testset].compactMap(\.self).lazy.compactMap(\.unreadable).first
  }

  package func isEmpty(_ found: SearchResult, _ run: OpenRun, _ notes: JobNotes) -> Bool {
    found.trials.isEmpty && run.account.usage.total.answered == 0
  }

  package func output(
    _ found: SearchResult, _ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace
  ) -> CompileResult {
    _ = workspace.load(found.program)
    var result = CompileResult(found, run, tracksEvaluations: tracksEvaluations, scoredOn: scoredOn)
    result.summary = notes.summary
    if let test = found.test {
      var scores = TestScores(
        baseline: test.baseline.result, best: test.best?.result, validation: result.score, looks: notes.looks)
      if tracksEvaluations {
        scores.baselineRunID = test.baseline.evaluation.id
        scores.runID = (test.best ?? test.baseline).evaluation.id
      }
      result.test = scores
    }
    return result
  }

  private var scoredOn: Selection.Rows {
    valset != nil ? .valset : optimizer.scoresTrainset ? .trainset : .trainsetPart
  }

  // MARK: Tracking

  package func describe(_ run: TrackedRun) async throws(HoneError) {
    let (id, store) = (run.id, run.store)
    var params: [KeyValue] = [KeyValue("optimizer", type(of: optimizer).name)]
    for (key, value) in optimizer.json where !value.isNull { params.append(KeyValue(key, pythonText(value))) }
    params.append(KeyValue("lm_params", modelParams(model.configuration)))
    if let promptModel { params.append(KeyValue("prompt_model_params", modelParams(promptModel.configuration))) }
    if let teacher { params.append(KeyValue("teacher_params", modelParams(teacher.configuration))) }
    if let vectorizer = terms.vectorizer {
      params.append(KeyValue("vectorizer_params", modelParams(vectorizer.configuration)))
    }
    params.append(KeyValue("metric", metric.name))
    params.append(KeyValue("trainset_size", "\(trainset.count)"))
    if let valset { params.append(KeyValue("valset_size", "\(valset.count)")) }
    if let testset { params.append(KeyValue("testset_size", "\(testset.count)")) }
    params.append(KeyValue("signature", student.module.signatureText))
    params.append(KeyValue("module", student.module.className))
    try await store.log(run: id, params: params)
    try await logConcurrency(run)
    var inputs = [datasetInput(trainset, context: "training")]
    if let valset { inputs.append(datasetInput(valset, context: "validation")) }
    try await store.logInputs(run: id, inputs)
    try await store.writeTable(run: id, path: "trainset.json", TableRows(trainset.rows))
    if let valset { try await store.writeTable(run: id, path: "valset.json", TableRows(valset.rows)) }
    if let testset { try await store.writeTable(run: id, path: "testset.json", TableRows(testset.rows)) }
    try await store.writeArtifact(run: id, path: "initial_model.json", text: StateFile.text(student))
  }

  package func lookUp(_ found: SearchResult, _ run: TrackedRun, _ notes: JobNotes) async throws(HoneError) {
    guard found.test != nil, let testset else { return }
    notes.looks = max(1, try await run.store.runs(using: testset.digest, as: Self.testContext))
  }

  package func keep(
    _ found: SearchResult, _ output: CompileResult, _ run: TrackedRun, _ notes: JobNotes
  ) async throws(HoneError) -> (metrics: [MetricPoint], tags: [KeyValue]) {
    try await run.store.writeArtifact(run: run.id, path: "best_model.json", text: StateFile.text(found.program))
    let search: JSONValue = [
      "trials": .array(output.trials.map { $0.jsonValue }), "instructions": .array(notes.instructions),
      "comparison": output.comparison?.jsonValue ?? .null,
      "selection": output.selection?.jsonValue ?? .null, "test": output.test?.jsonValue ?? .null,
    ]
    try await run.store.writeArtifact(run: run.id, path: "trials.json", text: search.text(.indented))
    var metrics = [MetricPoint("trials", Double(found.trials.count))]
    if let score = output.baselineScore { metrics.append(MetricPoint("baseline_score", score)) }
    if let score = output.score { metrics.append(MetricPoint("score", score)) }
    if let score = output.test?.baselineScore { metrics.append(MetricPoint("test_baseline_score", score)) }
    if let score = output.test?.score { metrics.append(MetricPoint("test_score", score)) }
    var tags: [KeyValue] = []
    if let best = output.bestRunID { tags.append(KeyValue(HoneTag.bestRun, best)) }
    if let score = output.score { tags.append(KeyValue(HoneTag.bestScore, "\(score)")) }
    return (metrics, tags)
  }
}
