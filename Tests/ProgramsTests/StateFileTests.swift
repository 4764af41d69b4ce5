import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Testing

@Suite struct StateFiles {
  private func decode(_ json: JSONValue, _ module: Module?) throws -> (program: Program, warnings: [String]) {
    try StateFile.decode(json, module: module, source: "state.json")
  }

  private func failure(_ json: JSONValue, _ module: Module?) throws -> HoneError {
    try #require(#expect(throws: HoneError.self) { try self.decode(json, module) })
  }

  private func state(_ instructions: JSONValue = "Do.", demos: JSONValue = []) -> JSONValue {
    ["demos": demos, "signature": ["instructions": instructions]]
  }

  @Test(arguments: ["q -> a", planAndSolve, ["module": "Predict", "signature": "q, k: int -> a: list[str], b: Any"]])
  func roundTrip(json: JSONValue) throws {
    var program = Program(try module(json))
    for index in program.states.indices {
      program.states[index] = PredictorState(
        instructions: "Say \"\(index)\".\nTwice — ü.",
        demos: [["augmented": true, "q": "x", "a": ["1", nil, true], "n": 1.5], [:]])
    }
    let text = StateFile.text(program)
    #expect(text.hasSuffix("}\n"))
    let (read, warnings) = try decode(try JSONReader.read(text), nil)
    #expect(read == program)
    #expect(warnings.isEmpty)
  }

  @Test func haveTheMembersThatDSPysLoadAsksFor() throws {
    let file = StateFile.encode(Program(try module(planAndSolve)))
    #expect(file.keys == ["plan", "solve.predict", "metadata"])
    #expect(file["metadata"]?["dependency_versions"] == [:])
    let solve = try #require(file["solve.predict"]?.objectValue)
    #expect(solve.keys == ["traces", "train", "demos", "signature", "lm"])
    #expect(solve["lm"] == .null)
    #expect(
      solve["signature"]?["fields"] == [
        ["prefix": "Question:", "description": "${question}"], ["prefix": "Query:", "description": "${query}"],
        ["prefix": "Reasoning:", "description": "${reasoning}"], ["prefix": "Answer:", "description": "${answer}"],
      ])
    let bare = StateFile.encode(Program(.predict(try Signature("a -> b"))))
    #expect(bare.keys == ["traces", "train", "demos", "signature", "lm", "metadata"])
  }

  @Test func needNoMetadataModelTracesOrDemos() throws {
    let (program, warnings) = try decode(["predict": state()], try module("q -> a"))
    #expect(program.states == [PredictorState(instructions: "Do.")])
    #expect(warnings.isEmpty)
    #expect(try decode(["predict": state(demos: nil)], try module("q -> a")).program == program)
  }

  @Test func takeDSPysDefaultInstructionsAsTheyStand() throws {
    let stated = "Given the fields `other`, produce the fields `thing`."
    let program = try decode(["predict": state(.string(stated))], try module("q -> a")).program
    #expect(program.states[0].instructions == stated)
  }

  @Test func giveTheirDescriptionsWhereTheLabelsAgree() throws {
    let file: JSONValue = [
      "predict": [
        "signature": [
          "instructions": "Do.",
          "fields": [
            ["prefix": "Q:", "description": "a question"], ["prefix": "Reasoning:", "description": "${reasoning}"],
            ["prefix": "Reply:", "description": "something else"],
          ],
        ]
      ]
    ]
    let (program, warnings) = try decode(file, try module("q -> a"))
    #expect(program.predictors[0].signature.fields.map(\.description) == ["a question", "${reasoning}", ""])
    #expect(warnings == ["predict: the file calls the field a \"Reply:\"."])
  }

  @Test func warnOfWhatIsPassedOver() throws {
    let file: JSONValue = [
      "predict": [
        "signature": ["instructions": "Do.", "fields": [["prefix": "Q:", "description": "${q}"]]],
        "lm": ["model": "openai/sim", "api_base": "http://127.0.0.1:1/v1"],
      ],
      "second": state(), "metadata": [:],
    ]
    let (program, warnings) = try decode(file, try module("q -> a"))
    #expect(
      warnings == [
        "predict: the file lists 1 fields, the signature q -> reasoning, a has 3.",
        "predict: the file names the model openai/sim; models are never read from files.",
        "The file has a state for \"second\", which the program does not have.",
      ])
    #expect(!StateFile.text(program).contains("127.0.0.1"))
  }

  @Test func sayWhatDoesNotFit() throws {
    let cot = try module("q -> a")
    let bare = Module.predict(try Signature("q -> a"))
    #expect(try failure([1], cot).message == "state.json is not a program: expected an object, got an array.")
    #expect(
      try failure(["plan": state(), "metadata": [:]], cot).message
        == "state.json has no state for the predictor \"predict\"; it has: plan.")
    #expect(try failure(state(), cot).message.hasSuffix("it has: one bare Predict."))
    #expect(try failure(["predict": state()], bare).message.hasSuffix("\"self\"; it has: predict."))
    #expect(try failure([:], cot).message.hasSuffix("it has none at all."))
    #expect(
      try failure(["predict": ["extended_signature": [:]]], cot).message
        == "state.json: predict.signature.instructions is missing or not a string.")
    #expect(try failure(["predict": state(3)], cot).message.contains("predict.signature.instructions"))
    #expect(
      try failure(["predict": state(demos: [[:], 3])], cot).message.contains("predict.demos[1] should be an object"))
    #expect(try failure(["predict": state(demos: [:])], cot).message.contains("predict.demos should be a list"))
    for error in [try failure([:], cot), try failure(["predict": state(3)], cot)] {
      #expect(error.kind == .programInvalid)
      #expect(error.remedy != nil)
    }
  }

  @Test func askForTheProgramWhereTheyDoNotStateIt() throws {
    let error = try failure(["predict": state(), "metadata": ["dependency_versions": [:]]], nil)
    #expect(error.message.contains("does not say which program"))
    #expect(error.remedy?.contains("\"signature\"") == true)
    let broken = try failure(["predict": state(), "metadata": ["hone": ["signature": "q"]]], nil)
    #expect(broken.problems.map(\.path) == ["metadata.hone.signature"])
  }
}

