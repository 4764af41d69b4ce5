import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import Randomness
import RowStorage
import Schema
import Testing

@Suite("SIMBA", .timeLimit(.minutes(1)))
struct SIMBATests {
  /// Whether an answer is right depends on the try, too, as at a temperature; the rest by the usual rule.
  private static func moody(
    delays: Bool = false, write: @escaping ScriptedModel.Writing = { _ in nil }
  ) -> ScriptedModel {
    ScriptedModel(
      delays: delays,
      answer: { asked in
        guard asked.temperature == 1 else { return nil }
        let isLucky = fnv("\(asked.question) \(asked.rollout)") % 2 == 0
        return isLucky ? rightAnswer(asked.question) : "no"
      }, write: write)
  }

  private static func student(_ structure: JSONValue = oneStep) throws -> Program {
    var student = try program(structure)
    student.adapter = .chat
    return student
  }

  private static let small: JSONObject = ["bsize": 10, "num_candidates": 4, "max_steps": 3]

  private static func advice(_ model: ScriptedModel) -> [ScriptedModel.Asked] {
    model.asked.filter { $0.outputs.first == "discussion" }
  }

  @Test("each step tries its rows as often as DSPy does, and asks no more than the formula")
  func calls() async throws {
    let bench = Bench(Self.moody())
    let optimizer = make(SIMBA.self, Self.small)
    let task = bench.task(try Self.student(), val: rows(100..<150))
    let result = await optimizer.compile(task)
    #expect(result.stopped == nil)
    let tries = bench.model.asked.filter { $0.isTask && $0.temperature == 1 }
    #expect(tries.count == 3 * 4 * 10)
    #expect(Set(tries.map(\.rollout)) == Set(1...12))
    // The batches are windows of one random order.
    let batches = optimizer.batches(trainset: 30)
    #expect(batches.allSatisfy { $0.count == 10 })
    #expect(Set(batches.joined()) == Set(0..<30))
    #expect(optimizer.batches(trainset: 25).map(\.count) == [10, 10, 10])
    let minibatches = result.trials.filter { $0.evaluation.key == "eval_minibatch" }
    #expect(!minibatches.isEmpty && minibatches.count <= 3 * 4)
    for trial in minibatches {
      let step = try #require(trial.evaluation.coordinates["step"]?.intValue)
      #expect(trial.evaluation.rows == batches[step - 1])
    }
    #expect(Self.advice(bench.model).count <= 12)
    let most = optimizer.parts(task).reduce(into: [:]) { $0[$1.name, default: 0] += $1.executions.upperBound }
    #expect(most["sample"] == 120 && most["search"] == 120 && most["validate"] == 3 * 50 && most["propose"] == 12)
    #expect(result.trials.reduce(0) { $0 + $1.result.count } <= 50 + 120 + 150)
  }

