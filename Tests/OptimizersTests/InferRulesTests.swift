import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import RowStorage
import Schema
import Testing

@Suite("RuledInstruction")
struct RuledInstructionTests {
  @Test("rules are the lines of a text without marks and numbers, each once, as many as wanted")
  func lines() {
    let text = "Rules:\n1. Read it all.\n2) Write units.\n- Read it all.\n\n* Check twice.\n• Be kind to people."
    #expect(
      RuledInstruction.rules(in: text, most: 10) == [
        "Read it all.", "Write units.", "Check twice.", "Be kind to people.",
      ])
    #expect(RuledInstruction.rules(in: text, most: 2) == ["Read it all.", "Write units."])
    #expect(
      RuledInstruction.rules(in: "Read 3.5 pages. Then write! Done now.", most: 9) == [
        "Read 3.5 pages.", "Then write!", "Done now.",
      ])
    #expect(RuledInstruction.rules(in: "One: \n\n", most: 9).isEmpty)
  }

  @Test("they stand below the instruction, which stays as it is without any")
  func text() {
    #expect(RuledInstruction(base: "Do it.").text == "Do it.")
    #expect(RuledInstruction(base: "Do it.", rules: ["Go slow.", "Look up."]).text.hasPrefix("Do it.\n\n"))
    #expect(
      RuledInstruction(base: "Do it.", rules: ["Go slow.", "Look up."]).text.hasSuffix("\n- Go slow.\n- Look up."))
    #expect(!RuledInstruction(base: "", rules: ["Go slow."]).text.hasPrefix("\n"))
  }
}

@Suite("InferRules", .timeLimit(.minutes(1)))
struct InferRulesTests {
  private static func student(_ structure: JSONValue = oneStep) throws -> Program {
    var student = try program(structure)
    student.adapter = .chat
    return student
  }

  private static func requests(_ model: ScriptedModel) -> [ScriptedModel.Asked] {
    model.asked.filter { $0.outputs == ["natural_language_rules"] }
  }

  private static let small: JSONObject = ["num_candidates": 5, "max_bootstrapped_demos": 2, "max_labeled_demos": 3]

