import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import Randomness
import RowStorage
import Testing

@Suite("Tournament", .timeLimit(.minutes(1)))
struct TournamentTests {
  /// Answers rightly where the row's difficulty is below the number in the instruction.
  private static func skilled(_ delays: Bool = false) -> ScriptedModel {
    ScriptedModel(
      delays: delays,
      answer: { asked in
        let skill =
          asked.system.split { !$0.isNumber && $0 != "s" }.compactMap { word in
            word.hasPrefix("s") ? Int(word.dropFirst()) : nil
          }.max() ?? 30
        return difficulty(asked.question) < skill ? rightAnswer(asked.question) : "no"
      })
  }

  private static func contenders(_ skills: [Int]) throws -> [Tournament.Contender] {
    try skills.map { skill in
      var program = try program()
      program.states[0].instructions = "Answer at s\(skill)."
      return Tournament.Contender(program: program, coordinates: ["skill": .int(skill)])
    }
  }

  private static let val = rows(100..<200)

  private static func race(
    _ skills: [Int], _ bench: Bench, enough: Double? = nil
  ) async throws -> (outcome: Tournament.Outcome?, log: SearchLog, error: HoneError?) {
    let task = bench.task(try program(), val: val)
    let log = SearchLog(task)
    let tournament = Tournament(
      task: task, log: log, rows: Rows(val), order: RaceOrder(val.count, seed: 0), enough: enough)
    do {
      return (try await tournament.run(contenders(skills)), log, nil)
    } catch {
      return (nil, log, HoneError(wrapping: error))
    }
  }

