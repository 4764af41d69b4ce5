import Messages
import Failures
import JSON
import LanguageModels
import Schema
import Testing
import Traces

@testable import Programs

@Suite struct NeighboursTests {
  private static let rows: [JSONObject] = [
    ["question": "How tall is the Eiffel tower?", "answer": "330 m"],
    ["question": "Who wrote Hamlet?", "answer": "Shakespeare"],
    ["question": "How tall is the tower of Pisa?", "answer": "57 m"],
    ["question": "Who painted Guernica?", "answer": "Picasso"],
  ]

  private static func neighbours(_ k: Int, bootstrapped: Int = 4, labeled: Int = 16) -> Neighbours {
    Neighbours(k: k, maxBootstrapped: bootstrapped, maxLabeled: labeled, rows: rows, inputs: ["question"])
  }

  private static func program(_ k: Int = 2) throws -> Program {
    var program = Program(try module(["module": "Predict", "signature": "question -> answer"]))
    program.states[0].show(NearestDemos(neighbours(k)))
    return program
  }

  /// The questions that a request's prompt shows with answers, in order, and the one that it asks.
  private func questions(_ request: ModelRequest) -> [String] {
    request.prompt.messages.filter { $0.role == .user }.compactMap { message in
      Self.rows.compactMap { $0["question"]?.stringValue }.first(where: message.content.contains)
    }
  }

  // MARK: Which rows are nearest

  @Test("of vectors made by hand the nearest by angle come first, of equally near ones the earlier")
  func byHand() {
    let rows: [JSONObject] = (0..<5).map { ["q": .int($0)] }
    // Long vectors are no nearer than short ones of their direction.
    let neighbours = Neighbours(
      k: 3, maxBootstrapped: 4, maxLabeled: 16, model: "m", rows: rows, inputs: ["q"],
      numbers: [[0, 9], [2, 0.1], [1, 1], [3, 3], [-1, 0]])
    #expect(neighbours.nearest(to: RowVector([5, 5])).map(\.row) == [2, 3, 1])
    #expect(neighbours.nearest(to: RowVector([1, 0])).map(\.row) == [1, 2, 3])
    #expect(neighbours.nearest(to: RowVector([1, 0]), among: [0, 3, 4]).map(\.row) == [3, 0, 4])
    let nearest = neighbours.nearest(to: RowVector([1, 1])).map(\.similarity)
    #expect(abs(nearest[0] - 1) < 1e-6)
    #expect(nearest == nearest.sorted(by: >))
  }

  @Test("a text of nothing known is equally far from all, so the first rows are shown")
  func nothingKnown() {
    let terms = TermVectors(of: Self.rows.map { Neighbours.text(of: $0, ["question"]) })
    #expect(Self.neighbours(2).nearest(to: terms.vector("")).map(\.row) == [0, 1])
  }

