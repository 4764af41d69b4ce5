public import Failures
public import JSON
public import Jobs
import HTTPModels
import LanguageModels
public import Logging
import Programs
import Schema
public import Tracking

/// Where programs are optimized, scored and run, and where all of it is kept: one home directory with its store.
///
/// The store is the same that `hone serve` uses, and may be used by both at once: what is done here shows in
/// `hone runs`, on the web page and to MLflow's clients.
///
///     let workspace = Workspace(home: ".hone")
///     let result = try await workspace.compile(
///       try Program("question -> answer"), with: .miprov2(auto: .light), trainset: trainset, valset: valset,
///       metric: .exactMatch, model: "openai/gpt-4o-mini")
///     print(result.score ?? 0, result.runID ?? "")
///     await workspace.close()
///
/// Nothing is opened before it is needed. A process that dies loses nothing: `resume` goes on with a run, and answers
/// that were paid for are not asked for twice.
public final class Workspace: Sendable {
  let inner: Jobs.Workspace

  /// - Parameters:
  ///   - home: the directory of the store, which the first work makes if there is none.
  ///   - durability: what paid answers survive: a power cut, or only the end of the process.
  ///   - logger: hears warnings and errors; nobody unless given.
  public init(home: String = ".hone", durability: Durability = .power, logger: Logger? = nil) {
    inner = Jobs.Workspace(
      home: home, logger: logger ?? Logger(label: "hone") { _ in SwiftLogNoOpLogHandler() }, keyRules: .trusting,
      durability: durability)
  }

  /// Stops what is under way, so that it can be resumed, writes what is queued, and closes the store.
  public func close() async { await inner.close() }

  // MARK: Work

  /// Optimizes a program's instructions and demos, and tracks the whole search as a run.
  ///
  /// A task that is cancelled stops the search; what it has by then is its result.
  ///
  /// - Parameters:
  ///   - program: what to optimize.
  ///   - optimizer: how to search.
  ///   - trainset: rows to learn from.
  ///   - valset: rows to score candidates on; a part of the trainset unless given.
  ///   - testset: rows that the search never sees; the best program is scored on them once, at its end.
  ///   - metric: what is right.
  ///   - model: the model the program runs on; `$HONE_LM` unless given.
  ///   - promptModel: the model that writes instructions; `model` unless given.
  ///   - teacher: the model that demos are bootstrapped with; `model` unless given.
  ///   - options: how it is tracked and bounded.
  ///   - onEvent: hears how far it is, in the order of what happened. It should not take long: the search waits.
  /// - Returns: what was found, also where a budget, a cancellation or an outage ended the search before its time;
  ///   `ending.error` says what did.
  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong, before any model is asked; what ended
  ///   the search where nothing was found.
  public func compile(
    _ program: Program, with optimizer: Optimizer, trainset: Dataset, valset: Dataset? = nil, testset: Dataset? = nil,
    metric: Metric,
    model: Model? = nil, promptModel: Model? = nil, teacher: Model? = nil, options: RunOptions = RunOptions(),
    onEvent: (@Sendable (RunEvent) -> Void)? = nil
  ) async throws(HoneError) -> CompileResult {
    let call = Call(self, program, metric, [model, promptModel, teacher], onEvent)
    let job = try await search(
      call, program, optimizer, (trainset, valset, testset), metric, model, promptModel, teacher, options)
    return try await inner.start(job).attended(in: call.environment)
  }

  /// Tells what `compile` would ask for and cost. No model is asked, and nothing is tracked.
  ///
  /// - Parameters:
  ///   - program, optimizer, trainset, valset, testset, metric, model, promptModel, teacher, options: as for `compile`.
  ///   - secondsPerReply: how long a reply takes; as earlier calls of the model took unless given.
  ///   - tokensPerReply: how many tokens a reply has; as earlier replies of the model had unless given.
  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong.
  public func estimate(
    _ program: Program, with optimizer: Optimizer, trainset: Dataset, valset: Dataset? = nil, testset: Dataset? = nil,
    metric: Metric,
    model: Model? = nil, promptModel: Model? = nil, teacher: Model? = nil, options: RunOptions = RunOptions(),
    secondsPerReply: Double? = nil, tokensPerReply: Double? = nil
  ) async throws(HoneError) -> Estimate {
    let call = Call(self, program, metric, [model, promptModel, teacher], nil)
    let job = try await search(
      call, program, optimizer, (trainset, valset, testset), metric, model, promptModel, teacher, options)
    var terms = CompileEstimate.Terms()
    terms.seconds = secondsPerReply
    terms.outputTokens = tokensPerReply
    return Estimate(try await CompileEstimate(job, terms).figures(inner))
  }