  @Test("the best wins, the others are dropped with the rows they were asked, and each is one trial")
  func best() async throws {
    let skills = [20, 35, 60, 30, 25, 90]
    let bench = Bench(Self.skilled())
    let (outcome, log, _) = try await Self.race(skills, bench)
    #expect(outcome?.winner == 5)
    #expect(log.best?.evaluation.coordinates["skill"] == 90)
    #expect(log.trials.count == skills.count)
    for trial in log.trials {
      #expect(trial.evaluation.rows == trial.result.examples.map(\.row))
      #expect(trial.evaluation.rows == trial.evaluation.rows.sorted())
      #expect((trial.evaluation.coordinates["dropped"] == true) == (trial.result.count < 100))
    }
    let dropped = log.trials.filter { $0.result.count < 100 }
    #expect(dropped.count >= 4)
    // All are asked the first rows of one order.
    let order = RaceOrder(100, seed: 0)
    for trial in dropped { #expect(trial.evaluation.rows == order.rows.prefix(trial.result.count).sorted()) }
    #expect(bench.model.calls == log.trials.reduce(0) { $0 + $1.result.count })
    #expect(bench.model.calls < 350)
    // Each evaluation was announced once, and ended once.
    let events = bench.listener.evaluationEvents
    #expect(events.count { $0 == "started" } == 6 && events.count { $0 == "finished" } == 6)
  }

  @Test("what is asked and who is dropped do not depend on what ends first", arguments: [1, 64])
  func deterministic(concurrency: Int) async throws {
    let skills = [40, 42, 60, 55, 58, 20, 61]
    let one = try await Self.race(skills, Bench(Self.skilled(), concurrency: 8))
    let other = try await Self.race(skills, Bench(Self.skilled(true), concurrency: concurrency))
    #expect(one.log.trials.map(\.evaluation.rows) == other.log.trials.map(\.evaluation.rows))
    #expect(one.log.trials.map(\.evaluation.name) == other.log.trials.map(\.evaluation.name))
    #expect(one.outcome?.winner == other.outcome?.winner)
    #expect(one.outcome?.estimates == other.outcome?.estimates)
  }

  @Test("of equal ones the first wins, and what cannot overtake it is not asked on")
  func equal() async throws {
    let bench = Bench(Self.skilled())
    let (outcome, log, _) = try await Self.race([100, 100, 100], bench)
    #expect(outcome?.winner == 0)
    // The first has all right after one block, is asked all, and none can be better; the same question is asked once.
    #expect(bench.model.calls == 100)
    #expect(log.trials.map(\.result.count) == [100, 10, 10])
  }

  @Test("a score that is enough ends it")
  func enough() async throws {
    let bench = Bench(Self.skilled())
    let (outcome, log, _) = try await Self.race([70, 75], bench, enough: 50)
    #expect(outcome?.winner != nil)
    #expect(log.trials.map(\.result.count).sorted() == [10, 100])
  }

  @Test("a budget that ends in the middle leaves the leader whole; done again it ends as without, asking nothing twice")
  func budget() async throws {
    let skills = [50, 55, 60, 58, 20]
    let whole = try await Self.race(skills, Bench(Self.skilled(), cache: false))
    let answers = MemoryAnswerStore()
    let model = Self.skilled()
    let cut = Bench(model, cache: false, budget: Budget(Budget.Limits(maxCalls: 170)), answers: answers)
    let part = try await Self.race(skills, cut)
    #expect(part.error?.kind == .budgetExhausted)
    #expect(part.log.best?.result.count == 100)
    #expect(
      part.log.trials.map(\.evaluation.name) == whole.log.trials.prefix(part.log.trials.count).map(\.evaluation.name))
    let events = cut.listener.evaluationEvents
    #expect(
      events.count { $0 == "started" } == events.count { $0 == "finished" || $0.hasPrefix("stopped") })
    let rest = try await Self.race(skills, Bench(model, concurrency: 32, cache: false, answers: answers))
    #expect(rest.log.trials.map(\.evaluation.rows) == whole.log.trials.map(\.evaluation.rows))
    #expect(rest.outcome?.winner == whole.outcome?.winner)
    let asked = model.asked.map { $0.system + $0.question }
    #expect(Set(asked).count == asked.count)
  }

  @Test("one that an outage touched neither leads nor wins")
  func outage() async throws {
    let order = RaceOrder(100, seed: 0)
    let lost = Self.val[order.rows[3]]["question"]?.stringValue
    let model = ScriptedModel(
      answer: { asked in
        difficulty(asked.question) < (asked.system.contains("s90") ? 90 : 50) ? rightAnswer(asked.question) : "no"
      },
      fault: { asked, _ in asked.system.contains("s90") && asked.question == lost ? failure(.timeout) : nil })
    let (outcome, log, error) = try await Self.race([90, 50], Bench(model))
    #expect(error == nil)
    #expect(outcome?.winner == 1)
    #expect(log.best?.evaluation.coordinates["skill"] == 50)
  }

  @Test("a program that is known takes part without being asked")
  func known() async throws {
    let bench = Bench(Self.skilled())
    let task = bench.task(try program(), val: Self.val)
    let log = SearchLog(task)
    var contenders = try Self.contenders([60, 30])
    let info = log.info("eval", contenders[0].program, rows: Array(0..<100))
    contenders[0].known = try await task.evaluator.evaluate(info, examples: Rows(Self.val))
    let tournament = Tournament(task: task, log: log, rows: Rows(Self.val), order: RaceOrder(100, seed: 0))
    let outcome = try await tournament.run(contenders)
    #expect(outcome.winner == 0)
    #expect(log.trials.count == 1)
    #expect(bench.model.calls < 160)
  }

  /// What the rule costs and loses, on scores drawn at random: 16 candidates, 100 rows.
  @Test("a race finds nearly the best of 16 for about half of the calls")
  func economy() async throws {
    var (asked, regret) = (0, 0.0)
    let repetitions = 8
    for seed in 0..<repetitions {
      var random = PythonRandom(seed: seed)
      let skills = (0..<16).map { _ in random.randint(50...70) }
      let model = ScriptedModel(answer: { asked in
        let skill = asked.system.split { !$0.isNumber }.compactMap { Int($0) }.max() ?? 0
        let own = Int(fnv("\(seed) \(asked.question) \(skill / 100)") % 100)
        let shared = difficulty("\(seed) \(asked.question)")
        return (own + 3 * shared) / 4 < skill % 100 ? rightAnswer(asked.question) : "no"
      })
      let bench = Bench(model)
      let numbered = skills.enumerated().map { $0.offset * 100 + $0.element + 10_000 }
      let (outcome, log, _) = try await Self.race(numbered, bench)
      asked += model.calls
      let full = Bench(model)
      var best = 0.0
      for contender in try Self.contenders(numbered) {
        best = max(best, try await full.evaluate(contender.program, Self.val).rank)
      }
      #expect(outcome?.winner != nil)
      regret += best - (log.best?.result.rank ?? 0)
    }
    let share = Double(asked) / Double(repetitions * 1600)
    #expect(share < 0.6)
    #expect(regret / Double(repetitions) < 0.3)
  }
}
