import Failures
import JSON
import LanguageModels
import Messages
import Synchronization
import Testing
import Traces

@testable import Programs

/// Answers as a function of the system message says, whatever the order of the calls.
private final class AnsweringModel: LanguageModel {
  let identity = "answering/\(UInt64.random(in: .min ... .max))"
  let endpoint = "answering"
  private let answer: @Sendable (String) -> Result<String, HoneError>
  private let asked = Mutex(0)

  init(_ answer: @escaping @Sendable (String) -> Result<String, HoneError>) { self.answer = answer }

  var calls: Int { asked.withLock { $0 } }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    asked.withLock { $0 += 1 }
    // The later ones first.
    try? await Task.sleep(for: .milliseconds(request.prompt.messages[0].content.contains("0") ? 30 : 1))
    switch answer(request.prompt.messages[0].content) {
    case .success(let text): return ModelReply(texts: [text], finishReasons: ["stop"])
    case .failure(let error): throw ModelFailure(error, retry: .never)
    }
  }

  func context(_ trace: TraceBuilder? = nil) -> ExecutionContext {
    var configuration = ModelConfiguration(model: "answering")
    configuration.retries = 0
    let client = ModelClient(model: self, configuration: configuration, answers: ForgetfulStore())
    return ExecutionContext(model: client, call: CallContext(account: RunAccount()), trace: trace)
  }
}

@Suite struct EnsembleTests {
  private static func ensemble(_ count: Int, _ module: String = "Predict", field: String? = nil) throws -> Program {
    var json: JSONObject = [
      "module": "Ensemble",
      "programs": .array(
        (0..<count).map {
          ["module": .string(module), "signature": "question -> answer", "instructions": .string("I am \($0).")]
        }),
    ]
    json["field"] = field.map(JSONValue.string)
    return Program(try ProgramsTests.module(.object(json)))
  }

  /// Runs an ensemble whose programs answer so, one after the other.
  private func run(
    _ answers: [Result<String, HoneError>], trace: TraceBuilder? = nil
  ) async throws -> (prediction: Prediction, calls: Int) {
    let model = AnsweringModel { system in
      let place = answers.indices.first { system.contains("I am \($0).") } ?? 0
      return answers[place].map { $0 == "?" ? "" : reply(("answer", $0)) }
    }
    let program = PreparedProgram(try Self.ensemble(answers.count), asksAgain: false)
    return (try await program.run(["question": "q"], in: model.context(trace)), model.calls)
  }

  @Test(
    "what most programs say is the answer, whichever ends first",
    arguments: [
      (["4", "5", "5"], "5"), (["4", "5"], "4"), (["4", "5", "6"], "4"), (["The cat!", "dog", "a Cat"], "The cat!"),
      (["a", "5"], "5"),
    ])
  func majority(answers: [String], wanted: String) async throws {
    let (prediction, calls) = try await run(answers.map { .success($0) })
    #expect(prediction.outputs == ["answer": .string(wanted)])
    #expect(calls == answers.count)
    #expect(prediction.steps.map(\.predictor) == Array(answers.indices))
  }

  @Test(
    "who says nothing has no vote unless nobody says anything",
    arguments: [
      ([nil, nil, "a"], 2, 1), ([nil, nil], 0, 2), (["a", "b", nil, nil], 0, 1), (["b", "a", "a"], 1, 2),
    ] as [([String?], Int, Int)])
  func votes(ballots: [String?], winner: Int, votes: Int) {
    let vote = MajorityVote(ballots)
    #expect(vote.winner == winner)
    #expect(vote.votes == votes)
  }

  @Test("ballots are normalized texts, and other values as they are")
  func ballots() {
    #expect(MajorityVote.ballot("The  Cat.") == "cat")
    #expect(MajorityVote.ballot("the") == nil)
    #expect(MajorityVote.ballot(.null) == nil)
    #expect(MajorityVote.ballot(-3) != MajorityVote.ballot(3))
    #expect(MajorityVote.ballot(["a", 1]) == MajorityVote.ballot(["a", 1]))
  }