  @Test("rules are inferred from rows of their own for each candidate, and raise the score")
  func infers() async throws {
    let bench = Bench(concurrency: 32)
    let task = bench.task(try Self.student(), train: rows(0..<60), val: rows(100..<180))
    let optimizer = make(InferRules.self, Self.small)
    let result = await optimizer.compile(task)
    #expect(result.stopped == nil)
    let asked = Self.requests(bench.model)
    #expect(asked.count == 5)
    #expect(asked.allSatisfy { $0.temperature == 1 })
    // Bagging: no two see the same rows.
    #expect(Set(asked.map { section("solved_examples", of: $0.last) }).count == 5)
    for request in asked {
      let shown = request.last.split(separator: "\nquestion: ", omittingEmptySubsequences: false).count
      #expect(shown >= 5 && shown <= 20)
    }
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100) + 10)
    #expect(result.program == result.best?.evaluation.program)
    #expect(result.program.states[0].instructions.contains("Keep to these rules:\n- "))
    #expect(result.program.states[0].instructions.hasPrefix(task.student.states[0].instructions))
    // Bootstrapping apart, no more is asked than said.
    let executions = result.trials.reduce(0) { $0 + $1.result.count }
    let most = optimizer.parts(task).filter { ["baseline", "search", "prune"].contains($0.name) }
      .reduce(0) { $0 + $1.executions.upperBound }
    #expect(executions <= most)
    #expect(most == 1140)
  }

  @Test("rules that do not help are taken out, those that help stay")
  func prunes() async throws {
    let useful = "Answer carefully now."
    let bench = Bench(
      ScriptedModel(write: { _ in "Speak up clearly.\n\(useful)\nSit down first.\nLook outside often." }),
      concurrency: 32)
    let result = await make(InferRules.self, Self.small).compile(
      bench.task(try Self.student(), val: rows(100..<160)))
    let instructions = try #require(result.program.states.first).instructions
    #expect(instructions.hasSuffix("Keep to these rules:\n- \(useful)"))
    let without = result.trials.compactMap { $0.evaluation.coordinates["without"]?.stringValue }
    #expect(without == ["Speak up clearly.", useful, "Sit down first.", "Look outside often."])
    #expect(result.best?.result.count == 60)
    // The one that helps is found out before its sample of the rows is asked.
    let missing = result.trials.first { $0.evaluation.coordinates["without"]?.stringValue == useful }
    #expect(missing?.evaluation.coordinates["dropped"] == true)
  }

  @Test("without a valset the first half of the trainset trains, the second one scores")
  func split() async throws {
    let bench = Bench()
    let result = await make(InferRules.self, Self.small).compile(
      bench.task(try Self.student(), train: rows(0..<40), val: nil))
    #expect(result.baseline?.result.count == 20)
    let scored = Set(result.trials[0].result.examples.compactMap { $0.example["question"]?.stringValue })
    #expect(scored == Set((20..<40).map { "q\($0)" }))
    for request in Self.requests(bench.model) {
      for question in scored { #expect(!request.last.contains("question: \(question)\n")) }
    }
    let problems = ProblemList()
    make(InferRules.self).check(trainset: 1, valset: nil, at: "optimizer", problems: problems)
    #expect(problems.problems.map(\.path) == ["trainset"])
  }

  @Test("a step whose outputs are not in the data learns from bootstrapped executions; each gets rules")
  func pipeline() async throws {
    let bench = Bench(ScriptedModel(answer: { difficulty($0.question) < 60 ? rightAnswer($0.question) : "no" }))
    let result = await make(InferRules.self, Self.small).compile(bench.task(try Self.student(twoSteps)))
    let asked = Self.requests(bench.model)
    #expect(asked.count == 10)
    let plan = asked.filter {
      $0.last.contains("plan: question -> query\n") && $0.last.contains("[[ ## step ## ]]\nplan")
    }
    #expect(plan.count == 5)
    #expect(plan.allSatisfy { $0.last.contains("query: plain query") })
    #expect(result.stopped == nil)
  }

  @Test("the search is the same at any concurrency", arguments: [oneStep, twoSteps])
  func deterministic(structure: JSONValue) async throws {
    func search(_ concurrency: Int) async throws -> SearchResult {
      await make(InferRules.self, Self.small).compile(
        Bench(ScriptedModel(delays: true), concurrency: concurrency).task(try Self.student(structure)))
    }
    let (one, many) = (try await search(1), try await search(64))
    #expect(summary(one) == summary(many))
    #expect(one.trials.map(\.evaluation.rows) == many.trials.map(\.evaluation.rows))
    #expect(one.program == many.program)
  }

  @Test("a budget spent in the middle leaves the best so far; done again it ends as without, asking nothing twice")
  func resumed() async throws {
    let optimizer = make(InferRules.self, Self.small)
    func student() throws -> Program { try Self.student() }
    let whole = await optimizer.compile(Bench(cache: false).task(try student()))
    for limit in [30, 110, 200] {
      let answers = MemoryAnswerStore()
      let model = ScriptedModel()
      let cut = Bench(model, cache: false, budget: Budget(Budget.Limits(maxCalls: limit)), answers: answers)
      let part = await optimizer.compile(cut.task(try student()))
      #expect(part.stopped?.kind == .budgetExhausted)
      #expect(part.best == nil || part.program == part.best?.evaluation.program)
      #expect(summary(part) == Array(summary(whole).prefix(part.trials.count)))
      let result = await optimizer.compile(
        Bench(model, concurrency: 32, cache: false, answers: answers).task(try student()))
      #expect(summary(result) == summary(whole))
      #expect(result.program == whole.program)
      let asked = model.asked.map { "\($0.system)\($0.demos)\($0.last)\($0.rollout)\($0.temperature ?? -1)" }
      #expect(Set(asked).count == asked.count)
    }
  }

  @Test(
    "a prompt model that writes no rules leaves the bootstrapped program", arguments: ["", "[[ ## ]]", "Rules:", "Hm"])
  func weak(text: String) async throws {
    let bench = Bench(ScriptedModel(write: { _ in text }))
    let result = await make(InferRules.self, Self.small).compile(bench.task(try Self.student()))
    #expect(result.stopped == nil)
    #expect(result.trials.count == 2)
    #expect(!result.program.states[0].instructions.contains("rules"))
    #expect(bench.listener.warnings.contains { $0.contains("5 of 5 instructions could not be used") })
  }

  @Test("options have DSPy's names and defaults")
  func options() {
    let rules = make(InferRules.self)
    #expect(rules.numCandidates == 10 && rules.numRules == 10)
    #expect(rules.maxBootstrappedDemos == 4 && rules.maxLabeledDemos == 16 && rules.maxErrors == 10)
    #expect(settings(InferRules.self, ["num_rules": 0]).1.map(\.path) == ["optimizer.num_rules"])
  }

  @Test("the simulated model's landscape is climbed")
  func simulated() async throws {
    let result = await make(InferRules.self, ["num_candidates": 6]).compile(try simulatedTask())
    #expect((result.best?.result.score ?? 0) > (result.baseline?.result.score ?? 100) + 5)
  }
}
