import Failures
import JSON
import LanguageModels
import Schema

extension Method {
  static let compile = Method(
    "compile", "Optimizes a program's instructions and demos, and tracks the whole search.",
    resolving: CompileRequest.self,
    result: Shape.object([
      "runId": Shape.optionalString, "experimentId": Shape.string, "status": Shape.string,
      "score": Shape.optionalNumber, "interval": Shape.reference("Interval"), "baselineScore": Shape.optionalNumber,
      "comparison": Shape.anyObject, "adapter": Shape.reference("AdapterDecision"), "replies": Shape.reference("Replies"),
      "bestRunId": Shape.optionalString, "program": Shape.reference("State"),
      "programId": Shape.string, "artifactUri": Shape.optionalString,
      "trials": Shape.array(Shape.reference("Trial")), "usage": Shape.reference("Usage"),
      "seconds": Shape.number, "simulated": Shape.boolean, "warnings": Shape.array(Shape.string),
      "error": Shape.anyObject, "resumeCommand": Shape.string,
    ]),
    example: [
      "program": "question -> answer", "optimizer": ["name": "MIPROv2", "auto": "light"],
      "trainset": ["name": "word-problems", "split": "train"], "valset": ["name": "word-problems", "split": "val"],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { request, parts throws(HoneError) in
    let service = parts.service
    let order = try await CompileOrder(request, parts)
    if parts.environment.isCheck { return .null }
    if let terms = order.estimate { return try await CompileEstimate(order, terms).json(service) }
    let store = try await service.store()
    let run = try await OpenRun.begin(
      order.newRun, experiment: order.tracking.experiment, method: "compile", params: order.kept, budget: order.budget,
      store)
    let job = CompileJob(order, run, service)
    return try await service.perform(job, isDetached: order.isDetached, in: parts.environment)
  }
}

struct CompileRequest: SchemaObject {
  static let members: [Member<Self>] =
    [
      .program(\.program, "What to optimize."),
      .module(\.module),
      Member("optimizer", \.optimizer, isRequired: true, "How to search."),
      Member("trainset", \.trainset, isRequired: true, "Rows to learn from."),
      Member("valset", \.valset, "Rows to score candidates on; a part of the trainset unless given."),
      .metric(\.metric),
      Member("lm", \.lm, "The model the program runs on; $HONE_LM unless given."),
      Member("promptModel", \.promptModel, "The model that writes instructions; lm unless given."),
      Member("teacher", \.teacher, "The model that demos are bootstrapped with; lm unless given."),
      .adapter(\.adapter),
    ] + Member.of(\.tracking) + [
      .autolog(\.autolog),
      .budget(\.budget),
      .concurrency(\.concurrency),
      Member("seed", \.seed, "The seed of the search, where the optimizer draws at random."),
      Member(
        "maxErrors", \.maxErrors, in: 0...Int.max,
        "How many examples of one evaluation may fail before the search is paused; any number unless said."),
      Member(
        "estimate", \.estimate,
        "Estimate calls, tokens, cost and seconds by phase and role, each from min to max, without calling a model."),
      .detach(\.detach),
    ]
  var program: Stated<ProgramShape>?
  var module: String?
  var optimizer: Stated<OptimizerShape>?
  var trainset: Stated<DatasetShape>?
  var valset: Stated<DatasetShape>?
  var metric: Stated<MetricShape>?
  var lm: ModelConfiguration?
  var promptModel: ModelConfiguration?
  var teacher: ModelConfiguration?
  var adapter: AdapterChoice?
  var tracking = RunSetup()
  var autolog = Autolog()
  var budget: Budget.Limits?
  var concurrency = 8
  var seed: Int?
  var maxErrors: Int?
  var estimate: OrFlag<CompileEstimate.Terms>?
  var detach = false

  mutating func settle(_ fields: FieldReader) { tracking.settle(fields) }
}