  @Test("rows with rare words in common are near, whatever their case and endings")
  func words() {
    let neighbours = Self.neighbours(2)
    guard case .terms(let terms) = neighbours.vectorizer else { return }
    func nearest(_ question: String) -> [Int] {
      neighbours.nearest(to: terms.vector(Neighbours.text(of: ["question": .string(question)], ["question"]))).map(
        \.row)
    }
    #expect(
      nearest("how TALL are the towers of Paris?") == [0, 2] || nearest("how TALL are the towers of Paris?") == [2, 0])
    #expect(nearest("Which painter made Guernica?")[0] == 3)
    #expect(nearest("Did Shakespeare write Hamlet, or who wrote it?")[0] == 1)
  }

  @Test("a row's text is its inputs as DSPy writes them")
  func text() {
    #expect(
      Neighbours.text(of: ["b": ["x", 1], "a": true, "c": "no input"], ["a", "b"]) == "a: True | b: [\"x\", 1]")
  }

  // MARK: What is shown

  @Test("executions have their number, rows as they are fill the rest")
  func rooms() {
    let executed: JSONObject = ["augmented": true]
    func demos(_ bootstrapped: Int, _ labeled: Int) -> [JSONObject] {
      NearestDemos(
        Self.neighbours(4, bootstrapped: bootstrapped, labeled: labeled), bootstrapped: [nil, executed, nil, executed]
      ).demos(of: [3, 0, 1, 2])
    }
    #expect(demos(4, 16) == [executed, Self.rows[0], executed, Self.rows[2]])
    #expect(demos(1, 16) == [executed, Self.rows[0], Self.rows[1], Self.rows[2]])
    #expect(demos(2, 3) == [executed, Self.rows[0], executed])
    #expect(demos(0, 0).isEmpty)
  }

  @Test("a call is shown the nearest rows, the nearest last")
  func shown() async throws {
    let model = ScriptedModel(reply(("answer", "x")))
    let program = PreparedProgram(try Self.program())
    _ = try await program.run(["question": "How tall is the Eiffel tower today?"], in: context(model))
    #expect(
      questions(model.requests[0]) == ["How tall is the tower of Pisa?", "How tall is the Eiffel tower?"])
  }

  @Test("a row is not shown itself while it is scored, nor one that reads the same")
  func leaveOneOut() async throws {
    let model = ScriptedModel(reply(("answer", "x")), reply(("answer", "x")))
    let program = PreparedProgram(try Self.program(1))
    var scoring = context(model)
    scoring.leavesOneOut = true
    _ = try await program.run(["question": "how tall is  the Eiffel tower?"], in: scoring)
    _ = try await program.run(["question": "how tall is  the Eiffel tower?"], in: context(model))
    #expect(questions(model.requests[0]).first == "How tall is the tower of Pisa?")
    #expect(questions(model.requests[1]).first == "How tall is the Eiffel tower?")
  }

  @Test("each step is shown its own demos of the rows nearest to the program's inputs")
  func steps() async throws {
    let model = ScriptedModel(reply(("query", "q")), reply(("reasoning", "r"), ("answer", "x")))
    var program = Program(try module(planAndSolve))
    let neighbours = Self.neighbours(1)
    for (index, output) in ["query", "answer"].enumerated() {
      var demos: [JSONObject?] = Array(repeating: nil, count: 4)
      demos[3] = [
        "augmented": true, "question": "Who painted Guernica?", "query": "painter", output: .string("d\(index)"),
      ]
      program.states[index].show(NearestDemos(neighbours, bootstrapped: demos))
    }
    _ = try await PreparedProgram(program).run(["question": "Guernica, who painted it?"], in: context(model))
    #expect(model.requests.count == 2)
    for (index, request) in model.requests.enumerated() {
      #expect(request.prompt.messages.contains { $0.role == .assistant && $0.content.contains("d\(index)") })
    }
  }

  @Test("the trace says which rows were chosen, and how near they are")
  func trace() async throws {
    let trace = TraceBuilder()
    _ = try await PreparedProgram(try Self.program()).run(
      ["question": "Who painted Guernica?"], in: context(ScriptedModel(reply(("answer", "x"))), trace: trace))
    let spans = trace.finish(experimentID: nil, runID: nil).spans
    #expect(spans.prefix(3).map(\.name) == ["KNN.forward", "KNN.nearest", "Predict.forward"])
    #expect(spans[1].kind == .retriever)
    guard case .json(let chosen) = spans[1].outputs else { return #expect(Bool(false)) as Void }
    #expect(chosen.arrayValue?.first?["metadata"] == ["row": 3, "similarity": 1.0])
    let format = spans.first { $0.name.hasSuffix(".format") }
    guard case .json(let inputs)? = format?.inputs else { return #expect(Bool(false)) as Void }
    #expect(inputs["demos"] == 2)
  }

  @Test("whoever sets demos does away with the choice; other instructions leave it")
  func replaced() throws {
    var program = try Self.program()
    program.states[0].instructions = "Answer."
    #expect(program.states[0].nearest != nil)
    #expect(program.withoutDemos().states[0].nearest == nil)
    program.states[0].demos.append(["question": "q", "answer": "a"])
    #expect(program.states[0].nearest == nil)
  }

  // MARK: Files

  private func decode(_ json: JSONValue) throws -> Program {
    try StateFile.decode(json, module: nil, source: "state.json").program
  }

  @Test("a file gives an equal program, that chooses the same rows")
  func roundTrip() throws {
    var steps = Program(try module(planAndSolve))
    var demos: [JSONObject?] = Array(repeating: nil, count: 4)
    demos[1] = ["augmented": true, "question": "Who wrote Hamlet?", "query": "author"]
    steps.states[0].show(NearestDemos(Self.neighbours(3), bootstrapped: demos))
    var other = steps
    other.states[1].show(NearestDemos(Self.neighbours(3)))
    let model = Neighbours(
      k: 1, maxBootstrapped: 1, maxLabeled: 1, model: "openai/e", rows: Array(Self.rows.prefix(2)),
      inputs: ["question"],
      numbers: [[1, 0.25], [-0.5, 3]])
    var embedded = try Self.program()
    embedded.states[0].show(NearestDemos(model))
    for program in [steps, other, embedded, try Self.program()] {
      let read = try decode(try JSONReader.read(StateFile.text(program)))
      #expect(read == program)
      #expect(read.states.map(\.nearest?.neighbours.vectors) == program.states.map(\.nearest?.neighbours.vectors))
      #expect(PreparedProgram(read).digest == PreparedProgram(program).digest)
    }
  }

  @Test("in a file DSPy finds the demos of the first rows, and the rest where it does not look")
  func forDSPy() throws {
    let file = StateFile.encode(try Self.program())
    #expect(file.keys == ["traces", "train", "demos", "signature", "lm", "metadata"])
    #expect(file["demos"] == .array(Self.rows.prefix(2).map(JSONValue.object)))
    let own = file["metadata"]?["hone"]?["neighbours"]?.arrayValue?.first
    #expect(own?["vectorizer"] == "tfidf-words-and-2-4-grams")
    #expect(own?["dimension"] == 8192)
    #expect(own?["predictors"] == ["self"])
  }

  @Test("a file beside whose structure a request states it keeps its rows")
  func withoutStructure() throws {
    let program = try Self.program()
    let file = StateFile.encode(program, hasStructure: false)
    #expect(try StateFile.decode(.object(file), module: program.module, source: "s").program == program)
  }

  @Test(
    "vectors that this version does not make, or that do not fit, are refused",
    arguments: [
      (["vectorizer": "tfidf-of-tomorrow", "idf": .null], "rows[0].vector"),
      (["vectorizer": "tfidf-of-tomorrow"], "vectorizer"), (["dimension": 512], "idf"), (["idf": "AAAA"], "idf"),
      (["idf": "not base 64"], "idf"), (["k": "many"], "k"), (["rows": [["demos": [:]]]], "rows[0].row"),
    ] as [(JSONObject, String)])
  func refused(change: JSONObject, place: String) throws {
    var file = StateFile.encode(try Self.program())
    var metadata = try #require(file["metadata"]?.objectValue)
    var hone = try #require(metadata["hone"]?.objectValue)
    var entry = try #require(hone["neighbours"]?.arrayValue?.first?.objectValue)
    for (key, value) in change { entry[key] = value == .null ? Optional.none : value }
    hone["neighbours"] = [.object(entry)]
    metadata["hone"] = .object(hone)
    file["metadata"] = .object(metadata)
    let error = try #require(throws: HoneError.self) { try decode(.object(file)) }
    #expect(error.kind == .programInvalid)
    #expect(error.problems.map(\.path) == ["metadata.hone.neighbours[0].\(place)"])
  }
}
