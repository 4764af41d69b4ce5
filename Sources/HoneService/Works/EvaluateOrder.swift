import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Schema
import Tracking

/// What an `evaluate` request asks for, read and checked.
struct EvaluateOrder: Sendable {
  var program: Program
  var devset: Dataset
  var metric: any Evaluation.Metric
  var model: ModelClient
  /// The client that takes part in executions, if one can.
  var callbacks: Callbacks?
  var tracking: RunSetup
  var autolog: Autolog
  var concurrency: Int
  var budget: Budget
  var maxErrors: Int?
  var maxResults: Int
  var isDetached: Bool
  var warnings: [String]
  /// The request in the form that is kept with the run, as `CompileOrder.kept`.
  var kept: JSONObject

  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong.
  init(_ request: EvaluateRequest, _ parts: RequestParts) async throws(HoneError) {
    await parts.fetch(request.devset)
    var resolved = try await parts.program(request.program, module: request.module)
    let devset = parts.dataset(request.devset, at: "devset")
    resolved = parts.adapting(parts.naming(resolved, inputs: devset?.inputKeys), to: request.adapter)
    let metric = try await parts.metric(request.metric)
    let configuration = parts.taskConfiguration(request.lm, fallback: resolved?.configuration)
    parts.checkDetached(request.detach, isTracked: request.autolog.evals, switchName: "evals")
    parts.checkRows(devset, "devset", resolved?.program)
    parts.checkMetricFields(resolved?.program, rows: devset)
    let client = parts.client(configuration, "lm", knowledge: [devset], answers: try await parts.answers())
    let whole = try parts.whole(resolved, devset, metric, client)
    program = whole.0.program
    self.devset = whole.1
    self.metric = whole.2
    model = whole.3
    callbacks = try await parts.callbacks()
    tracking = request.tracking
    autolog = request.autolog
    concurrency = request.concurrency
    budget = Budget(request.budget ?? Budget.Limits())
    maxErrors = request.maxErrors
    maxResults = request.maxResults
    isDetached = request.detach
    warnings = whole.0.warnings
    kept = parts.kept(program: program, metric: self.metric)
    kept["devset"] = self.devset.json
    kept["lm"] = .object(model.configuration.json)
  }

  /// The run to make; nil where evaluations are not tracked.
  var newRun: NewRun? {
    guard autolog.evals else { return nil }
    return NewRun(
      name: tracking.runName ?? "eval", user: Environment.value("USER"), sourceName: "hone", sourceType: "LOCAL",
      tags: tracking.tagValues + modelTags(model.configuration)
        + [KeyValue(HoneTag.kind, "evaluate"), KeyValue("mlflow.autologging", "hone")])
  }
}
