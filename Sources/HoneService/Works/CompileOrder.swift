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
  init(_ request: CompileRequest, _ parts: RequestParts) async throws(HoneError) {
    await parts.fetch(request.trainset, request.valset)
    var resolved = try await parts.program(request.program, module: request.module)
    let trainset = parts.dataset(request.trainset, at: "trainset")
    let valset = parts.dataset(request.valset, at: "valset")
    resolved = parts.adapting(parts.naming(resolved, inputs: trainset?.inputKeys), to: request.adapter)
    let metric = try await parts.metric(request.metric)
    let optimizer = Self.optimizer(request, parts)
    let languageModel = parts.taskConfiguration(request.lm, fallback: resolved?.configuration)
    parts.checkDetached(request.detach, isTracked: request.autolog.compiles, switchName: "compiles")
    parts.checkRows(trainset, "trainset", resolved?.program)
    parts.checkRows(valset, "valset", resolved?.program)
    parts.checkMetricFields(resolved?.program, rows: valset ?? trainset)
    if let trainset { optimizer?.check(trainset: trainset.count, valset: valset?.count, problems: parts.problems) }
    let answers = try await parts.answers()
    let knowledge = [trainset, valset]
    let task = parts.client(languageModel, "lm", knowledge: knowledge, answers: answers)
    let prompt = parts.client(request.promptModel, "promptModel", knowledge: knowledge, answers: answers)
    let teaching = parts.client(request.teacher, "teacher", knowledge: knowledge, answers: answers)
    let whole = try parts.whole(resolved, trainset, metric, optimizer, task)
    student = whole.0.program
    self.trainset = whole.1
    self.valset = valset
    self.metric = whole.2
    self.optimizer = whole.3
    taskModel = whole.4
    self.promptModel = prompt
    self.teacher = teaching
    callbacks = try await parts.callbacks()
    tracking = request.tracking
    autolog = request.autolog
    concurrency = request.concurrency
    budget = Budget(request.budget ?? Budget.Limits())
    maxErrors = request.maxErrors
    isDetached = request.detach
    estimate = request.estimate.flatMap { $0.value ?? ($0.flag ? CompileEstimate.Terms() : nil) }
    warnings = whole.0.warnings
    kept = parts.kept(program: student, metric: self.metric)
    kept["trainset"] = self.trainset.json
    if let valset { kept["valset"] = valset.json }
    kept["lm"] = .object(taskModel.configuration.json)
    if let prompt { kept["promptModel"] = .object(prompt.configuration.json) }
    if let teaching { kept["teacher"] = .object(teaching.configuration.json) }
  }

  /// The optimizer; the request's own seed counts where the optimizer has one and its settings name none.
  private static func optimizer(_ request: CompileRequest, _ parts: RequestParts) -> (any Optimizer)? {
    guard var value = request.optimizer?.value else { return nil }
    if value.stringValue != nil { value = ["name": value] }
    let optimizers = parts.service.catalog.optimizers
    if let seed = request.seed, var object = value.objectValue {
      let type = object["name"]?.stringValue.flatMap { optimizers.type(named: $0) }
      if type?.fields.contains(where: { $0.name == "seed" }) == true, object["seed"] == nil {
        object["seed"] = .int(seed)
        value = .object(object)
      }
    }
    return optimizers.read(value, at: "optimizer", parts.problems)
  }

  /// The run to make; nil where compiles are not tracked.
  var newRun: NewRun? {
    guard autolog.compiles else { return nil }
    return NewRun(
      name: tracking.runName, user: Environment.value("USER"), sourceName: "hone", sourceType: "LOCAL",
      tags: tracking.tagValues + modelTags(taskModel.configuration)
        + [KeyValue(HoneTag.kind, "compile"), KeyValue("mlflow.autologging", "hone")])
  }
}
