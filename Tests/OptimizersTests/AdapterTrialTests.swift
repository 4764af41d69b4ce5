import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage
import Schema
import Synchronization
import Testing

@testable import Optimizers

/// A model that answers rightly in some forms, with or without demos, and writes about the weather else.
private final class PickyModel: LanguageModel {
  let identity = "picky \(UInt64.random(in: .min ... .max))"
  let endpoint = "picky"
  private let knows: @Sendable (_ format: ReplyFormat, _ hasDemos: Bool, _ question: String) -> Bool
  private let wrong: @Sendable (_ format: ReplyFormat, _ question: String) -> Bool
  private let count = Mutex(0)

  /// - Parameter wrong: whether an answer that can be read is a wrong one.
  init(
    wrong: @escaping @Sendable (ReplyFormat, String) -> Bool = { _, _ in false },
    _ knows: @escaping @Sendable (ReplyFormat, Bool, String) -> Bool
  ) {
    self.wrong = wrong
    self.knows = knows
  }

  var calls: Int { count.withLock { $0 } }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    count.withLock { $0 += 1 }
    await Task.yield()
    let system = request.prompt.messages[0].content
    let last = request.prompt.messages[request.prompt.messages.count - 1].content
    let format: ReplyFormat =
      if system.contains("JSON object") { .json } else if system.contains("[[ ## answer ## ]]") {
        .chat
      } else if system.contains("<answer>") { .xml } else { .plain }
    let question = last.split(whereSeparator: { $0.isWhitespace || $0 == "<" || $0 == ">" }).first {
      $0.hasPrefix("q") && $0.dropFirst().allSatisfy(\.isNumber)
    }
    let known = Int(question?.dropFirst() ?? "") ?? -1
    let number = wrong(format, String(question ?? "")) ? known + 100 : known
    guard knows(format, request.prompt.shared.messages.count > 1, String(question ?? "")) else {
      return ModelReply(texts: ["It is raining outside"])
    }
    let text =
      switch format {
      case .chat: "[[ ## answer ## ]]\n\(number)"
      case .json: "{\"answer\": \(number)}"
      case .plain: "\(number)"
      case .xml: "<answer>\(number)</answer>"
      }
    return ModelReply(texts: [text])
  }
}

/// A model that writes about the weather until it has been shown every choice.
private struct ShownChoicesModel: LanguageModel {
  let identity = "shown choices \(UInt64.random(in: .min ... .max))"
  let endpoint = "shown choices"

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let replies = request.prompt.shared.messages.filter { $0.role == .assistant }.map(\.content)
    let isShown = ["red", "blue"].allSatisfy { choice in replies.contains { $0.contains(choice) } }
    return ModelReply(texts: [isShown ? "[[ ## answer ## ]]\nred" : "It is raining outside"])
  }
}

@Suite("In which form a model is asked", .timeLimit(.minutes(1)))
struct AdapterTrialTests {
  private let data: [JSONObject] = (0..<20).map { ["question": .string("q\($0)"), "answer": .int($0)] }
  private let typed: JSONValue = ["module": "Predict", "signature": "question -> answer: int"]

  private func session(_ listener: Listener = Listener(), concurrency: Int = 8) -> EngineSession {
    EngineSession(
      runID: "run", account: RunAccount(runID: "run", budget: Budget()), concurrency: concurrency, events: listener)
  }

  private func client(_ model: PickyModel) -> ModelClient {
    ModelClient(model: model, configuration: ModelConfiguration(model: "picky/model"), answers: MemoryAnswerStore())
  }

  private func decide(_ model: PickyModel, concurrency: Int = 8) async throws -> AdapterDecision? {
    var shown = try program(typed)
    shown.states[0].demos = Array(data.suffix(2))
    return try await AdapterTrial(
      session: session(concurrency: concurrency), model: client(model), metric: ExactMatch()
    ).decide(try program(typed), examples: shown, rows: data)
  }

  @Test("chat stays where every reply can be read, and no other form is asked for")
  func chat() async throws {
    let model = PickyModel { _, _, _ in true }
    let decision = try #require(try await decide(model))
    #expect(decision.format == .chat)
    #expect(decision.tries.map(\.format) == [.chat])
    #expect(model.calls == 8)
  }

