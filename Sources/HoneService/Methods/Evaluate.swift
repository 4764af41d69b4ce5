import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Tracking

extension Method {
  static let evaluate = Method(
    "evaluate", "Scores a program on examples and tracks the evaluation.",
    [
      Parameter("program", required: true, Shape.reference("Program"), "What to score."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text; ChainOfThought unless said."),
      Parameter("devset", required: true, Shape.reference("Dataset"), "The examples."),
      Parameter("metric", required: true, Shape.reference("Metric"), "What is right."),
      Parameter("lm", Shape.reference("LanguageModel"), "The model; the run's own for a program of a run, else $HONE_LM, unless given."),
      Parameter("experiment", Shape.string, "The experiment's name; made if there is none. Default unless said."),
      Parameter("runName", Shape.string, "The run's name; eval unless said."),
      Parameter("tags", ["type": "object", "additionalProperties": ["type": "string"]], "Tags of the run."),
      Parameter("autolog", ["anyOf": [Shape.reference("Autolog"), Shape.boolean]], "What is tracked; everything unless said."),
      Parameter("budget", Shape.reference("Budget"), "Bounds that are checked before each call."),
      Parameter("concurrency", Shape.integer, "How many executions at once; 8 unless said."),
      Parameter("maxErrors", Shape.integer, "How many examples may fail before the evaluation stops; any number unless said."),
      Parameter("maxResults", Shape.integer, "How many examples the result lists; 1000 unless said. All are in the run."),
    ],
    result: Shape.object([
      "runId": Shape.optionalString, "experimentId": Shape.string, "status": Shape.string, "score": Shape.number,
      "count": Shape.integer, "failed": Shape.integer, "coverage": Shape.number,
      "interval": Shape.reference("Interval"), "results": Shape.array(Shape.reference("ExampleResult")),
      "usage": Shape.reference("Usage"), "seconds": Shape.number, "simulated": Shape.boolean,
      "warnings": Shape.array(Shape.string), "resultsTruncated": Shape.boolean,
    ]),
    example: [
      "program": "question -> answer", "devset": ["name": "word-problems", "split": "test", "limit": 20],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { service, fields, environment throws(HoneError) in
    let parts = RequestParts(service, fields, environment)
    let dataProblems = ProblemList()
    await parts.fetchDatasets("devset")
    let resolved = try await parts.program()
    let devset = parts.dataset("devset", isRequired: true, dataProblems: dataProblems)
    let metric = try await parts.metric()
    let configuration = parts.taskConfiguration(fallback: resolved?.configuration)
    let tracking = RunSetup(fields)
    let autolog = Autolog(fields)
    let budget = fields.value("budget").map { Budget($0, path: "budget", problems: fields.problems) } ?? Budget()
    let concurrency = fields.int("concurrency", in: 1...1024) ?? 8
    let maxErrors = fields.int("maxErrors", "max_errors", in: 0...Int.max)
    let maxResults = fields.int("maxResults", in: 0...100_000) ?? 1000
    parts.checkRows(devset, "devset", resolved?.program, dataProblems)
    let store = try await service.store()
    let client = parts.client(configuration, "lm", knowledge: [devset], answers: store)
    try fields.check("evaluate")
    try dataProblems.checkData("Invalid data for evaluate")
    guard let resolved, let devset, let metric, let configuration, let client, let budget else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }

    let start = ContinuousClock.now
    let experiment = try await store.experiment(named: tracking.experiment)
    let rootID: String = .randomRunID()
    let account = RunAccount(runID: autolog.evals ? rootID : nil, budget: budget)
    var info = EvaluationInfo(
      run: nil, key: "eval", index: 0, program: resolved.program, rows: Array(devset.rows.indices), metric: metric.name)
    info.id = rootID
    let recorder = EvaluationRecorder(
      store: store, logger: service.logger, experimentID: experiment.id, isOn: autolog.evals, tracking: tracking,
      devset: devset, languageModel: configuration, concurrency: concurrency, account: account)
    var listeners: [any EventSink] = [recorder]
    if let progress = environment.progress { listeners.append(RunProgress(progress, account: account, namesRuns: autolog.evals)) }
    var session = EngineSession(
      runID: autolog.evals ? rootID : nil, experimentID: experiment.id, account: account, concurrency: concurrency,
      events: Listeners(all: listeners), traces: autolog.tracesFromEval ? store : nil, maxErrors: maxErrors)
    session.tracksEvaluations = autolog.evals
    session.callbacks = try await parts.callbacks()
    await session.events.emit(.planned(executions: devset.count))
    await session.events.emit(.phase("evaluate", message: "Evaluating \(devset.count) examples"))

    let outcome: EvaluationResult
    var stopped: HoneError?
    do throws(HoneError) {
      outcome = try await Evaluator(session: session, model: client, metric: metric)
        .evaluate(info, examples: devset.rows)
    } catch {
      // A spent budget keeps what was paid for; everything else is the caller's to hear of.
      guard error.kind == .budgetExhausted, let partial = recorder.partial else {
        var failure = error
        if autolog.evals { failure.details["runId"] = rootID }
        await store.flush()
        throw failure
      }
      outcome = partial
      stopped = error
    }
    await store.flush()
    var object: JSONObject = [
      "runId": autolog.evals ? .string(rootID) : .null, "experimentId": .string(experiment.id),
      "status": .string(RunOutcome(stopped).word),
    ]
    for (key, value) in outcome.summary { object[key] = value }
    object["results"] = .array(outcome.examples.prefix(maxResults).map { .object($0.json) })
    if outcome.count > maxResults { object["resultsTruncated"] = true }
    object["usage"] = .object(account.usage.json)
    object["seconds"] = .double(((ContinuousClock.now - start) / .seconds(1) * 1000).rounded() / 1000)
    if configuration.isSimulated { object["simulated"] = true }
    let warnings = resolved.warnings + recorder.warnings
    if !warnings.isEmpty { object["warnings"] = .array(warnings.map(JSONValue.string)) }
    return .object(object)
  }
}
