import Failures
import JSON
import LanguageModels
import Programs
import Schema
import Synchronization
import Tracking

extension Method {
  static let loadProgram = Method(
    "loadProgram", "Loads a program from a run, a file, an artifact or a state, for predict, evaluate and compile.",
    [
      Parameter("run", Shape.string, "The id of a run: its best program, or the one it evaluated."),
      Parameter("path", Shape.string, "A program file of Hone's or DSPy's."),
      Parameter("artifactUri", Shape.string, "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}"),
      Parameter("state", Shape.reference("State"), "The content of such a file."),
      Parameter("signature", Shape.reference("Signature"), "The signature, for files that do not say it (DSPy's)."),
      Parameter("module", Shape.string, "The module that goes with the signature."),
      Parameter("instructions", Shape.string, "Not used where a state gives them."),
      Parameter("steps", Shape.array(Shape.anyObject), "A pipeline's steps, in place of a signature."),
      Parameter("outputs", Shape.array(Shape.string), "A pipeline's outputs."),
      Parameter("tools", Shape.array(Shape.reference("Tool")), "A ReAct's tools."),
      Parameter("max_iters", Shape.integer, "How many turns a ReAct takes at most."),
      Parameter("host", Shape.string, "The name of a program that the client runs."),
      Parameter("predictors", Shape.anyObject, "A host program's predictors."),
      Parameter("inputs", Shape.array(Shape.string), "A host program's inputs."),
      Parameter("description", Shape.string, "What a host program does."),
      Parameter("timeout", Shape.number, "Seconds that a host program may take."),
    ],
    result: Shape.object([
      "programId": Shape.string, "module": Shape.string, "signature": Shape.string,
      "predictors": Shape.array(Shape.anyObject), "state": Shape.reference("State"), "lm": Shape.anyObject,
      "warnings": Shape.array(Shape.string),
    ]),
    example: ["run": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, fields, environment throws(HoneError) in
    let parts = RequestParts(service, fields, environment)
    fields.ignore(
      "signature", "module", "instructions", "steps", "outputs", "tools", "max_iters", "host", "predictors", "inputs",
      "description", "timeout", "run", "path", "artifactUri", "state")
    let reference = FieldReader(fields.object, problems: fields.problems)
    let resolved = try await parts.resolve(reference)
    try fields.check("loadProgram")
    guard let resolved else { throw HoneError(.internalError, "The program was read without a problem, but not whole.") }
    let program = resolved.program
    let id = programID(program)
    service.loaded.withLock { $0[id] = program }
    var object: JSONObject = [
      "programId": .string(id), "module": .string(program.module.className),
      "signature": .string(program.module.signatureText),
      "predictors": .array(
        zip(program.predictors, program.states).map { predictor, state in
          [
            "name": .string(predictor.name), "signature": .string(predictor.signature.text),
            "instructions": .string(state.instructions), "demos": .array(state.demos.map(JSONValue.object)),
          ]
        }),
      "state": .object(StateFile.encode(program)),
    ]
    if let configuration = resolved.configuration { object["lm"] = .object(configuration.json) }
    if !resolved.warnings.isEmpty { object["warnings"] = .array(resolved.warnings.map(JSONValue.string)) }
    return .object(object)
  }

  static let saveProgram = Method(
    "saveProgram", "Writes a program to a file that DSPy's load() and loadProgram read.",
    [
      Parameter("program", Shape.reference("Program"), "What to save; or programId."),
      Parameter("module", Shape.string, "The module for a program given as a signature's text."),
      Parameter("programId", Shape.string, "A program that compile or loadProgram named."),
      Parameter("path", required: true, Shape.string, "The file to write; its name ends in .json."),
    ],
    result: Shape.object(["path": Shape.string, "programId": Shape.string]),
    example: ["programId": "p-0123456789abcdef", "path": "best.json"]
  ) { service, fields, environment throws(HoneError) in
    let parts = RequestParts(service, fields, environment)
    let resolved: ResolvedProgram?
    if let id = fields.value("programId") {
      fields.ignore("module", "program")
      resolved = try await parts.resolve(FieldReader(["programId": id], problems: fields.problems))
    } else {
      resolved = try await parts.program(isRun: false)
    }
    let path = fields.requiredString("path")
    if let path, !path.hasSuffix(".json") { fields.problems.add("path", "The file's name should end in .json.") }
    try fields.check("saveProgram")
    guard let resolved, let path else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    let full = path.hasPrefix("/") ? path : environment.baseDirectory + "/" + path
    try writeFile(full, Array(StateFile.text(resolved.program).utf8))
    return ["path": .string(full), "programId": .string(programID(resolved.program))]
  }
}
