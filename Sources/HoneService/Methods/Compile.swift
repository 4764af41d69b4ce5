import Evaluation
import Failures
import JSON
import LanguageModels
import Optimizers
import Programs
import Synchronization
import Tracking

extension Method {
  static let compile = Method(
    "compile", "Optimizes a program's instructions and demos, and tracks the whole search.",
    [
      Parameter("program", required: true, Shape.reference("Program"), "What to optimize."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text; ChainOfThought unless said."),
      Parameter("optimizer", required: true, Shape.reference("Optimizer"), "How to search."),
      Parameter("trainset", required: true, Shape.reference("Dataset"), "Rows to learn from."),
      Parameter("valset", Shape.reference("Dataset"), "Rows to score candidates on; a part of the trainset unless given."),
      Parameter("metric", required: true, Shape.reference("Metric"), "What is right."),
      Parameter("lm", Shape.reference("LanguageModel"), "The model the program runs on; $HONE_LM unless given."),
      Parameter("promptModel", Shape.reference("LanguageModel"), "The model that writes instructions; lm unless given."),
      Parameter("teacher", Shape.reference("LanguageModel"), "The model that demos are bootstrapped with; lm unless given."),
      Parameter("experiment", Shape.string, "The experiment's name; made if there is none. Default unless said."),
      Parameter("runName", Shape.string, "The run's name."),
      Parameter("tags", ["type": "object", "additionalProperties": ["type": "string"]], "Tags of the run."),
      Parameter("autolog", ["anyOf": [Shape.reference("Autolog"), Shape.boolean]], "What is tracked; everything unless said."),
      Parameter("budget", Shape.reference("Budget"), "Bounds that are checked before each call."),
      Parameter("concurrency", Shape.integer, "How many executions at once; 8 unless said. The result does not depend on it."),
      Parameter("seed", Shape.integer, "The seed of the search, where the optimizer draws at random."),
      Parameter("maxErrors", Shape.integer, "How many examples of one evaluation may fail before the search stops."),
    ],
    result: Shape.object([
      "runId": Shape.optionalString, "experimentId": Shape.string, "status": Shape.string,
      "score": Shape.optionalNumber, "interval": Shape.reference("Interval"), "baselineScore": Shape.optionalNumber,
      "comparison": Shape.anyObject, "bestRunId": Shape.optionalString, "program": Shape.reference("State"),
      "programId": Shape.string, "artifactUri": Shape.optionalString,
      "trials": Shape.array(Shape.reference("Trial")), "usage": Shape.reference("Usage"),
      "seconds": Shape.number, "simulated": Shape.boolean, "warnings": Shape.array(Shape.string),
      "error": Shape.anyObject,
    ]),
    example: [
      "program": "question -> answer", "optimizer": ["name": "MIPROv2", "auto": "light"],
      "trainset": ["name": "word-problems", "split": "train"], "valset": ["name": "word-problems", "split": "val"],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { service, fields, environment throws(HoneError) in
    try await CompileCall(service, fields, environment).run()
  }
}

/// One `compile` request from its parameters to its result.
struct CompileCall {
  private let parts: RequestParts
  private let service: Service

  init(_ service: Service, _ fields: FieldReader, _ environment: CallEnvironment) {
    parts = RequestParts(service, fields, environment)
    self.service = service
  }

  /// What was asked for, checked.
  private struct Order {
    var task: CompileTask
    var optimizer: any Optimizer
    var trainset: Dataset
    var valset: Dataset?
    var languageModel: ModelConfiguration
    var promptModel: ModelConfiguration?
    var teacher: ModelConfiguration?
    var tracking: RunSetup
    var autolog: Autolog
    var concurrency: Int
    var budget: Budget
    var maxErrors: Int?
    var warnings: [String]
  }

  func run() async throws(HoneError) -> JSONValue {
    let start = ContinuousClock.now
    var order = try await read()
    let store = try await service.store()
    let experiment = try await store.experiment(named: order.tracking.experiment)
    let runID: String? = order.autolog.compiles ? .randomRunID() : nil
    if let runID { try await begin(order, runID, experiment.id, store) }

    let account = RunAccount(runID: runID, budget: order.budget)
    let recorder = RunRecorder(
      store: store, logger: service.logger, experimentID: experiment.id, parentID: runID,
      logsEvaluations: order.autolog.evals, languageModel: order.languageModel)
    var listeners: [any EventSink] = [recorder]
    if let progress = parts.environment.progress { listeners.append(RunProgress(progress, account: account, namesRuns: order.autolog.evals)) }
    order.task.session = EngineSession(
      runID: runID, experimentID: experiment.id, account: account, concurrency: order.concurrency,
      events: Listeners(all: listeners), traces: order.autolog.tracesFromCompile ? store : nil,
      maxErrors: order.maxErrors)
    order.task.session.tracksEvaluations = order.autolog.evals
    order.task.session.callbacks = try await parts.callbacks()

    let result: CompileResult
    do throws(HoneError) {
      result = try await order.optimizer.compile(order.task)
    } catch {
      var failure = parts.environment.explained(error)
      if let runID { try? await end(runID, store, failure) }
      if let runID { failure.details["runId"] = runID }
      throw failure
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let answer = json(result, order, runID, experiment, account, seconds, recorder)
    if let runID {
      try await finish(result, order, runID, store, account, recorder, answer)
      await store.flush()
    }
    if let stopped = result.stopped, stopped.kind == .cancelled || stopped.kind == .clientGone {
      var failure = stopped
      if let runID { failure.details["runId"] = runID }
      throw failure
    }
    return answer
  }

  // MARK: Reading

  private func read() async throws(HoneError) -> Order {
    let fields = parts.fields
    let dataProblems = ProblemList()
    await parts.fetchDatasets("trainset", "valset")
    let resolved = try await parts.program()
    let trainset = parts.dataset("trainset", isRequired: true, dataProblems: dataProblems)
    let valset = parts.dataset("valset", dataProblems: dataProblems)
    let metric = try await parts.metric()
    let seed = fields.int("seed")
    let optimizer = readOptimizer(seed)
    let languageModel = parts.taskConfiguration(fallback: resolved?.configuration)
    let promptModel = parts.configuration("promptModel")
    let teacher = parts.configuration("teacher")
    let tracking = RunSetup(fields)
    let autolog = Autolog(fields)
    let budget = fields.value("budget").map { Budget($0, path: "budget", problems: parts.problems) } ?? Budget()
    let concurrency = fields.int("concurrency", in: 1...1024) ?? 8
    let maxErrors = fields.int("maxErrors", "max_errors", in: 0...Int.max)

    parts.checkRows(trainset, "trainset", resolved?.program, dataProblems)
    parts.checkRows(valset, "valset", resolved?.program, dataProblems)
    if let trainset { optimizer?.check(trainset: trainset.count, valset: valset?.count, problems: parts.problems) }
    let answers = try await service.store()
    let knowledge = [trainset, valset]
    let task = parts.client(languageModel, "lm", knowledge: knowledge, answers: answers)
    let prompt = parts.client(promptModel, "promptModel", knowledge: knowledge, answers: answers)
    let teaching = parts.client(teacher, "teacher", knowledge: knowledge, answers: answers)
    try fields.check("compile")
    try dataProblems.checkData("Invalid data for compile")
    guard let resolved, let trainset, let metric, let optimizer, let languageModel, let task, let budget else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    var compileTask = CompileTask(
      student: resolved.program, trainset: trainset.rows, valset: valset?.rows, metric: metric, taskModel: task,
      promptModel: prompt, session: EngineSession(account: RunAccount(), concurrency: 1))
    compileTask.teacherModel = teaching
    return Order(
      task: compileTask, optimizer: optimizer, trainset: trainset, valset: valset, languageModel: languageModel,
      promptModel: promptModel, teacher: teacher, tracking: tracking, autolog: autolog, concurrency: concurrency,
      budget: budget, maxErrors: maxErrors, warnings: resolved.warnings)
  }

  /// The optimizer; the request's own seed counts where the optimizer's settings name none.
  private func readOptimizer(_ seed: Int?) -> (any Optimizer)? {
    guard var value = parts.fields.value("optimizer") else {
      parts.problems.add(
        Problem(
          path: "optimizer", message: "This member is required: an optimizer such as \"MIPROv2\".",
          allowed: OptimizerRegistry.names))
      return nil
    }
    if let seed {
      var object = value.objectValue ?? ["name": value]
      if object["name"]?.stringValue == MIPROv2.name, object["seed"] == nil { object["seed"] = .int(seed) }
      value = .object(object)
    }
    return OptimizerRegistry.make(value, path: "optimizer", problems: parts.problems)
  }

  // MARK: Tracking

  private func begin(
    _ order: Order, _ runID: String, _ experimentID: String, _ store: TrackingStore
  ) async throws(HoneError) {
    var tags = order.tracking.tags + modelTags(order.languageModel)
    tags.append(KeyValue(HoneTag.kind, "compile"))
    tags.append(KeyValue("mlflow.autologging", "hone"))
    _ = try await store.createRun(
      NewRun(
        id: runID, experimentID: experimentID, name: order.tracking.runName, user: Environment.value("USER"),
        sourceName: "hone", sourceType: "LOCAL", tags: tags))
    try await store.acquireLease(run: runID)
    var params: [KeyValue] = [KeyValue("optimizer", type(of: order.optimizer).name)]
    for (key, value) in order.optimizer.parameters where !value.isNull { params.append(KeyValue(key, pythonText(value))) }
    params.append(KeyValue("lm_params", modelParams(order.languageModel)))
    if let model = order.promptModel { params.append(KeyValue("prompt_model_params", modelParams(model))) }
    if let model = order.teacher { params.append(KeyValue("teacher_params", modelParams(model))) }
    params.append(KeyValue("metric", order.task.metric.name))
    params.append(KeyValue("concurrency", "\(order.concurrency)"))
    params.append(KeyValue("trainset_size", "\(order.trainset.count)"))
    if let valset = order.valset { params.append(KeyValue("valset_size", "\(valset.count)")) }
    params.append(KeyValue("signature", order.task.student.module.signatureText))
    params.append(KeyValue("module", order.task.student.module.className))
    try await store.log(run: runID, params: params)
    var inputs = [datasetInput(order.trainset, context: "training")]
    if let valset = order.valset { inputs.append(datasetInput(valset, context: "validation")) }
    try await store.logInputs(run: runID, inputs)
    let train = table(order.trainset.rows)
    try await store.writeTable(run: runID, path: "trainset.json", columns: train.columns, rows: train.rows)
    if let valset = order.valset {
      let val = table(valset.rows)
      try await store.writeTable(run: runID, path: "valset.json", columns: val.columns, rows: val.rows)
    }
    try await store.writeArtifact(run: runID, path: "initial_model.json", text: StateFile.text(order.task.student))
  }

  private func finish(
    _ result: CompileResult, _ order: Order, _ runID: String, _ store: TrackingStore, _ account: RunAccount,
    _ recorder: RunRecorder, _ answer: JSONValue
  ) async throws(HoneError) {
    try await store.writeArtifact(run: runID, path: "best_model.json", text: StateFile.text(result.program))
    let search: JSONValue = [
      "trials": answer["trials"] ?? .null, "instructions": .array(recorder.proposals),
      "comparison": answer["comparison"] ?? .null,
    ]
    try await store.writeArtifact(run: runID, path: "trials.json", text: search.text(.indented))
    let usage = account.usage.total
    var metrics = [
      Tracking.Metric("calls", Double(usage.calls)), Tracking.Metric("calls_cached", Double(usage.cached)),
      Tracking.Metric("tokens", Double(usage.tokens.totalTokens)), Tracking.Metric("trials", Double(result.trials.count)),
    ]
    if let cost = usage.cost { metrics.append(Tracking.Metric("cost", cost)) }
    if let score = result.baseline?.result.score { metrics.append(Tracking.Metric("baseline_score", score)) }
    if let score = result.best?.result.score { metrics.append(Tracking.Metric("score", score)) }
    let status = RunOutcome(result.stopped)
    var tags = [KeyValue(HoneTag.status, status.word)]
    if let best = result.best {
      if order.autolog.evals { tags.append(KeyValue(HoneTag.bestRun, best.evaluation.id)) }
      tags.append(KeyValue(HoneTag.bestScore, "\(best.result.score)"))
    }
    if let error = result.stopped { tags.append(KeyValue(HoneTag.error, error.message)) }
    try await store.log(run: runID, metrics: metrics, tags: tags)
    try await store.updateRun(runID, status: status.runStatus)
    try await store.releaseLease(run: runID)
  }

  private func end(_ runID: String, _ store: TrackingStore, _ error: HoneError) async throws(HoneError) {
    let status = RunOutcome(error)
    try await store.log(
      run: runID, tags: [KeyValue(HoneTag.status, status.word), KeyValue(HoneTag.error, error.message)])
    try await store.updateRun(runID, status: status.runStatus)
    try await store.releaseLease(run: runID)
    await store.flush()
  }

  // MARK: Answering

  private func json(
    _ result: CompileResult, _ order: Order, _ runID: String?, _ experiment: Experiment, _ account: RunAccount,
    _ seconds: Double, _ recorder: RunRecorder
  ) -> JSONValue {
    let program = result.program
    let id = programID(program)
    service.loaded.withLock { $0[id] = program }
    var object: JSONObject = [
      "runId": JSONValue(runID), "experimentId": .string(experiment.id),
      "status": .string(RunOutcome(result.stopped).word),
      "score": JSONValue(result.best?.result.score), "interval": result.best?.result.interval?.json ?? .null,
      "baselineScore": JSONValue(result.baseline?.result.score),
      "bestRunId": JSONValue(order.autolog.evals ? result.best?.evaluation.id : nil),
      "program": .object(StateFile.encode(program)), "programId": .string(id),
      "artifactUri": JSONValue(
        runID.map { "mlflow-artifacts:/\(experiment.id)/\($0)/artifacts/best_model.json" }),
      "trials": .array(result.trials.map { .object($0.json(namesRun: order.autolog.evals)) }), "usage": .object(account.usage.json),
      "seconds": .double((seconds * 1000).rounded() / 1000),
    ]
    if let comparison = comparison(result) { object["comparison"] = comparison }
    if order.languageModel.isSimulated { object["simulated"] = true }
    let warnings = order.warnings + recorder.allWarnings
    if !warnings.isEmpty { object["warnings"] = .array(warnings.map(JSONValue.string)) }
    if let error = result.stopped {
      object["error"] = ["kind": .string(error.kind.rawValue), "message": .string(error.message), "remedy": JSONValue(error.remedy)]
    }
    return .object(object)
  }

  /// Whether the best program is better than the student on the same rows, and how surely.
  private func comparison(_ result: CompileResult) -> JSONValue? {
    guard let best = result.best?.result, let baseline = result.baseline?.result,
      result.best?.number != result.baseline?.number, best.coverage == 1, baseline.coverage == 1,
      best.examples.map(\.row) == baseline.examples.map(\.row)
    else { return nil }
    let comparison = PairedComparison(
      baseline: baseline.examples.map { $0.score ?? 0 }, candidate: best.examples.map { $0.score ?? 0 })
    return comparison.map { .object($0.json) }
  }
}
