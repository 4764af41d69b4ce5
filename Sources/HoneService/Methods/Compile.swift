import Failures
import JSON

extension Method {
  static let compile = Method(
    "compile", "Optimizes a program's instructions and demos, and tracks the whole search.",
    [
      Parameter("program", required: true, Shape.reference("Program"), "What to optimize."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text; ChainOfThought unless said."),
      Parameter("optimizer", required: true, Shape.reference("Optimizer"), "How to search."),
      Parameter("trainset", required: true, Shape.reference("Dataset"), "Rows to learn from."),
      Parameter("valset", Shape.reference("Dataset"), "Rows to score candidates on; a part of the trainset unless given."),
      Parameter("metric", required: true, Shape.reference("Metric"), "What is right."),
      Parameter("lm", Shape.reference("LanguageModel"), "The model the program runs on; $HONE_LM unless given."),
      Parameter("promptModel", Shape.reference("LanguageModel"), "The model that writes instructions; lm unless given."),
      Parameter("teacher", Shape.reference("LanguageModel"), "The model that demos are bootstrapped with; lm unless given."),
      Parameter("adapter", Shape.reference("Adapter"), "The form of prompts and replies; auto unless said or known from the program: what the model reads and answers best."),
      Parameter("experiment", Shape.string, "The experiment's name; made if there is none. Default unless said."),
      Parameter("runName", Shape.string, "The run's name."),
      Parameter("tags", ["type": "object", "additionalProperties": ["type": "string"]], "Tags of the run."),
      Parameter("autolog", ["anyOf": [Shape.reference("Autolog"), Shape.boolean]], "What is tracked; everything unless said."),
      Parameter("budget", Shape.reference("Budget"), "Bounds that are checked before each call."),
      Parameter("concurrency", Shape.integer, "How many executions at once; 8 unless said. The result does not depend on it."),
      Parameter("seed", Shape.integer, "The seed of the search, where the optimizer draws at random."),
      Parameter("maxErrors", Shape.integer, "How many examples of one evaluation may fail before the search is paused."),
      Parameter(
        "estimate", ["anyOf": [Shape.boolean, Shape.object(["latency": Shape.number, "outputTokens": Shape.number])]],
        "Only tell what it would ask for: calls by phase and role, tokens, cost and seconds, each from min to max; no model is asked."),
      Parameter("detach", Shape.boolean, "Answer at once with the run's id and go on without the client; watchRun attaches to it."),
    ],
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
  ) { service, fields, environment throws(HoneError) in
    let order = try await CompileOrder(RequestParts(service, fields, environment))
    if environment.isCheck { return .null }
    if let terms = order.estimate { return try await CompileEstimate(order, terms).json(service) }
    let store = try await service.store()
    let run = try await OpenRun.begin(
      order.newRun, experiment: order.tracking.experiment, method: "compile", params: order.kept, budget: order.budget,
      store)
    let job = CompileJob(order, run, service)
    return try await service.perform(job, isDetached: order.isDetached, in: environment)
  }
}
