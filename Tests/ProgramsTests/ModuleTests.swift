import Failures
import JSON
import Programs
import Testing

@Suite struct ModulesFromRequests {
  @Test func aTextIsAChainOfThought() throws {
    let module = try module("question -> answer")
    #expect(module == .chainOfThought(try Signature("question -> answer")))
    #expect(module.signatureText == "question -> reasoning, answer")
    #expect(module.predictors.map(\.name) == ["predict"])
    #expect(Program(module).traceName == "ChainOfThought.forward")
  }

  @Test func anObjectNamesTheModule() throws {
    let module = try module(["module": "Predict", "signature": "a -> b", "instructions": "Do."])
    #expect(module == .predict(try Signature("a -> b", instructions: "Do.")))
    #expect(module.predictors.map(\.name) == ["self"])
  }

  @Test(
    arguments: [
      "question, k: int -> answer: list[str]",
      ["module": "Predict", "signature": ["inputs": [["name": "a", "desc": "x"]], "outputs": ["b"]]],
      planAndSolve,
    ] as [JSONValue])
  func readBackFromTheirOwnJSON(json: JSONValue) throws {
    let module = try module(json)
    #expect(try ProgramsTests.module(.object(module.json)) == module)
  }

  @Test func everyProblemIsReportedAtOnce() {
    let found = problems(reading: [
      "steps": [
        ["name": "plan", "module": "Predct", "signature": "question -> query"],
        ["name": "solve", "signature": "question, query -> answer", "inputs": ["query": "plan.query", "qery": "x"]],
        ["name": "check", "signature": "answer ->"],
        ["nam": "x", "signature": "a -> b"],
        ["name": "solve", "signature": "a -> b", "inputs": ["a": "solve.answr"]],
      ]
    ])
    #expect(
      found.map(\.path)
        == [
          "program.steps[0].module", "program.steps[1].inputs.qery", "program.steps[2].signature",
          "program.steps[3].name", "program.steps[3].nam", "program.steps[4].name", "program.steps[4].inputs.a",
        ])
    #expect(found.map(\.suggestion) == ["Predict", "query", nil, nil, "name", nil, "answer"])
  }

  @Test(
    arguments: [
      (["module": "Predict"], "program.signature"),
      (["module": "Predict", "steps": []], "program.module"),
      (["module": "Pipeline", "signature": "a -> b"], "program.module"),
      (["steps": []], "program.steps"),
      ("a -> reasoning", "program"),
      (["signature": "a -> b", "demos": []], "program.demos"),
      (7, "program"),
      (["steps": [["name": "self", "signature": "a -> b"]]], "program.steps[0].name"),
      (["steps": [["name": "a.b", "signature": "a -> b"]]], "program.steps[0].name"),
      (["steps": [["name": "", "signature": "a -> b"]]], "program.steps[0].name"),
      (["steps": [["name": "x", "signature": "a -> b"]], "outputs": ["c"]], "program.outputs"),
      (["steps": [["name": "x", "signature": "a -> b"]], "outputs": []], "program.outputs"),
      (["steps": [["name": "x", "signature": "a -> b"]], "outputs": ["b", "b"]], "program.outputs"),
      (["steps": [["name": "x", "signature": "a -> b", "inputs": ["a": 1]]]], "program.steps[0].inputs.a"),
      (["steps": [["name": "x", "signature": "a -> b", "inputs": ["a": "y.b"]]]], "program.steps[0].inputs.a"),
      (["steps": [["name": "x", "steps": [["name": "y", "signature": "a -> b"]]]]], "program.steps[0]"),
    ] as [(JSONValue, String)])
  func aProblemHasItsPlace(json: JSONValue, path: String) {
    #expect(problems(reading: json).map(\.path) == [path])
  }
}

@Suite struct PipelineWiring {
  private func sources(_ module: Module) -> [[String]] {
    guard case .pipeline(let steps, _) = module else { return [] }
    return steps.map { $0.sources.map { source in "\(source.field)=\(source.step ?? "")/\(source.output)" } }
  }

  @Test func takesTheLatestEarlierOutputOfThatNameElseTheProgramsInput() throws {
    let module = try module(planAndSolve)
    #expect(sources(module) == [["question=/question"], ["question=/question", "query=plan/query"]])
    #expect(module.inputs.map(\.name) == ["question"])
    #expect(module.outputs.map(\.name) == ["reasoning", "answer"])
    #expect(module.predictors.map(\.name) == ["plan", "solve.predict"])
  }

  @Test func followsWhatTheRequestSays() throws {
    let module = try module([
      "steps": [
        ["name": "one", "module": "Predict", "signature": "text -> summary"],
        ["name": "two", "module": "Predict", "signature": "text -> summary", "inputs": ["text": "one.summary"]],
        [
          "name": "three", "module": "Predict", "signature": "summary, k: int -> title",
          "inputs": [
            "summary": "one.summary", "k": "size",
          ],
        ],
      ],
      "outputs": ["title", "summary"],
    ])
    #expect(sources(module) == [["text=/text"], ["text=one/summary"], ["summary=one/summary", "k=/size"]])
    #expect(module.signatureText == "text, size: int -> title, summary")
  }
}