  @Test("the form that is read is taken", arguments: [ReplyFormat.json, .plain, .xml])
  func onlyOne(wanted: ReplyFormat) async throws {
    let model = PickyModel { format, _, _ in format == wanted }
    let decision = try #require(try await decide(model))
    #expect(decision.format == wanted)
    #expect(decision.tries.filter { $0.format == wanted }.allSatisfy { $0.readable == 8 && $0.score == 1 })
    // The others were tried on half of the rows; chat, beside that, on the program as it is.
    #expect(
      decision.tries.filter { $0.format != wanted && $0.hasDemos }.allSatisfy { $0.rows == 4 && $0.readable == 0 })
    #expect(model.calls == 8 + 4 * 4 + 4)
    #expect(decision.unreadableReply == "It is raining outside")
    #expect(decision.sentence.contains("\(wanted.rawValue): 8 of 8 replies could be read"))
  }

  @Test("what counts is how the form does with examples where it does nothing without")
  func withExamples() async throws {
    let model = PickyModel { format, hasDemos, _ in hasDemos && format == .json }
    #expect(try await decide(model)?.format == .json)
  }

  @Test("of forms that are read the one with the best answers is taken, of equals the first")
  func best() async throws {
    // In chat every reply can be read, and few are right.
    let model = PickyModel(wrong: { format, question in format != .json && question < "q6" }) { _, _, _ in true }
    #expect(try await decide(model)?.format == .json)
    #expect(
      try await AdapterTrial(session: session(), model: client(model), metric: ExactMatch())
        .decide(try program(typed), rows: data, goodScore: AdapterTrial.forEvaluations)?.format == .chat)
    let equal = PickyModel(wrong: { _, question in question < "q6" }) { _, _, _ in true }
    #expect(try await decide(equal)?.format == .chat)
    // One row more tells nothing.
    let near = PickyModel(wrong: { format, question in question < (format == .xml ? "q5" : "q6") }) { _, _, _ in true }
    #expect(try await decide(near)?.format == .chat)
  }

  @Test("a program that chat serves badly may do well in another form without examples", arguments: [true, false])
  func withoutExamples(keepsStudent: Bool) async throws {
    // Chat is read, and wrong; plain text is right, but only where no examples lead away from it.
    let model = PickyModel(wrong: { format, _ in format == .chat }) { format, hasDemos, _ in
      format == .chat || format == .plain && !hasDemos
    }
    var shown = try program(typed)
    shown.states[0].demos = Array(data.suffix(2))
    let decision = try await AdapterTrial(session: session(), model: client(model), metric: ExactMatch())
      .decide(try program(typed), examples: shown, keepsStudent: keepsStudent, rows: data)
    #expect(decision?.format == (keepsStudent ? .plain : .chat))
  }

  @Test("a form in which any text is a reply is not better for that")
  func anyText() async throws {
    // In plain text the weather is an answer, a wrong one; as JSON five of eight replies can be read, and are right.
    let model = PickyModel { format, _, question in format == .json && question < "q5" }
    let rows: [JSONObject] = (0..<8).map { ["question": .string("q\($0)"), "answer": .string("\($0)")] }
    let decision = try await AdapterTrial(session: session(), model: client(model), metric: ExactMatch())
      .decide(try program(["module": "Predict", "signature": "question -> answer"]), rows: rows)
    #expect(decision?.format == .json)
    #expect(decision?.tries.last { $0.format == .plain }?.clean == 4)
  }

  @Test("the decision does not depend on how many are asked at once")
  func deterministic() async throws {
    let decisions = try await [1, 3, 16].asyncMap { width in
      try await decide(
        PickyModel { format, hasDemos, question in format != .chat && (hasDemos || question != "q1") },
        concurrency: width
      )?.json
    }
    #expect(Set(decisions).count == 1)
  }

  @Test("a handful of rows tells nothing, and a form that somebody chose stays")
  func notLearned() async throws {
    let model = PickyModel { format, _, _ in format == .json }
    let trial = AdapterTrial(session: session(), model: client(model), metric: ExactMatch())
    #expect(try await trial.decide(try program(typed), rows: Array(data.prefix(3))) == nil)
    #expect(model.calls == 0)
    var chosen = try program(typed)
    chosen.adapter = .xml
    #expect(try await trial.decide(chosen, rows: data)?.format == .xml)
  }

  // MARK: Searches

  private func compile(
    _ optimizer: JSONValue, _ model: PickyModel, listener: Listener = Listener(), adapter: ReplyFormat? = nil
  ) async throws -> SearchResult {
    let problems = ProblemList()
    let made = try #require(OptimizerRegistry.all.read(optimizer, at: "optimizer", problems), "\(problems.problems)")
    var student = try program(typed)
    student.adapter = adapter
    let task = CompileTask(
      student: student, trainset: Rows(Array(data.prefix(10))), valset: Rows(Array(data.suffix(10))),
      metric: ExactMatch(),
      taskModel: client(model), session: session(listener))
    return await made.compile(task)
  }

  @Test(
    "a search has one form for all its candidates, and its program keeps it",
    arguments: ["LabeledFewShot", "BootstrapFewShot", "BootstrapFewShotWithRandomSearch", "MIPROv2"])
  func searches(name: String) async throws {
    let listener = Listener()
    let model = PickyModel { format, _, _ in format == .json }
    let result = try await compile(["name": .string(name)], model, listener: listener)
    #expect(result.stopped == nil)
    #expect(result.best?.result.score == 100)
    #expect(result.program.adapter == .json)
    #expect(Set(listener.started.map(\.program.adapter)) == [.json])
    #expect(result.trials.allSatisfy { $0.result.replies.unreadable == 0 })
  }

  @Test("a model whose replies nobody can read ends the search before it has begun, with the reason and what to try")
  func hopeless() async throws {
    let model = PickyModel { _, _, _ in false }
    let result = try await compile("MIPROv2", model)
    let error = try #require(result.stopped)
    #expect(error.kind == .outputUnparsable)
    #expect(
      error.message.hasPrefix(
        "None of 44 replies of picky/model could be read (prompts in the form chat, json, plain, xml"))
    #expect(error.message.contains("It wrote, for example: \"It is raining outside\""))
    #expect(error.remedy?.contains("another model") == true)
    #expect(result.trials.isEmpty)
    // Eight rows in the end in every way that there is: four requests each.
    #expect(model.calls <= 36 + 8 * 2)
    // What is read only when it is asked for again, in another form, can be searched.
    let again = try await compile("MIPROv2", PickyModel { format, _, _ in format == .json }, adapter: .chat)
    #expect(again.stopped == nil && again.best?.result.score == 100)
    let fixed = try await compile("MIPROv2", PickyModel { _, _, _ in false }, adapter: .chat)
    #expect(fixed.stopped?.remedy?.contains("adapter: \"auto\"") == true)
  }

  @Test("a model that answers only when it is asked again is not hopeless")
  func onlyWhenAskedAgain() async throws {
    // It keeps to choices that it has been shown, all of them.
    let model = ShownChoicesModel()
    let rows: [JSONObject] = (0..<8).map { ["question": .string("q\($0)"), "answer": $0 % 2 == 0 ? "red" : "blue"] }
    let typed: JSONValue = ["module": "Predict", "signature": "question -> answer: Literal['red', 'blue']"]
    let client = ModelClient(
      model: model, configuration: ModelConfiguration(model: "picky/model"), answers: MemoryAnswerStore())
    for adapter in [nil, ReplyFormat.chat] {
      var student = try program(typed)
      student.adapter = adapter
      let decision = try await AdapterTrial(session: session(), model: client, metric: ExactMatch())
        .decide(student, rows: rows)
      #expect(decision?.tries.dropLast().allSatisfy { $0.readable == 0 } == true)
      #expect(decision?.tries.last?.readable == 8)
      #expect(decision?.isHopeless == false)
    }
  }

  @Test("bootstrapping stops after ten replies running that cannot be read")
  func bootstrapping() async throws {
    // The program as it is can be read; with examples nothing can.
    let model = PickyModel { _, hasDemos, _ in !hasDemos }
    let listener = Listener()
    let optimizer = make(BootstrapFewShot.self, ["max_bootstrapped_demos": 2])
    let many: [JSONObject] = (0..<60).map { ["question": .string("q\($0)"), "answer": .int($0)] }
    let task = CompileTask(
      student: try program(typed), trainset: Rows(many), metric: ExactMatch(), taskModel: client(model),
      session: session(listener))
    let made = try await optimizer.bootstrap(task.student, order: Array(many.indices), label: "0", task)
    #expect(made.attempts == 10)
    #expect(made.program.states[0].demos.allSatisfy { $0["augmented"] == nil })
    #expect(listener.warnings.count == 1)
    #expect(listener.warnings.first?.contains("10 replies running could not be read") == true)
  }
}

extension Sequence {
  fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
    var values: [T] = []
    for element in self { values.append(try await transform(element)) }
    return values
  }
}