@Suite(.enabled(if: Fixtures.exist)) struct StateFilesOfDSPy {
  private func read(_ name: String, _ json: JSONValue) throws -> (program: Program, warnings: [String]) {
    try StateFile.decode(try Fixtures.read(name), module: try module(json), source: name)
  }

  @Test func aChainOfThoughtWithDemos() throws {
    let (program, warnings) = try read("cot_with_demos.json", "question -> answer")
    #expect(warnings.isEmpty)
    let demos = program.states[0].demos
    #expect(demos.map { $0["augmented"] } == [true, true, true, nil])
    #expect(demos.map { $0["answer"] } == ["24", "92", "12", "8000"])
    #expect(demos[3]["gold_reasoning"] != nil)
    #expect(program.states[0].instructions == program.predictors[0].signature.instructions)
    let messages = sharedTexts(of: program)
    // The labelled row has no reasoning of its own: it is shown first, without its gold reasoning.
    #expect(messages.count == 9)
    #expect(messages[1].contains("Alice and Bob"))
    #expect(!messages.contains { $0.contains("<<") })
  }

  @Test func aChainOfThoughtWithoutDemos() throws {
    let (program, warnings) = try read("cot_zero_shot.json", "question -> answer")
    #expect(warnings.isEmpty)
    #expect(program == Program(try module("question -> answer")))
  }

  @Test func aProgramOfSeveralPredictors() throws {
    guard case .object(var json) = planAndSolve, let steps = json["steps"]?.arrayValue else { return }
    json["steps"] = .array(
      steps + [
        ["name": "checks[0]", "module": "Predict", "signature": "answer -> ok: bool"],
        ["name": "checks[1]", "module": "Predict", "signature": "answer -> note"],
        ["name": "by_name['alt']", "module": "Predict", "signature": "question -> answer"],
      ])
    let (program, warnings) = try read("multi_predictor.json", .object(json))
    #expect(program["plan"]?.instructions == "Write one short search query for the question.")
    #expect(program["plan"]?.demos.count == 3)
    #expect(program["solve.predict"]?.demos.first?["reasoning"] != nil)
    #expect(program.predictors[0].signature.outputs[0].description == "one search query")
    #expect(program.states.map(\.demos.count) == [3, 3, 3, 3, 3])
    #expect(warnings.isEmpty)
    let saved = try JSONReader.read(StateFile.text(program))
    #expect(try StateFile.decode(saved, module: nil, source: "").program == program)
  }

  @Test func statesThatTheProgramDoesNotHave() throws {
    let warnings = try read("multi_predictor.json", planAndSolve).warnings
    #expect(warnings.count == 3)
    #expect(warnings.last == "The file has a state for \"by_name['alt']\", which the program does not have.")
  }

  @Test func aBarePredictWithTypes() throws {
    let (program, warnings) = try read(
      "predict_typed.json",
      [
        "module": "Predict",
        "signature":
          "text, k: int -> people: list[dict[str, Any]], label: Literal['a', 'b'], score: float, extra: Optional[str]",
      ])
    #expect(warnings.isEmpty)
    #expect(program.states[0].instructions == "Extract the people.")
    #expect(program.states[0].demos[0]["people"] == [["name": "Ann", "age": 3]])
    #expect(program.predictors[0].signature.outputs[0].description == "all people named")
    let messages = sharedTexts(of: program)
    // A null is a value of an optional field: the first demo is complete and comes last.
    #expect(messages.count == 5)
    #expect(messages[4].contains("[[ ## extra ## ]]\nNone"))
  }

  @Test func aFileThatNamesAModel() throws {
    let (program, warnings) = try read(
      "predict_with_lm.json", ["module": "Predict", "signature": "question -> answer"])
    #expect(warnings == ["self: the file names the model openai/sim; models are never read from files."])
    #expect(!StateFile.text(program).contains("8791"))
  }
}

/// What every call of the first predictor begins with.
private func sharedTexts(of program: Program) -> [String] {
  Adapter(program.signature(at: 0)).sharedMessages(demos: program.states[0].demos).messages.map(\.content)
}
