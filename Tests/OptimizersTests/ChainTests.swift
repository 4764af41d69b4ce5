import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import RowStorage
import Schema
import Testing

@Suite("A chain of optimizers", .timeLimit(.minutes(2)))
struct ChainTests {
  private static func student(demos: Int = 0) throws -> Program {
    var student = try program()
    student.adapter = .chat
    student.states[0].demos = rows(500..<500 + demos)
    return student
  }

  private static let small: JSONObject = [
    "strategy": "BootstrapFewShot -> copro -> GEPA -> copro",
    "optimizers": ["copro": ["breadth": 4, "depth": 1], "GEPA": ["max_metric_calls": 160]],
  ]

  @Test("steps go one after the other; the student is scored once, trials and evaluations are counted through")
  func order() async throws {
    let bench = Bench()
    let result = await make(Chain.self, Self.small).compile(bench.task(try Self.student()))
    #expect(result.stopped == nil)
    let phases = bench.listener.all.compactMap { event -> String? in
      guard case .phase(_, let message) = event else { return nil }
      return message.split(separator: ":").first.map(String.init)
    }
    var steps: [String] = []
    for phase in phases where phase.contains(" of 4)") && steps.last != phase { steps.append(phase) }
    #expect(steps == ["BootstrapFewShot (1 of 4)", "copro (2 of 4)", "GEPA (3 of 4)", "copro (4 of 4)"])
    #expect(result.trials.map(\.number) == Array(1...result.trials.count))
    #expect(Set(result.trials.map(\.evaluation.name)).count == result.trials.count)
    #expect(Set(result.trials.map(\.evaluation.id)).count == result.trials.count)
    #expect(bench.listener.started.map(\.place) == Array(1...bench.listener.started.count))
    // Whole programs are scored once each.
    let whole = result.trials.filter { $0.result.count == 40 }.map(\.evaluation.program)
    #expect(whole.count { $0 == result.baseline?.evaluation.program } == 1)
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100))
    #expect(result.program == result.best?.evaluation.program)
    let summaries = bench.listener.all.compactMap { if case .summary(let text) = $0 { text } else { nil } }
    #expect(summaries.count == 1)
    for step in ["BootstrapFewShot (1 of 4)", "GEPA (3 of 4)", "copro (4 of 4)"] {
      #expect(summaries[0].contains(step))
    }
    let numbers = result.trials.compactMap(\.evaluation.candidate?.number)
    #expect(numbers.count { $0 == 0 } >= 1 && numbers.max() ?? 0 > 0)
  }

  @Test("a step that makes the program worse is not gone on from")
  func best() async throws {
    let student = try Self.student(demos: 5)
    let result = await make(
      Chain.self,
      [
        "strategy": "bare -> COPRO",
        "optimizers": ["bare": ["name": "LabeledFewShot", "k": 0], "COPRO": ["breadth": 4, "depth": 1]],
      ]
    ).compile(Bench().task(student))
    let bare = try #require(result.trials.first { $0.evaluation.program.states[0].demos.isEmpty })
    #expect(bare.result.rank < (result.baseline?.result.rank ?? 0))
    let later = result.trials.filter { $0.number > bare.number }
    #expect(!later.isEmpty && later.allSatisfy { $0.evaluation.program.states[0].demos == student.states[0].demos })
  }

  @Test("without a valset a part of the trainset scores for all steps, and none learns from it")
  func divided() async throws {
    let bench = Bench()
    let result = await make(
      Chain.self, ["strategy": "LabeledFewShot -> BootstrapFewShot", "valset_ratio": 0.5]
    ).compile(bench.task(try Self.student(), train: rows(0..<30), val: nil))
    #expect(result.trials.allSatisfy { $0.result.count == 15 })
    let scored = Set(result.trials.flatMap { $0.result.examples.map(\.example) })
    #expect(scored.count == 15)
    for demo in result.trials.flatMap({ $0.evaluation.program.states[0].demos }) {
      let row = JSONObject(demo.filter { $0.key != "augmented" }.map { ($0.key, $0.value) })
      #expect(!scored.contains(row))
    }
  }

  @Test("one budget: what is left is shared by the steps to come")
  func budget() async throws {
    let bench = Bench(budget: Budget(Budget.Limits(maxCalls: 500)))
    let result = await make(Chain.self, ["strategy": "auto -> auto"]).compile(
      bench.task(try Self.student(), val: rows(100..<160)))
    #expect(bench.model.calls <= 500)
    let learning = bench.listener.all.compactMap { event -> String? in
      if case .phase("search", let message) = event { message } else { nil }
    }
    #expect(learning.contains { $0.hasPrefix("auto (1 of 2)") })
    #expect(learning.contains { $0.hasPrefix("auto (2 of 2)") })
    #expect(result.stopped == nil)
  }

  @Test("the same at any concurrency")
  func concurrency() async throws {
    func run(_ concurrency: Int) async throws -> SearchResult {
      await make(Chain.self, Self.small).compile(
        Bench(ScriptedModel(delays: concurrency > 1), concurrency: concurrency).task(try Self.student()))
    }
    let (one, many) = (try await run(1), try await run(64))
    #expect(one.trials.map(\.evaluation.program) == many.trials.map(\.evaluation.program))
    #expect(one.trials.map(\.evaluation.name) == many.trials.map(\.evaluation.name))
    #expect(one.program == many.program)
  }

  @Test("a budget spent in the middle leaves the best so far; done again it ends as without, asking nothing twice")
  func resumed() async throws {
    let optimizer = make(Chain.self, Self.small)
    let whole = await optimizer.compile(Bench(cache: false).task(try Self.student()))
    var withBest = 0
    for tokens in [1500, 5500, 6500] {
      let answers = MemoryAnswerStore()
      let model = ScriptedModel()
      let cut = Bench(model, cache: false, budget: Budget(Budget.Limits(maxTokens: tokens)), answers: answers)
      let part = await optimizer.compile(cut.task(try Self.student()))
      #expect(part.stopped?.kind == .budgetExhausted)
      #expect(part.program == (try part.best?.evaluation.program ?? Self.student()))
      withBest += part.best == nil ? 0 : 1
      let rest = Bench(model, concurrency: 32, cache: false, answers: answers)
      let result = await optimizer.compile(rest.task(try Self.student()))
      #expect(result.trials.map(\.evaluation.program) == whole.trials.map(\.evaluation.program))
      #expect(result.program == whole.program)
      #expect(model.calls == Set(model.asked.map { "\($0.system)\($0.demos)\($0.last)\($0.rollout)" }).count)
    }
    #expect(withBest > 0)
  }

  @Test("a step that fails for good ends the chain with the best so far")
  func failing() async throws {
    let bench = Bench(ScriptedModel { asked, _ in asked.isTask ? nil : failure(.authentication) })
    let result = await make(Chain.self, ["strategy": "LabeledFewShot -> COPRO -> LabeledFewShot"]).compile(
      bench.task(try Self.student()))
    #expect(result.stopped?.kind == .authentication)
    #expect(result.program.states[0].demos.count == 16)
    #expect(
      !bench.listener.all.contains { if case .phase(_, let text) = $0 { text.contains("3 of 3") } else { false } })
  }

  @Test("everything that is wrong with any step is said at once, with its place")
  func problems() {
    let (_, found) = settings(
      Chain.self,
      [
        "strategy": "GEPPA -> COPRO -> Ensemble -> mine",
        "optimizers": ["COPRO": ["breadth": "many", "dept": 3], "mine": ["name": "chain"], "copra": [:]],
      ])
    let places = Set(found.map(\.path))
    #expect(
      places == [
        "optimizer.strategy", "optimizer.optimizers.COPRO.breadth", "optimizer.optimizers.COPRO.dept",
        "optimizer.optimizers.mine", "optimizer.optimizers.copra",
      ])
    #expect(found.contains { $0.suggestion == "GEPA" } && found.contains { $0.suggestion == "COPRO" })
    #expect(settings(Chain.self, ["strategy": "COPRO -> -> GEPA"]).1.map(\.path) == ["optimizer.strategy"])
    #expect(settings(Chain.self, [:]).1.map(\.path) == ["optimizer.strategy"])
    let problems = ProblemList()
    let chain = make(Chain.self, ["strategy": "GEPA -> SIMBA", "optimizers": ["GEPA": ["max_metric_calls": 2]]])
    chain.check(trainset: 10, valset: 20, at: "optimizer", problems: problems)
    #expect(problems.problems.map(\.path).contains("optimizer.optimizers.GEPA.max_metric_calls"))
    #expect(problems.problems.map(\.path).contains("optimizer.optimizers.SIMBA.bsize"))
  }

  @Test("seeds: the chain's, but for steps that name their own; a step that comes again has another")
  func seeds() throws {
    let chain = make(
      Chain.self,
      ["strategy": "GEPA -> SIMBA -> GEPA -> LabeledFewShot", "seed": 7, "optimizers": ["SIMBA": ["seed": 3]]])
    #expect(chain.steps.map { $0.optimizer.json["seed"] ?? .null } == [7, 3, 8, .null])
    #expect(OptimizerRegistry.all.type(named: "better_together") is Chain.Type)
  }

  @Test("the estimate holds what the steps ask, and the baseline once")
  func parts() async throws {
    let bench = Bench()
    let chain = make(Chain.self, Self.small)
    let task = bench.task(try Self.student())
    let parts = chain.parts(task)
    #expect(parts.count { $0.name.hasSuffix("baseline") } == 1)
    _ = await chain.compile(task)
    let most = parts.reduce(0) { $0 + $1.executions.upperBound }
    #expect(bench.model.calls <= most && bench.model.calls >= parts.reduce(0) { $0 + $1.executions.lowerBound })
  }
}
