import Failures
import JSON

extension Method {
  static let evaluate = Method(
    "evaluate", "Scores a program on examples and tracks the evaluation.",
    [
      Parameter("program", required: true, Shape.reference("Program"), "What to score."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text; ChainOfThought unless said."),
      Parameter("devset", required: true, Shape.reference("Dataset"), "The examples."),
      Parameter("metric", required: true, Shape.reference("Metric"), "What is right."),
      Parameter("lm", Shape.reference("LanguageModel"), "The model; the run's own for a program of a run, else $HONE_LM, unless given."),
      Parameter("adapter", Shape.reference("Adapter"), "The form of prompts and replies; auto unless said or known from the program: what the model reads and answers best."),
      Parameter("experiment", Shape.string, "The experiment's name; made if there is none. Default unless said."),
      Parameter("runName", Shape.string, "The run's name; eval unless said."),
      Parameter("tags", ["type": "object", "additionalProperties": ["type": "string"]], "Tags of the run."),
      Parameter("autolog", ["anyOf": [Shape.reference("Autolog"), Shape.boolean]], "What is tracked; everything unless said."),
      Parameter("budget", Shape.reference("Budget"), "Bounds that are checked before each call."),
      Parameter("concurrency", Shape.integer, "How many executions at once; 8 unless said."),
      Parameter("maxErrors", Shape.integer, "How many examples may fail before the evaluation is paused; any number unless said."),
      Parameter("detach", Shape.boolean, "Answer at once with the run's id and go on without the client; watchRun attaches to it."),
      Parameter("maxResults", Shape.integer, "How many examples the result lists; 1000 unless said. All are in the run."),
    ],
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
  ) { service, fields, environment throws(HoneError) in
    let order = try await EvaluateOrder(RequestParts(service, fields, environment))
    if environment.isCheck { return .null }
    let store = try await service.store()
    let run = try await OpenRun.begin(
      order.newRun, experiment: order.tracking.experiment, method: "evaluate", params: order.kept,
      budget: order.budget, store)
    let job = EvaluateJob(order, run, service)
    return try await service.perform(job, isDetached: order.isDetached, in: environment)
  }
}