  @Test("it gets better by demos and rules, and what is best was scored on the valset")
  func improves() async throws {
    let bench = Bench(Self.moody(), concurrency: 32)
    let result = await make(SIMBA.self, ["bsize": 15, "max_steps": 5]).compile(
      bench.task(try Self.student(), val: rows(100..<180)))
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100) + 5)
    #expect(result.best?.result.count == 80)
    #expect(result.program == result.best?.evaluation.program)
    let full = result.trials.filter { $0.evaluation.key == "eval_full" }
    #expect(full.count <= 6)
  }

  @Test("a new program that is clearly worse is not asked all rows of the valset, and the student stays")
  func worse() async throws {
    let model = ScriptedModel(
      answer: { asked in
        let isNew = asked.demoCount > 0 || asked.system.contains("rules")
        let skill = asked.temperature == 1 ? Int(fnv("\(asked.rollout)\(asked.question)") % 100) : isNew ? 20 : 70
        return difficulty(asked.question) < skill ? rightAnswer(asked.question) : "no"
      })
    let result = await make(SIMBA.self, Self.small).compile(
      Bench(model).task(try Self.student(), val: rows(100..<200)))
    let full = result.trials.filter { $0.evaluation.key == "eval_full" }.dropFirst()
    #expect(full.count == 3)
    for trial in full {
      #expect(trial.evaluation.coordinates["dropped"] == true && trial.result.count <= 30)
      #expect(trial.evaluation.rows == trial.result.examples.map(\.row))
    }
    #expect(result.program == (try Self.student()))
  }

  @Test("demos are what a good run did, as many as allowed, with long inputs cut")
  func demos() async throws {
    let bench = Bench(Self.moody(write: { _ in "" }))
    let result = await make(
      SIMBA.self, ["bsize": 10, "max_steps": 6, "num_candidates": 3, "max_demos": 2, "demo_input_field_maxlen": 2]
    ).compile(bench.task(try Self.student()))
    let demos = result.trials.flatMap { $0.evaluation.program.states[0].demos }
    #expect(!demos.isEmpty)
    #expect(result.trials.allSatisfy { $0.evaluation.program.states[0].demos.count <= 2 })
    for demo in demos {
      let question = try #require(demo["question"]?.stringValue)
      #expect(question.count <= 2 && demo["augmented"] == true)
      #expect(demo["answer"]?.stringValue?.hasPrefix("right \(question)") == true)
    }
  }

  @Test("without demos only rules are learned; they stay bounded")
  func rules() async throws {
    let bench = Bench(Self.moody(write: { "Mind the point number \($0.last.count) \(fnv($0.last) % 100_000)." }))
    let result = await make(SIMBA.self, ["bsize": 10, "max_steps": 12, "num_candidates": 3, "max_demos": 0]).compile(
      bench.task(try Self.student()))
    #expect(result.trials.allSatisfy { $0.evaluation.program.states[0].demos.isEmpty })
    let most =
      result.trials.map { trial -> Int in
        let text = trial.evaluation.program.states[0].instructions
        return text.split(separator: "\n- ", omittingEmptySubsequences: false).count - 1
      }.max() ?? 0
    #expect(most >= 2 && most <= 8)
    for asked in Self.advice(bench.model) {
      #expect(asked.last.contains("score: 1.0") && asked.last.contains("score: 0.0"))
      #expect(asked.last.contains("[[ ## expected ## ]]\nanswer: right"))
    }
  }

  @Test("rows whose runs do not differ teach nothing: without any, no program is made")
  func noSpread() async throws {
    let bench = Bench(ScriptedModel())
    let result = await make(SIMBA.self, Self.small).compile(bench.task(try Self.student()))
    #expect(result.trials.count == 1 && result.stopped == nil)
    #expect(Self.advice(bench.model).isEmpty)
  }

  @Test("each step of a pipeline gets advice and demos of its own")
  func pipeline() async throws {
    let bench = Bench(Self.moody())
    let result = await make(SIMBA.self, Self.small).compile(bench.task(try Self.student(twoSteps)))
    #expect(result.stopped == nil)
    let asked = Self.advice(bench.model)
    #expect(!asked.isEmpty && asked.allSatisfy { $0.outputs == ["discussion", "advice_1", "advice_2"] })
    let programs = result.trials.map(\.evaluation.program)
    #expect(
      programs.contains { $0.states[0].instructions.contains("\n- ") && $0.states[1].instructions.contains("\n- ") })
    #expect(
      programs.contains { $0.states[0].demos.first?["query"] != nil && $0.states[1].demos.first?["answer"] != nil })
  }

  @Test("the search is the same at any concurrency", arguments: [oneStep, twoSteps])
  func deterministic(structure: JSONValue) async throws {
    func search(_ concurrency: Int) async throws -> SearchResult {
      await make(SIMBA.self, Self.small.merging(["seed": 5])).compile(
        Bench(Self.moody(delays: true), concurrency: concurrency).task(try Self.student(structure)))
    }
    let (one, many) = (try await search(1), try await search(64))
    #expect(summary(one) == summary(many))
    #expect(one.trials.map(\.evaluation.program) == many.trials.map(\.evaluation.program))
    #expect(one.trials.map(\.evaluation.rows) == many.trials.map(\.evaluation.rows))
    #expect(one.program == many.program)
  }

  @Test("a budget spent in the middle leaves the best so far; done again it ends as without, asking nothing twice")
  func resumed() async throws {
    let optimizer = make(SIMBA.self, Self.small)
    let whole = await optimizer.compile(Bench(Self.moody(), cache: false).task(try Self.student()))
    for limit in [20, 100, 150, 220] {
      let answers = MemoryAnswerStore()
      let model = Self.moody()
      let cut = Bench(model, cache: false, budget: Budget(Budget.Limits(maxCalls: limit)), answers: answers)
      let part = await optimizer.compile(cut.task(try Self.student()))
      #expect(part.stopped?.kind == .budgetExhausted)
      #expect(part.best == nil || part.program == part.best?.evaluation.program)
      #expect(summary(part) == Array(summary(whole).prefix(part.trials.count)))
      let result = await optimizer.compile(
        Bench(model, concurrency: 32, cache: false, answers: answers).task(try Self.student()))
      #expect(summary(result) == summary(whole))
      #expect(result.program == whole.program)
      let asked = model.asked.map { "\($0.system)\($0.demos)\($0.last)\($0.rollout)\($0.temperature ?? -1)" }
      #expect(Set(asked).count == asked.count)
    }
  }

  @Test("a prompt model that writes nothing of use leaves demos", arguments: ["", "${x}", "Да, конечно, очень хорошо"])
  func weak(text: String) async throws {
    let bench = Bench(Self.moody(write: { _ in text }))
    let result = await make(SIMBA.self, Self.small).compile(bench.task(try Self.student()))
    #expect(result.stopped == nil)
    #expect(result.trials.allSatisfy { !$0.evaluation.program.states[0].instructions.contains("rules") })
    #expect(bench.listener.warnings.contains { $0.contains("instructions could not be used") })
  }

  @Test("a model that is gone stops it, with what it had; some outages cost their tries alone")
  func outage() async throws {
    let some = Bench(
      ScriptedModel { asked, _ in asked.temperature == 1 && asked.rollout % 3 == 0 ? failure(.timeout) : nil },
      concurrency: 2)
    #expect(await make(SIMBA.self, Self.small).compile(some.task(try Self.student())).stopped == nil)
    let gone = Bench(
      ScriptedModel { asked, _ in asked.isTask && asked.temperature == 1 ? failure(.timeout) : nil }, concurrency: 2)
    let result = await make(SIMBA.self, Self.small).compile(gone.task(try Self.student()))
    #expect(result.stopped?.kind == .timeout)
    #expect(gone.model.calls < 40 + 30)
  }

  @Test("options have DSPy's names and defaults; a batch that is larger than the trainset is refused")
  func options() {
    let simba = make(SIMBA.self)
    #expect(simba.bsize == 32 && simba.numCandidates == 6 && simba.maxSteps == 8 && simba.maxDemos == 4)
    #expect(simba.temperatureForSampling == 0.2 && simba.temperatureForCandidates == 0.2 && simba.seed == 0)
    let problems = ProblemList()
    simba.check(trainset: 31, valset: nil, at: "optimizer", problems: problems)
    #expect(problems.problems.map(\.path) == ["optimizer.bsize"])
  }

  @Test("numbers from Poisson's distribution have its mean")
  func poisson() {
    var random = PythonRandom(seed: 1)
    for mean in [0.0, 0.5, 1, 3] {
      let sum = (0..<4000).reduce(0) { sum, _ in sum + SimbaSearch.poisson(mean, &random) }
      #expect(abs(Double(sum) / 4000 - mean) < 0.1)
    }
  }

  @Test("the simulated model's landscape is climbed")
  func simulated() async throws {
    let result = await make(SIMBA.self, ["bsize": 20, "max_steps": 5]).compile(try simulatedTask())
    #expect((result.best?.result.score ?? 0) > (result.baseline?.result.score ?? 100) + 5)
  }
}
