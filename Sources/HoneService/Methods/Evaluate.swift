import Failures
import JSON
import LanguageModels
import Schema

extension Method {
  static let evaluate = Method(
    "evaluate", "Scores a program on examples and tracks the evaluation.",
    resolving: EvaluateRequest.self,
    result: Shape.object([
      "runId": Shape.optionalString, "experimentId": Shape.string, "status": Shape.string, "score": Shape.optionalNumber,
      "count": Shape.integer, "failed": Shape.integer, "coverage": Shape.number,
      "interval": Shape.reference("Interval"), "replies": Shape.reference("Replies"),
      "adapter": Shape.reference("AdapterDecision"), "results": Shape.array(Shape.reference("ExampleResult")),
      "usage": Shape.reference("Usage"), "seconds": Shape.number, "simulated": Shape.boolean,
      "warnings": Shape.array(Shape.string), "resultsTruncated": Shape.boolean,
      "error": Shape.anyObject, "resumeCommand": Shape.string,
    ]),
    example: [
      "program": "question -> answer", "devset": ["name": "word-problems", "split": "test", "limit": 20],
      "metric": "numeric_match", "lm": "simulated",
    ],
    isLong: true
  ) { request, parts throws(HoneError) in
    let service = parts.service
    let order = try await EvaluateOrder(request, parts)
    if parts.environment.isCheck { return .null }
    let store = try await service.store()
    let run = try await OpenRun.begin(
      order.newRun, experiment: order.tracking.experiment, method: "evaluate", params: order.kept,
      budget: order.budget, store)
    let job = EvaluateJob(order, run, service)
    return try await service.perform(job, isDetached: order.isDetached, in: parts.environment)
  }
}

struct EvaluateRequest: SchemaObject {
  static let members: [Member<Self>] =
    [
      .program(\.program, "What to score."),
      .module(\.module),
      Member("devset", \.devset, isRequired: true, "The examples."),
      .metric(\.metric),
      Member("lm", \.lm, "The model; the run's own for a program of a run, else $HONE_LM, unless given."),
      .adapter(\.adapter),
    ] + Member.of(\.tracking) + [
      .autolog(\.autolog),
      .budget(\.budget),
      .concurrency(\.concurrency),
      Member(
        "maxErrors", \.maxErrors, in: 0...Int.max,
        "How many examples may fail before the evaluation is paused; any number unless said."),
      .detach(\.detach),
      Member("maxResults", \.maxResults, in: 0...100_000, "How many examples the result lists. All are in the run."),
    ]
  var program: Stated<ProgramShape>?
  var module: String?
  var devset: Stated<DatasetShape>?
  var metric: Stated<MetricShape>?
  var lm: ModelConfiguration?
  var adapter: AdapterChoice?
  var tracking = RunSetup()
  var autolog = Autolog()
  var budget: Budget.Limits?
  var concurrency = 8
  var maxErrors: Int?
  var detach = false
  var maxResults = 1000

  mutating func settle(_ fields: FieldReader) { tracking.settle(fields) }
}