  /// A search, checked.
  private func search(
    _ call: Call, _ program: Program, _ optimizer: Optimizer, _ data: (train: Dataset, val: Dataset?, test: Dataset?),
    _ metric: Metric, _ model: Model?, _ promptModel: Model?, _ teacher: Model?, _ options: RunOptions
  ) async throws(HoneError) -> CompileJob {
    let resolver = call.resolver(
      CompileJob.method,
      [
        "program": program.json, "optimizer": optimizer.json, "trainset": data.train.json, "valset": data.val?.json,
        "testset": data.test?.json,
        "metric": metric.json, "lm": model?.json, "promptModel": promptModel?.json, "teacher": teacher?.json,
      ], options)
    return try await resolver.apart { () async throws(HoneError) in
      try await CompileJob(CompileRequest.known(from: resolver.fields), resolver)
    }
  }

  /// Scores a program on examples, and tracks the evaluation as a run.
  ///
  /// - Parameters:
  ///   - program: what to score.
  ///   - devset: the examples.
  ///   - metric: what is right.
  ///   - model: the model the program runs on; `$HONE_LM` unless given.
  ///   - options: how it is tracked and bounded.
  ///   - maxResults: how many examples the result lists; all are in the run.
  ///   - onEvent: hears how far it is, in the order of what happened.
  /// - Returns: the score, also of the examples that were asked before something ended the evaluation.
  /// - Throws: as `compile`.
  public func evaluate(
    _ program: Program, on devset: Dataset, metric: Metric, model: Model? = nil, options: RunOptions = RunOptions(),
    maxResults: Int = 1000, onEvent: (@Sendable (RunEvent) -> Void)? = nil
  ) async throws(HoneError) -> EvaluateResult {
    let call = Call(self, program, metric, [model], onEvent)
    let resolver = call.resolver(
      EvaluateJob.method,
      [
        "program": program.json, "devset": devset.json, "metric": metric.json, "lm": model?.json,
        "maxResults": .int(maxResults),
      ], options)
    let job = try await resolver.apart { () async throws(HoneError) in
      try await EvaluateJob(EvaluateRequest.known(from: resolver.fields), resolver)
    }
    return try await inner.start(job).attended(in: call.environment)
  }

  /// Runs a program once. Its trace is kept.
  ///
  /// - Parameters:
  ///   - program: what to run.
  ///   - inputs: a value for each input field.
  ///   - model: the model it runs on; `$HONE_LM` unless given.
  ///   - experiment: where the trace is kept.
  ///   - budget: bounds of this one execution.
  /// - Throws: `invalidParams` with everything that is wrong; what the execution failed with.
  public func predict(
    _ program: Program, _ inputs: JSONObject, model: Model? = nil, experiment: String = "Default", budget: Budget? = nil
  ) async throws(HoneError) -> PredictResult {
    let call = Call(self, program, nil, [model], nil)
    let members: [String: JSONValue?] = [
      "program": program.json, "inputs": .object(inputs), "lm": model?.json, "experiment": .string(experiment),
      "budget": budget?.json,
    ]
    let resolver = call.resolver("predict", members, nil)
    return try await PredictJob(PredictRequest.known(from: resolver.fields), resolver).run()
  }

  // MARK: Runs

