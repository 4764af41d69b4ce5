import Evaluation
import Failures
import JSON
import LanguageModels
import Optimizers
import Programs
import Schema
import Tracking

/// What a `compile` request asks for, read and checked.
struct CompileOrder: Sendable {
  var student: Program
  var optimizer: any Optimizer
  var trainset: Dataset
  var valset: Dataset?
  var metric: any Evaluation.Metric
  var taskModel: ModelClient
  var promptModel: ModelClient?
  var teacher: ModelClient?
  /// The client that takes part in executions, if one can.
  var callbacks: Callbacks?
  var tracking: RunSetup
  var autolog: Autolog
  var concurrency: Int
  var budget: Budget
  var maxErrors: Int?
  var isDetached: Bool
  /// Set where the request only asks what it would cost.
  var estimate: CompileEstimate.Terms?
  var warnings: [String]
  /// The request in the form that is kept with the run: whole in itself, so that nothing outside can change what doing
  /// it again means, and without secrets, of which a request only has the names.
  var kept: JSONObject

  /// - Throws: `invalidParams` or `datasetInvalid` with everything that is wrong.
  init(_ parts: RequestParts) async throws(HoneError) {
    let fields = parts.fields
    let dataProblems = parts.listForData()
    await parts.fetchDatasets("trainset", "valset")
    var resolved = try await parts.program()
    let trainset = parts.dataset("trainset", isRequired: true, dataProblems: dataProblems)
    let valset = parts.dataset("valset", dataProblems: dataProblems)
    resolved = parts.adapting(parts.naming(resolved, inputs: trainset?.inputKeys))
    let metric = try await parts.metric()
    let seed = fields.int("seed")
    let optimizer = Self.optimizer(parts, seed)
    let languageModel = parts.taskConfiguration(fallback: resolved?.configuration)
    let promptModel = parts.configuration("promptModel")
    let teacher = parts.configuration("teacher")
    let tracking = RunSetup(fields)
    let autolog = Autolog(fields)
    let budget = fields.value("budget").map { Budget($0, path: "budget", problems: parts.problems) } ?? Budget()
    let concurrency = fields.int("concurrency", in: 1...1024) ?? 8
    let maxErrors = fields.int("maxErrors", "max_errors", in: 0...Int.max)
    let isDetached = parts.isDetached(isTracked: autolog.compiles, switchName: "compiles")

    let estimate = parts.estimateTerms()

    parts.checkRows(trainset, "trainset", resolved?.program, dataProblems)
    parts.checkRows(valset, "valset", resolved?.program, dataProblems)
    parts.checkMetricFields(resolved?.program, rows: valset ?? trainset)
    if let trainset { optimizer?.check(trainset: trainset.count, valset: valset?.count, problems: parts.problems) }
    let answers = try await parts.answers()
    let knowledge = [trainset, valset]
    let task = parts.client(languageModel, "lm", knowledge: knowledge, answers: answers)
    let prompt = parts.client(promptModel, "promptModel", knowledge: knowledge, answers: answers)
    let teaching = parts.client(teacher, "teacher", knowledge: knowledge, answers: answers)
    try parts.check("compile", dataProblems)
    guard let resolved, let trainset, let metric, let optimizer, let task, let budget else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    student = resolved.program
    self.optimizer = optimizer
    self.trainset = trainset
    self.valset = valset
    self.metric = metric
    taskModel = task
    self.promptModel = prompt
    self.teacher = teaching
    callbacks = try await parts.callbacks()
    self.tracking = tracking
    self.autolog = autolog
    self.concurrency = concurrency
    self.budget = budget
    self.maxErrors = maxErrors
    self.isDetached = isDetached
    self.estimate = estimate
    warnings = resolved.warnings
    kept = parts.kept(program: resolved.program, metric: metric)
    kept["trainset"] = trainset.json
    if let valset { kept["valset"] = valset.json }
    kept["lm"] = .object(task.configuration.json)
    if let prompt { kept["promptModel"] = .object(prompt.configuration.json) }
    if let teaching { kept["teacher"] = .object(teaching.configuration.json) }
  }

  /// The optimizer; the request's own seed counts where the optimizer's settings name none.
  private static func optimizer(_ parts: RequestParts, _ seed: Int?) -> (any Optimizer)? {
    guard var value = parts.fields.value("optimizer") else {
      parts.problems.add(
        Problem(
          path: "optimizer", message: "This member is required: an optimizer such as \"MIPROv2\".",
          allowed: OptimizerRegistry.all.names))
      return nil
    }
    if let seed {
      var object = value.objectValue ?? ["name": value]
      if object["name"]?.stringValue == MIPROv2.name, object["seed"] == nil { object["seed"] = .int(seed) }
      value = .object(object)
    }
    return OptimizerRegistry.all.read(value, at: "optimizer", parts.problems)
  }

  /// The run to make; nil where compiles are not tracked.
  var newRun: NewRun? {
    guard autolog.compiles else { return nil }
    return NewRun(
      name: tracking.runName, user: Environment.value("USER"), sourceName: "hone", sourceType: "LOCAL",
      tags: tracking.tags + modelTags(taskModel.configuration)
        + [KeyValue(HoneTag.kind, "compile"), KeyValue("mlflow.autologging", "hone")])
  }
}
