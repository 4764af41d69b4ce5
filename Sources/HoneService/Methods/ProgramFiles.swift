import Failures
package import JSON
import Jobs
import LanguageModels
import Programs
package import Schema

extension Method {
  static let loadProgram = Method(
    "loadProgram", "Loads a program from a run, a file, an artifact or a state, for predict, evaluate and compile.",
    resolving: ProgramReference.self, gives: LoadProgramResult.self,
    example: ["run": "0123456789abcdef0123456789abcdef"], isReading: true, isForPages: true
  ) { request, resolver throws(HoneError) in
    let resolved = try resolver.whole(try await resolver.resolve(request, at: resolver.fields))
    return LoadProgramResult(resolved, id: resolver.workspace.load(resolved.program))
  }

  static let saveProgram = Method(
    "saveProgram", "Writes a program to a file that DSPy's load() and loadProgram read.",
    resolving: SaveProgramRequest.self, gives: SaveProgramResult.self,
    example: ["programId": "p-0123456789abcdef", "path": "best.json"]
  ) { request, resolver throws(HoneError) in
    let path = resolver.environment.place(ofFile: request.path)
    if path == nil { resolver.problems.add("path", resolver.environment.outside(request.path)) }
    let (resolved, full) = try resolver.whole(
      try await resolver.program(request.program, id: request.programId, module: request.module, isRun: false), path)
    let bytes = Array(StateFile.text(resolved.program).utf8)
    if let written = resolver.environment.written {
      try written.write(bytes, to: full)
    } else {
      try writeFile(full, bytes)
    }
    return SaveProgramResult(path: full, programID: programID(resolved.program))
  }
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

/// A program that was loaded.
package struct LoadProgramResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member(
      "programId", \.programID, isAlwaysWritten: true,
      "Its id; valid while the service runs and the program is among those it used last."),
    Member("module", \.module, isAlwaysWritten: true, "How it is run."),
    Member("signature", \.signature, isAlwaysWritten: true, "Inputs -> outputs of the whole."),
    Member("predictors", \.predictors, isAlwaysWritten: true, "Its predictors with their instructions and demos."),
    Member("state", \.state, isAlwaysWritten: true, as: Schema(.named("State")), "The content of its file."),
    Member("lm", \.lm, "The model that it was made with, where that is known."),
    Member("warnings", \.warnings, "What in the file does not match the program."),
  ]

  /// One predictor of a program.
  package struct Predictor: ResultObject {
    package static let members: [Member<Self>] = [
      Member("name", \.name, isAlwaysWritten: true, "Its name in files."),
      Member("signature", \.signature, isAlwaysWritten: true, "Inputs -> outputs."),
      Member("instructions", \.instructions, isAlwaysWritten: true, "What the model is told to do."),
      Member("demos", \.demos, isAlwaysWritten: true, "Its examples."),
    ]
    package var name = ""
    package var signature = ""
    package var instructions = ""
    package var demos: [JSONObject] = []

    package init() {}
  }

  package var programID = ""
  package var module = ""
  package var signature = ""
  package var predictors: [Predictor] = []
  package var state: JSONObject = [:]
  package var lm: JSONObject?
  package var warnings: [String] = []

  package init() {}

  init(_ resolved: ResolvedProgram, id: String) {
    let program = resolved.program
    programID = id
    module = program.module.className
    signature = program.module.signatureText
    predictors = zip(program.predictors, program.states).map { predictor, state in
      var shown = Predictor()
      shown.name = predictor.name
      shown.signature = predictor.signature.text
      shown.instructions = state.instructions
      shown.demos = state.demos
      return shown
    }
    state = StateFile.encode(program)
    lm = resolved.configuration?.json
    warnings = resolved.warnings
  }
}

/// A program that was written to a file.
package struct SaveProgramResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("path", \.path, isAlwaysWritten: true, "The file."),
    Member("programId", \.programID, isAlwaysWritten: true, "The program's id."),
  ]
  package var path = ""
  package var programID = ""

  package init() {}

  init(path: String, programID: String) {
    self.path = path
    self.programID = programID
  }
}
