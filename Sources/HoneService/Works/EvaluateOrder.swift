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
  init(_ parts: RequestParts) async throws(HoneError) {
    let fields = parts.fields
    let dataProblems = parts.listForData()
    await parts.fetchDatasets("devset")
    var resolved = try await parts.program()
    let devset = parts.dataset("devset", isRequired: true, dataProblems: dataProblems)
    resolved = parts.adapting(parts.naming(resolved, inputs: devset?.inputKeys))
    let metric = try await parts.metric()
    let configuration = parts.taskConfiguration(fallback: resolved?.configuration)
    let tracking = RunSetup(fields)
    let autolog = Autolog(fields)
    let budget = fields.value("budget").map { Budget($0, path: "budget", problems: fields.problems) } ?? Budget()
    let concurrency = fields.int("concurrency", in: 1...1024) ?? 8
    let maxErrors = fields.int("maxErrors", "max_errors", in: 0...Int.max)
    let maxResults = fields.int("maxResults", in: 0...100_000) ?? 1000
    let isDetached = parts.isDetached(isTracked: autolog.evals, switchName: "evals")
    parts.checkRows(devset, "devset", resolved?.program, dataProblems)
    parts.checkMetricFields(resolved?.program, rows: devset)
    let client = parts.client(configuration, "lm", knowledge: [devset], answers: try await parts.answers())
    try parts.check("evaluate", dataProblems)
    guard let resolved, let devset, let metric, let client, let budget else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    program = resolved.program
    self.devset = devset
    self.metric = metric
    model = client
    callbacks = try await parts.callbacks()
    self.tracking = tracking
    self.autolog = autolog
    self.concurrency = concurrency
    self.budget = budget
    self.maxErrors = maxErrors
    self.maxResults = maxResults
    self.isDetached = isDetached
    warnings = resolved.warnings
    kept = parts.kept(program: resolved.program, metric: metric)
    kept["devset"] = devset.json
    kept["lm"] = .object(client.configuration.json)
  }

  /// The run to make; nil where evaluations are not tracked.
  var newRun: NewRun? {
    guard autolog.evals else { return nil }
    return NewRun(
      name: tracking.runName ?? "eval", user: Environment.value("USER"), sourceName: "hone", sourceType: "LOCAL",
      tags: tracking.tags + modelTags(model.configuration)
        + [KeyValue(HoneTag.kind, "evaluate"), KeyValue("mlflow.autologging", "hone")])
  }
}
