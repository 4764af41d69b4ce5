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
    resolving: LoadProgramRequest.self,
    result: Shape.object([
      "programId": Shape.string, "module": Shape.string, "signature": Shape.string,
      "predictors": Shape.array(Shape.anyObject), "state": Shape.reference("State"), "lm": Shape.anyObject,
      "warnings": Shape.array(Shape.string),
    ]),
    example: ["run": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { request, parts throws(HoneError) in
    let service = parts.service
    let resolved = try parts.whole(try await parts.resolve(FieldReader(parts.fields.object, problems: parts.problems)))
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
    resolving: SaveProgramRequest.self,
    result: Shape.object(["path": Shape.string, "programId": Shape.string]),
    example: ["programId": "p-0123456789abcdef", "path": "best.json"]
  ) { request, parts throws(HoneError) in
    let resolved = try parts.whole(
      try await parts.program(request.program, id: request.programId, module: request.module, isRun: false))
    let path = request.path
    let full = path.hasPrefix("/") ? path : parts.environment.baseDirectory + "/" + path
    try writeFile(full, Array(StateFile.text(resolved.program).utf8))
    return ["path": .string(full), "programId": .string(programID(resolved.program))]
  }
}

struct LoadProgramRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("run", \.run, "The id of a run: its best program, or the one it evaluated."),
    Member("path", \.path, "A program file of Hone's or DSPy's."),
    Member("artifactUri", \.artifactUri, "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}"),
    Member("programId", \.programId, "A program that compile or loadProgram named."),
    Member("state", \.state, "The content of such a file."),
  ] + Member.of(\.structure)
  var run: String?
  var path: String?
  var artifactUri: String?
  var programId: String?
  var state: Stated<StateShape>?
  /// For files that do not say it (DSPy's).
  var structure = ModuleMembers()
}

struct SaveProgramRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("program", \.program, "What to save; or programId."),
    .module(\.module),
    .programID(\.programId),
    Member("path", \.path, isRequired: true, "The file to write; its name ends in .json."),
  ]
  var program: Stated<ProgramShape>?
  var module: String?
  var programId: String?
  var path = ""

  mutating func settle(_ fields: FieldReader) {
    if fields.gives("path"), !path.hasSuffix(".json") {
      fields.problems.add("path", "The file's name should end in .json.")
    }
  }
}
