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
    resolving: PredictRequest.self,
    result: Shape.object([
      "outputs": Shape.anyObject, "completions": Shape.array(Shape.anyObject), "traceId": Shape.optionalString,
      "replies": Shape.reference("Replies"),
      "usage": Shape.reference("Usage"), "simulated": Shape.boolean, "warnings": Shape.array(Shape.string),
    ]),
    example: ["program": "question -> answer", "inputs": ["question": "What is 2 + 2?"], "lm": "simulated"]
  ) { request, parts throws(HoneError) in
    let service = parts.service
    if request.executionId != nil { return try await predictWithin(request, parts) }
    var resolved = try await parts.program(request.program, id: request.programId, module: request.module)
    // Whoever gives inputs directly says by that what the program takes.
    resolved = parts.adapting(parts.naming(resolved, inputs: request.inputs.keys), to: request.adapter)
    let unused = resolved.map { parts.checkInputs(request.inputs, of: $0.program) } ?? []
    let configuration = parts.taskConfiguration(request.lm, fallback: resolved?.configuration)
    let store = try await service.store()
    let made = parts.client(configuration, "lm", knowledge: [], answers: store)
    let (whole, client) = try parts.whole(resolved, made)
    let inputs = request.inputs
    let autolog = request.autolog
    let experiment = autolog.traces ? try await store.experiment(named: request.experiment) : nil
    let account = RunAccount(budget: Budget(request.budget ?? Budget.Limits()))
    var session = EngineSession(
      experimentID: experiment?.id, account: account, concurrency: 1, traces: autolog.traces ? store : nil)
    session.callbacks = try await parts.callbacks()
    let request = EngineSession.Request(
      program: PreparedProgram(whole.program), inputs: inputs, model: client, scope: "predict")
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
      if client.configuration.isSimulated { object["simulated"] = true }
      if !unused.isEmpty {
        object["warnings"] = .array(
          unused.map { .string("The program takes no input \"\($0)\"; it was not used.") })
      }
      return .object(object)
    }
  }
}

struct PredictRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("program", \.program, "What to run; or programId."),
    .programID(\.programId),
    .module(\.module),
    Member("executionId", \.executionId, "Within program/forward: the execution that the call belongs to."),
    Member("predictor", \.predictor, "Within program/forward: which predictor of the program to run."),
    Member("inputs", \.inputs, isRequired: true, "A value for each input field."),
    Member("lm", \.lm, "The model; the run's own for a program of a run, else $HONE_LM, unless given."),
    Member("adapter", \.adapter, "The form of prompt and reply; what the program was made with, else chat, unless given."),
    Member("experiment", \.experiment, "Where the trace is kept."),
    .autolog(\.autolog),
    .budget(\.budget),
  ]
  var program: Stated<ProgramShape>?
  var programId: String?
  var module: String?
  var executionId: String?
  var predictor: String?
  var inputs: JSONObject = [:]
  var lm: ModelConfiguration?
  var adapter: AdapterChoice?
  var experiment = "Default"
  var autolog = Autolog()
  var budget: Budget.Limits?

  mutating func settle(_ fields: FieldReader) {
    if predictor != nil, executionId == nil {
      fields.problems.add("executionId", "A predictor is named together with the execution it is called in.")
    }
    if executionId != nil, predictor == nil {
      fields.problems.add("predictor", "This member is required (a string).")
    }
  }
}

extension RequestParts {
  /// Notes inputs that the program takes and does not get; gives the names of those that it does not take.
  func checkInputs(_ inputs: JSONObject, of program: Program) -> [String] {
    let names = program.module.inputs.map(\.name)
    let extra = inputs.keys.filter { !names.contains($0) }
    guard fields.object["inputs"]?.objectValue != nil else { return [] }
    for name in names where inputs[name] == nil {
      if let typo = nearest(to: name, among: extra) {
        problems.add(
          Problem(
            path: "inputs.\(typo)", message: "The program takes no input \"\(typo)\".", got: typo, allowed: names,
            suggestion: name))
      } else {
        problems.add(
          Problem(path: "inputs.\(name)", message: "The program takes this input, which is not given.", allowed: names))
      }
    }
    return extra
  }
}
