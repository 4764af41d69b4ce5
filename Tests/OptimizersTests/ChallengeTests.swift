import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import RowStorage
import Testing

@Suite("Challenge", .timeLimit(.minutes(1)))
struct ChallengeTests {
  private static let val = rows(100..<200)

  /// A program of one skill, known on all rows, challenged by one of another.
  private static func challenge(
    _ known: Int, by skill: Int, mayTie: Bool = false, lost: Int? = nil
  ) async throws -> (outcome: Challenge.Outcome, bench: Bench) {
    let order = RaceOrder(val.count, seed: 0)
    let lostRow = lost.map { val[order.rows[$0]]["question"]?.stringValue }
    let model = ScriptedModel(
      answer: { asked in
        let own = asked.system.contains("challenger") ? skill : known
        return difficulty(asked.question) < own ? rightAnswer(asked.question) : "no"
      },
      fault: { asked, _ in
        asked.system.contains("challenger") && asked.question == lostRow ? failure(.timeout) : nil
      })
    let bench = Bench(model)
    let task = bench.task(try program(), val: val)
    let before = EvaluationInfo(
      run: "run", key: "eval", index: 0, program: task.student, rows: Array(val.indices), metric: "m")
    let result = try await task.evaluator.evaluate(before, examples: Rows(val))
    var program = task.student
    program.states[0].instructions = "You are the challenger."
    let info = EvaluationInfo(run: "run", key: "eval", index: 1, program: program, rows: order.rows, metric: "m")
    let outcome = try await Challenge(
      evaluator: task.evaluator, rows: Rows(val), known: RowScores(result, order: order.rows), block: order.block,
      mayTie: mayTie
    ).run(info)
    return (outcome, bench)
  }

  @Test("who is clearly worse is dropped early, with the rows it was asked in the order of the data")
  func worse() async throws {
    let (outcome, bench) = try await Self.challenge(60, by: 20)
    #expect(outcome.isDropped && outcome.result.count <= 30)
    #expect(bench.model.calls == 100 + outcome.result.count)
    #expect(outcome.info.rows == RaceOrder(100, seed: 0).rows.prefix(outcome.result.count).sorted())
    #expect(outcome.info.coordinates["dropped"] == true)
    #expect(outcome.info.name == "eval_1")
  }

  @Test("who is better is asked all rows")
  func better() async throws {
    let (outcome, _) = try await Self.challenge(40, by: 60)
    #expect(!outcome.isDropped && outcome.info.rows == Array(0..<100))
    #expect(outcome.info.coordinates["dropped"] == nil)
  }

  @Test("an equal one is dropped once it cannot win, and kept where a tie is enough")
  func equal() async throws {
    // With all rows right there is nothing to gain: the first row tells.
    let (full, _) = try await Self.challenge(100, by: 100)
    #expect(full.isDropped && full.result.count == 10)
    let (tie, _) = try await Self.challenge(100, by: 100, mayTie: true)
    #expect(!tie.isDropped && tie.result.count == 100)
  }

  @Test("a row that an outage took decides nothing")
  func outage() async throws {
    let (outcome, _) = try await Self.challenge(40, by: 60, lost: 4)
    #expect(!outcome.isDropped && outcome.result.outages == 1)
  }

  @Test("a race's order is the same for the same seed, has every row once, and decides block by block")
  func order() {
    let order = RaceOrder(95, seed: 3)
    #expect(order.rows == RaceOrder(95, seed: 3).rows && order.rows != RaceOrder(95, seed: 4).rows)
    #expect(order.rows.sorted() == Array(0..<95))
    #expect(order.marks == [10, 20, 30, 40, 50, 60, 70, 80, 90, 95])
    #expect(RaceOrder(7, seed: 0).marks == [7] && RaceOrder(10, seed: 0).marks == [10])
    #expect(RaceOrder(1000, seed: 0).marks.count == 10)
    #expect(RaceOrder(0, seed: 0).marks == [0])
  }
}