  /// Follows a run of this process or another's: what has happened so far, then live, and its result at the end.
  ///
  /// The stream ends with the event `ended`. Leaving it does not stop the run.
  public func watch(_ runID: String) -> AsyncThrowingStream<RunEvent, any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          let environment = CallEnvironment(progress: EventSink { continuation.yield($0) }, baseDirectory: "")
          let result = try await RunControl(inner, environment).watch(runID)
          continuation.yield(.ended(try RunResult(result)))
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// Stops a run of this process or another's; what it has by then is its result.
  ///
  /// - Throws: `notFound`; `invalidParams` for a run that is none of `compile` or `evaluate`.
  @discardableResult
  public func cancel(_ runID: String) async throws(HoneError) -> RunResult {
    try RunResult(try await RunControl(inner, CallEnvironment(baseDirectory: "")).cancel(runID))
  }

  /// Goes on with a run that ended before its time: it is done again from the top, and answers it has paid for are not
  /// asked for twice. A finished run gives its result.
  ///
  /// - Parameters:
  ///   - runID: the run.
  ///   - program: the run's program, where it has functions of this process: tools, or code of its own.
  ///   - metric: the run's metric, where it is a function of this process; of the same name as before.
  ///   - models: models that are functions of this process.
  ///   - budget: bounds in place of those it had, each for the whole run.
  ///   - concurrency: how many executions at once, from now on.
  ///   - onEvent: hears how far it is, in the order of what happened.
  public func resume(
    _ runID: String, program: Program? = nil, metric: Metric? = nil, models: [Model] = [], budget: Budget? = nil,
    concurrency: Int? = nil, onEvent: (@Sendable (RunEvent) -> Void)? = nil
  ) async throws(HoneError) -> RunResult {
    let call = Call(self, program, metric, models, onEvent)
    let request = ResumeRunRequest(runID, budget: budget?.limits, concurrency: concurrency)
    return try RunResult(try await RunControl(inner, call.environment).resume(request))
  }

  /// Runs, in MLflow's filter language, newest first unless ordered otherwise.
  ///
  /// - Parameters:
  ///   - filter: such as `metrics.score > 50 and tags.hone.kind = 'compile'`.
  ///   - orderBy: such as `["metrics.score DESC"]`.
  ///   - limit: how many at most, up to 1000.
  public func runs(
    filter: String = "", orderBy: [String] = [], limit: Int = 100
  ) async throws(HoneError) -> [RunRecord] {
    let page = try await inner.store().searchRuns(filter: filter, orderBy: orderBy, maxResults: limit)
    return page.items.map(RunRecord.init)
  }

  /// One run.
  ///
  /// - Throws: `notFound`.
  public func run(_ runID: String) async throws(HoneError) -> RunRecord {
    RunRecord(try await inner.store().run(runID))
  }

  /// Removes deleted runs for good, with everything that only they refer to, and gives the space back to the disk.
  ///
  /// It goes in steps, so that work goes on meanwhile; a task that is cancelled stops between two. Runs under way, and
  /// deleted ones that a run refers to which is not deleted, stay.
  ///
  /// - Parameters:
  ///   - dryRun: whether to count only, and remove nothing.
  ///   - answersOlderThan: days: models' answers that were kept longer ago go, too, except those of runs that can be
  ///     resumed; none unless given.
  /// - Throws: `cancelled`; `notFound` where there is no store.
  @discardableResult
  public func collectGarbage(
    dryRun: Bool = false, answersOlderThan: Double? = nil
  ) async throws(HoneError) -> GarbageRecord {
    let terms = CollectionTerms(answersOlderThan: answersOlderThan)
    let store = try await inner.store()
    return dryRun ? try await store.garbage(terms) : try await store.collectGarbage(terms)
  }

  /// The program of a run: the best one that a compile found, or the one that was evaluated.
  ///
  /// - Parameters:
  ///   - runID: the run.
  ///   - program: where it has functions of this process: a program with them, which gets the run's state.
  /// - Throws: `notFound` for a run without a program.
  public func program(ofRun runID: String, into program: Program? = nil) async throws(HoneError) -> Program {
    let fields = FieldReader([:], problems: ProblemList())
    let resolver = RequestResolver(inner, "loadProgram", fields, CallEnvironment(baseDirectory: ""))
    let resolved = try resolver.whole(try await resolver.resolve(ProgramReference(run: runID), at: fields)).program
    guard let program else { return Program(resolved) }
    return try program.loading(StateFile.encode(resolved))
  }
}
