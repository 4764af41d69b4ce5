import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
@testable import Optimizers
import Programs
import Schema
import Testing

@Suite("KNNFewShot", .timeLimit(.minutes(1)))
struct KNNFewShotTests {
  private static let towns = ["Paris", "London", "Rome", "Oslo", "Cairo", "Lima"]

  /// Two kinds of questions on each town.
  private static let train: [JSONObject] = towns.flatMap { town -> [JSONObject] in
    [
      ["question": .string("How many people live in \(town)?"), "answer": .string("many \(town)")],
      ["question": .string("Which river flows through \(town)?"), "answer": .string("river \(town)")],
    ]
  }

  /// Knows rivers, and nothing else.
  private static func model(delays: Bool = false) -> ScriptedModel {
    ScriptedModel(
      delays: delays,
      answer: { asked in
        guard asked.question.hasPrefix("Which river") else { return "no idea" }
        return "river " + asked.question.split(separator: " ").last!.dropLast()
      })
  }

  private func compile(
    _ bench: Bench, _ settings: JSONObject = ["k": 2], _ student: JSONValue = oneStep, val: [JSONObject]? = nil
  ) async throws -> SearchResult {
    var program = try program(student)
    program.adapter = .chat
    return await make(KNNFewShot.self, settings).compile(bench.task(program, train: Self.train, val: val))
  }

  @Test("every row is asked once; accepted answers are its demo, the others stay rows as they are")
  func everyRow() async throws {
    let bench = Bench(Self.model())
    let result = try await compile(bench)
    #expect(result.stopped == nil)
    #expect(bench.model.calls == Self.train.count)
    #expect(Set(bench.model.asked.map(\.question)).count == Self.train.count)
    let nearest = try #require(result.program.states[0].nearest)
    #expect(nearest.neighbours.rows == Self.train)
    for (row, demo) in zip(Self.train, nearest.bootstrapped) {
      let isRiver = row["answer"]?.stringValue?.hasPrefix("river") == true
      #expect(demo == (isRiver ? (["augmented": true] as JSONObject).merging(row) : nil))
    }
    #expect(result.program.states[0].demos == nearest.demos(of: [0, 1]))
  }

  @Test("the teacher is shown the nearest other rows, never the row itself")
  func teacher() async throws {
    let bench = Bench(Self.model())
    _ = try await compile(bench)
    for asked in bench.model.asked {
      #expect(asked.demoCount == 2)
      #expect(!asked.demos.contains(asked.question))
      // The town's other question has the town in common, the other towns' have the words.
      #expect(asked.demos.contains(String(asked.question.prefix(8))))
    }
  }

  @Test("the same program comes of any concurrency, and a second time nothing is asked")
  func deterministic() async throws {
    let store = MemoryAnswerStore()
    let one = Bench(Self.model(), concurrency: 1, answers: store)
    let first = try await compile(one, ["k": 3], val: Array(Self.train.prefix(4)))
    let many = Bench(Self.model(delays: true), concurrency: 64)
    let second = try await compile(many, ["k": 3], val: Array(Self.train.prefix(4)))
    #expect(first.program == second.program)
    #expect(first.trials.map(\.result.score) == second.trials.map(\.result.score))
    #expect(one.model.calls == many.model.calls)
    #expect(StateFile.text(first.program) == StateFile.text(second.program))
    let before = one.model.calls
    let again = try await compile(
      Bench(one.model, concurrency: 8, answers: store), ["k": 3], val: Array(Self.train.prefix(4)))
    #expect(again.program == first.program)
    #expect(one.model.calls == before)
  }

  @Test("a row that is scored is not shown itself: what is only copied does not count")
  func leaveOneOut() async throws {
    let bench = Bench(
      ScriptedModel(answer: { asked in
        // Copies the answer of a demo with its own question, if there is one.
        asked.demos.contains(asked.question) ? rightAnswer(asked.question) : "unknown"
      }))
    let result = try await compile(bench, ["k": 4], val: Self.train)
    #expect(result.best?.result.score == 0)
    #expect(bench.model.asked.allSatisfy { !$0.demos.contains($0.question) })
    // A user's own question may be in the trainset.
    let before = bench.model.calls
    _ = try await bench.session.execute(
      EngineSession.Request(
        program: PreparedProgram(result.program), inputs: Self.train[3], model: bench.client, scope: "predict"))
    #expect(bench.model.calls == before + 1)
    #expect(bench.model.asked.last?.demos.contains("Which river flows through London?") == true)
  }

  @Test("each step of a pipeline is shown its own part of the nearest rows")
  func pipeline() async throws {
    let bench = Bench(Self.model())
    let result = try await compile(bench, ["k": 1], twoSteps)
    #expect(bench.model.calls == 2 * Self.train.count)
    let nearest = result.program.states.map(\.nearest)
    #expect(nearest[0]?.neighbours == nearest[1]?.neighbours)
    #expect(nearest[0]?.bootstrapped[1]?["query"] == "plain query")
    #expect(nearest[0]?.bootstrapped[1]?["answer"] == nil)
    #expect(nearest[1]?.bootstrapped[1]?["answer"] == "river Paris")
    #expect(nearest[1]?.bootstrapped[0] == nil)
  }

  @Test("numbers of rows are tried on the valset, and of equals the first stays")
  func candidates() async throws {
    // Right where at least two demos are shown.
    let bench = Bench(
      ScriptedModel(answer: { asked in
        asked.demoCount >= 2 ? "river " + asked.question.split(separator: " ").last!.dropLast() : "no"
      }))
    let rivers = Self.train.filter { $0["answer"]?.stringValue?.hasPrefix("river") == true }
    let result = try await compile(bench, ["k_candidates": [0, 1, 2, 4]], val: rivers)
    #expect(result.trials.map { $0.evaluation.coordinates["k"]?.intValue } == [nil, 0, 1, 2, 4])
    #expect(result.trials.map(\.result.score) == [0, 0, 0, 100, 100])
    #expect(result.program.states[0].nearest?.neighbours.k == 2)
    #expect(result.best?.number == 4)
  }