  @Test(
    "a program whose reply cannot be read, or is refused, has no vote; with none left its failure is the ensemble's")
  func abstaining() async throws {
    let refused = HoneError(.contentRefused, "Refused.")
    let (prediction, _) = try await run([.success("?"), .failure(refused), .success("7")])
    #expect(prediction.outputs == ["answer": "7"])
    let error = await #expect(throws: HoneError.self) { try await run([.success("?"), .failure(refused)]) }
    #expect(error?.kind == .replyEmpty)
  }

  @Test("an outage of one program is the ensemble's")
  func outage() async throws {
    let down = HoneError(.languageModelUnavailable, "Down.")
    let error = await #expect(throws: HoneError.self) { try await run([.success("7"), .failure(down), .success("7")]) }
    #expect(error?.kind == .languageModelUnavailable)
  }

  @Test("the trace has a span for each program, and how many agree as confidence")
  func trace() async throws {
    let builder = TraceBuilder()
    _ = try await run([.success("4"), .success("5"), .success("5")], trace: builder)
    let spans = builder.finish(experimentID: nil, runID: nil).spans
    let root = spans[0]
    #expect(root.name == "Ensemble.forward")
    #expect(root.attributes["confidence"] == 0.6667)
    #expect(root.attributes["votes"] == 2)
    #expect(root.attributes["field"] == "answer")
    let children = spans.filter { $0.parent == root.id }
    #expect(children.map(\.name).sorted() == ["programs[0]", "programs[1]", "programs[2]"])
  }

  @Test("predictors have DSPy's names, and a file gives an equal program")
  func file() throws {
    var program = Program(
      try module([
        "module": "Ensemble",
        "programs": [["module": "Predict", "signature": "question -> answer"], "question -> answer", planAndSolve],
      ]))
    #expect(
      program.predictors.map(\.name) == [
        "programs[0]", "programs[1].predict", "programs[2].plan", "programs[2].solve.predict",
      ])
    for index in program.states.indices {
      program.states[index] = PredictorState(
        instructions: "Do \(index).", demos: [["question": "q", "answer": .int(index)]])
    }
    let neighbours = Neighbours(
      k: 1, maxBootstrapped: 1, maxLabeled: 1, rows: [["question": "q", "answer": "a"]], inputs: ["question"])
    program.states[1].show(NearestDemos(neighbours))
    let read = try StateFile.decode(try JSONReader.read(StateFile.text(program)), module: nil, source: "s").program
    #expect(read == program)
    #expect(read.module.className == "Ensemble")
    #expect(program.module.outputs.map(\.name) == ["answer"])
    #expect(program.module.callsPerExecution.least == 4)
    #expect(program.module.callsPerExecution.most == 4)
  }

  @Test(
    "what does not make an ensemble is refused with its place",
    arguments: [
      ([], nil, "program.programs"), (["question -> answer", "text -> answer"], nil, "program.programs[1]"),
      (["question -> answer", "question -> answer: int"], nil, "program.programs[1]"),
      (["question -> answer"], "anser", "program.field"), (["question ->> answer"], nil, "program.programs[0]"),
      ([["host": "mine", "predictors": ["p": "question -> answer"]]], nil, "program.programs[0]"),
    ] as [([JSONValue], String?, String)])
  func refused(programs: [JSONValue], field: String?, place: String) {
    var json: JSONObject = ["module": "Ensemble", "programs": .array(programs)]
    json["field"] = field.map(JSONValue.string)
    #expect(problems(reading: .object(json)).map(\.path) == [place])
  }

  @Test("its members and other modules' do not mix")
  func mixed() {
    #expect(
      problems(reading: ["module": "ReAct", "programs": ["q -> a"]]).map(\.path) == ["program.module"])
    #expect(
      problems(reading: ["module": "Ensemble", "programs": ["q -> a"], "steps": []]).map(\.path) == ["program.steps"])
    #expect(problems(reading: ["module": "Ensemble", "signature": "q -> a"]).map(\.path).contains("program.programs"))
    #expect(
      problems(reading: ["module": "Ensemble", "programs": ["q -> a"], "reduce": "mean"]).map(\.path)
        == ["program.reduce"])
  }
}
