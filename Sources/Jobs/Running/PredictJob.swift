import Evaluation
package import Failures
import JSON
import LanguageModels
import Programs
import Traces
import Tracking

/// What a `predict` request asks for, read and checked: one execution, tracked by its trace alone.
package struct PredictJob: Sendable {
  var program: Program
  var model: ModelClient
  var inputs: JSONObject
  /// Inputs that the program does not take.
  var unused: [String]
  var experiment: String
  var autolog: Autolog
  var budget: Budget
  var callbacks: Callbacks?
  var vectorizer: ModelClient?
  /// Hears what is waited for.
  let progress: (any ProgressSink)?
  let store: TrackingStore

  /// - Throws: `invalidParams` with everything that is wrong.
  package init(_ request: PredictRequest, _ resolver: RequestResolver) async throws(HoneError) {
    var resolved = try await resolver.program(request.program, id: request.programId, module: request.module)
    // Whoever gives inputs directly says by that what the program takes.
    resolved = resolver.adapting(resolver.naming(resolved, inputs: request.inputs.keys), to: request.adapter)
    unused = resolved.map { resolver.checkInputs(request.inputs, of: $0.program) } ?? []
    let configuration = resolver.taskConfiguration(request.lm, fallback: resolved?.configuration)
    store = try await resolver.workStore()
    let client = resolver.client(configuration, "lm", knowledge: [], answers: store)
    let vectorizer = resolver.vectorizer(request.vectorizer, for: resolved?.program, answers: store)
    let whole = try resolver.whole(resolved, client)
    program = whole.0.program
    model = whole.1
    inputs = request.inputs
    experiment = request.experiment
    autolog = request.autolog
    budget = resolver.budget(request.budget, asking: [model.configuration, vectorizer?.configuration])
    self.vectorizer = vectorizer
    callbacks = try await resolver.callbacks()
    progress = resolver.environment.progress
  }

  /// - Throws: what the execution failed with; `details.traceId` is its trace.
  package func run() async throws(HoneError) -> PredictResult {
    let experiment = autolog.traces ? try await store.experiment(named: experiment) : nil
    let account = RunAccount(budget: budget)
    if let progress {
      account.onWait { wait in
        var report = ProgressReport()
        report.phase = wait.message
        report.message = wait.message
        report.waitingUntil = wait.until
        progress.report(report)
      }
    }
    var session = EngineSession(
      experimentID: experiment?.id, account: account, concurrency: 1, traces: autolog.traces ? store : nil)
    session.callbacks = callbacks
    session.vectorizer = vectorizer
    let execution = try await session.execute(
      EngineSession.Request(program: PreparedProgram(program), inputs: inputs, model: model, scope: "predict"))
    let traceID = execution.traceID
    await store.flush()
    switch execution.outcome {
    case .failure(var error):
      if let traceID { error.details["traceId"] = traceID.description }
      throw error
    case .success(let prediction):
      var result = PredictResult(prediction, traceID: traceID?.description)
      result.usage = account.usage
      result.replies = execution.replies
      result.isSimulated = model.configuration.isSimulated
      result.warnings = unused.map { "The program takes no input \"\($0)\"; it was not used." }
      return result
    }
  }
}
