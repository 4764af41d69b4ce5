import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Schema
import Traces
import Tracking

extension Method {
  static let predict = Method(
    "predict", "Runs a program once.",
    [
      Parameter("program", Shape.reference("Program"), "What to run; or programId."),
      Parameter("programId", Shape.string, "A program that compile or loadProgram named."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text; ChainOfThought unless said."),
      Parameter("executionId", Shape.string, "Within program/forward: the execution that the call belongs to."),
      Parameter("predictor", Shape.string, "Within program/forward: which predictor of the program to run."),
      Parameter("inputs", required: true, Shape.anyObject, "A value for each input field."),
      Parameter("lm", Shape.reference("LanguageModel"), "The model; the run's own for a program of a run, else $HONE_LM, unless given."),
      Parameter("adapter", Shape.reference("Adapter"), "The form of prompt and reply; what the program was made with, else chat, unless given."),
      Parameter("experiment", Shape.string, "Where the trace is kept. Default unless said."),
      Parameter("autolog", ["anyOf": [Shape.reference("Autolog"), Shape.boolean]], "Whether the execution is traced; yes unless said."),
      Parameter("budget", Shape.reference("Budget"), "Bounds that are checked before the call."),
    ],
    result: Shape.object([
      "outputs": Shape.anyObject, "completions": Shape.array(Shape.anyObject), "traceId": Shape.optionalString,
      "replies": Shape.reference("Replies"),
      "usage": Shape.reference("Usage"), "simulated": Shape.boolean, "warnings": Shape.array(Shape.string),
    ]),
    example: ["program": "question -> answer", "inputs": ["question": "What is 2 + 2?"], "lm": "simulated"]
  ) { service, fields, environment throws(HoneError) in
    if fields.value("executionId") != nil { return try await predictWithin(service, fields, environment) }
    if fields.value("predictor") != nil {
      fields.problems.add("executionId", "A predictor is named together with the execution it is called in.")
    }
    let parts = RequestParts(service, fields, environment)
    let id = fields.value("programId")
    var resolved: ResolvedProgram?
    if let id {
      fields.ignore("module")
      if fields.value("program") != nil { fields.problems.add("programId", "Give program or programId, not both.") }
      let reference = FieldReader(["programId": id], problems: fields.problems)
      resolved = try await parts.resolve(reference)
      parts.checkCallbacks(resolved?.program, at: "programId")
    } else {
      resolved = try await parts.program()
    }
    let inputs = fields.object("inputs")
    // Whoever gives inputs directly says by that what the program takes.
    resolved = parts.adapting(parts.naming(resolved, inputs: inputs?.keys))
    var unused: [String] = []
    if inputs == nil, fields.object["inputs"] == nil {
      fields.problems.add("inputs", "This member is required: an object with a value for each input field.")
    }
    if let resolved, let inputs {
      let names = resolved.program.module.inputs.map(\.name)
      let extra = inputs.keys.filter { !names.contains($0) }
      for name in names where inputs[name] == nil {
        if let typo = nearest(to: name, among: extra) {
          fields.problems.add(
            Problem(
              path: "inputs.\(typo)", message: "The program takes no input \"\(typo)\".", got: typo, allowed: names,
              suggestion: name))
        } else {
          fields.problems.add(
            Problem(path: "inputs.\(name)", message: "The program takes this input, which is not given.", allowed: names))
        }
      }
      unused = extra
    }
    let configuration = parts.taskConfiguration(fallback: resolved?.configuration)
    let experimentName = fields.string("experiment") ?? "Default"
    let autolog = Autolog(fields)
    let budget = fields.value("budget").map { Budget($0, path: "budget", problems: fields.problems) } ?? Budget()
    let store = try await service.store()
    let client = parts.client(configuration, "lm", knowledge: [], answers: store)
    try fields.check("predict")
    guard let resolved, let inputs, let configuration, let client, let budget else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    let experiment = autolog.traces ? try await store.experiment(named: experimentName) : nil
    let account = RunAccount(budget: budget)
    var session = EngineSession(
      experimentID: experiment?.id, account: account, concurrency: 1, traces: autolog.traces ? store : nil)
    session.callbacks = try await parts.callbacks()
    let request = EngineSession.Request(
      program: PreparedProgram(resolved.program), inputs: inputs, model: client, scope: "predict")
    let execution = try await session.execute(request)
    let traceID = execution.traceID
    await store.flush()
    switch execution.outcome {
    case .failure(var error):
      if let traceID { error.details["traceId"] = traceID.description }
      throw error
    case .success(let prediction):
      var object: JSONObject = [
        "outputs": .object(prediction.outputs), "traceId": JSONValue(traceID?.description),
        "usage": .object(account.usage.json), "replies": execution.replies.json,
      ]
      if !prediction.completions.isEmpty {
        object["completions"] = .array(prediction.completions.map(JSONValue.object))
      }
      if configuration.isSimulated { object["simulated"] = true }
      if !unused.isEmpty {
        object["warnings"] = .array(
          unused.map { .string("The program takes no input \"\($0)\"; it was not used.") })
      }
      return .object(object)
    }
  }
}