  @Test(
    "bootstrapping stops with more failures than max_errors, and at once for a bad key",
    arguments: [
      (FailureKind.languageModelUnavailable, FailureKind.tooManyErrors), (.authentication, .authentication),
    ])
  func failures(kind: FailureKind, wanted: FailureKind) async throws {
    let bench = Bench(ScriptedModel { _, _ in failure(kind) })
    let result = try await compile(bench, ["max_errors": 3])
    #expect(result.stopped?.kind == wanted)
    #expect(result.program.states[0].nearest == nil)
  }

  @Test("without bootstrapped demos no model is asked")
  func labeledOnly() async throws {
    let bench = Bench(Self.model())
    let result = try await compile(bench, ["k": 2, "max_bootstrapped_demos": 0])
    #expect(bench.model.calls == 0)
    #expect(result.program.states[0].nearest?.bootstrapped.allSatisfy { $0 == nil } == true)
    #expect(result.program.states[0].demos == Array(Self.train.prefix(2)))
  }

  @Test(
    "the plan says how many executions there will be",
    arguments: [
      ["k": 2], ["k": 2, "max_bootstrapped_demos": 0], ["k_candidates": [1, 2, 3]],
    ] as [JSONObject])
  func plan(settings: JSONObject) async throws {
    let bench = Bench(Self.model(), cache: false)
    var program = try program()
    program.adapter = .chat
    let task = bench.task(program, train: Self.train, val: Array(Self.train.prefix(4)))
    let optimizer = make(KNNFewShot.self, settings)
    // The form is known, so nothing need be learned of it.
    let parts = optimizer.parts(task).filter { $0.name != "adapter" }
    let planned = parts.reduce((0, 0)) { ($0.0 + $1.executions.lowerBound, $0.1 + $1.executions.upperBound) }
    _ = await optimizer.compile(task)
    #expect(parts.map(\.name) == ["baseline", "bootstrap", "search"])
    #expect(bench.model.calls == planned.0)
    #expect(bench.model.calls == planned.1)
  }

  @Test("what cannot be done is refused with its place")
  func refused() {
    let problems = ProblemList()
    make(KNNFewShot.self, ["k_candidates": [1, 2]]).check(
      trainset: 30_000, valset: nil, at: "optimizer", problems: problems)
    #expect(problems.problems.map(\.path) == ["trainset", "valset"])
    #expect(settings(KNNFewShot.self, ["k": 0]).1.map(\.path) == ["optimizer.k"])
    #expect(settings(KNNFewShot.self, ["k_candidates": [3, -1]]).1.map(\.path) == ["optimizer.k_candidates[1]"])
  }
}

/// Gives a text a vector by its town, late or soon.
private final class TownVectors: LanguageModel {
  let identity = "towns/\(UInt64.random(in: .min ... .max))"
  let endpoint = "towns"
  private let asked = Locked([String]())

  var texts: [String] { asked.now }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let text = request.prompt.own.last?.content ?? ""
    asked.update { $0.append(text) }
    try? await Task.sleep(for: .microseconds(Int.random(in: 0...1500)))
    let numbers = ["Paris", "London", "Rome", "Oslo", "Cairo", "Lima"].map { Float(text.contains($0) ? 1 : 0) }
    return ModelReply(texts: [Base64.text(numbers)], usage: TokenUsage(inputTokens: 3))
  }
}

extension KNNFewShotTests {
  private static let rivers: [JSONObject] = ["Paris", "London", "Rome", "Oslo"].flatMap { town -> [JSONObject] in
    [
      ["question": .string("How many people live in \(town)?"), "answer": .string("many")],
      ["question": .string("Which river flows through \(town)?"), "answer": .string("river \(town)")],
    ]
  }

  /// Compiles with vectors of a model, and says what it was asked for.
  private func embedded(_ concurrency: Int) async throws -> (result: SearchResult, texts: [String]) {
    let model = TownVectors()
    var bench = Bench(
      ScriptedModel(delays: true, answer: { "river " + $0.question.split(separator: " ").last!.dropLast() }),
      concurrency: concurrency)
    bench.session.vectorizer = ModelClient(
      model: model, configuration: ModelConfiguration(model: "towns"), answers: MemoryAnswerStore())
    var program = try program()
    program.adapter = .chat
    let task = bench.task(program, train: Self.rivers, val: Array(Self.rivers.prefix(2)))
    let planned = task.vectorPart(by: make(KNNFewShot.self), testset: nil)
    let result = await make(KNNFewShot.self, ["k": 1]).compile(task)
    #expect(planned?.executions == model.texts.count...model.texts.count)
    #expect(bench.session.account.usage[.embedding].calls == model.texts.count)
    // A row's nearest is the other one of its town, whatever the words.
    for asked in bench.model.asked where asked.demoCount > 0 {
      let town = asked.question.split(separator: " ").last ?? ""
      #expect(asked.demos.contains(town) && !asked.demos.contains(asked.question))
    }
    return (result, model.texts)
  }

  @Test("with a vectorizer each text is asked for once, and the same program comes of any concurrency")
  func vectors() async throws {
    let (one, many) = (try await embedded(1), try await embedded(64))
    #expect(one.result.stopped == nil)
    #expect(one.result.program == many.result.program)
    #expect(one.texts.sorted() == many.texts.sorted())
    #expect(Set(one.texts).count == one.texts.count)
    #expect(one.result.program.vectorModels == ["towns"])
  }
}
