import Evaluation
import Failures
import JSON
@testable import Optimizers
import Programs
import Schema
import Testing

@Suite("Ensemble", .timeLimit(.minutes(1)))
struct EnsembleTests {
  /// A program with the answers that it gave, a letter a row; capitals were right, `-` could not be read.
  private static func candidate(_ number: Int, _ answers: String) throws -> Ensemble.Candidate {
    var program = try program()
    program.states[0].instructions = "I am \(number)."
    program.adapter = .chat
    let rows = answers.enumerated().map { row, letter in
      (
        row,
        Ensemble.Candidate.Row(
          score: letter.isUppercase ? 1 : 0,
          outputs: letter == "-" ? Optional.none : ["answer": .string(letter.lowercased() + "\(letter.isUppercase)")])
      )
    }
    return Ensemble.Candidate(program, rows: Dictionary(uniqueKeysWithValues: rows))
  }

  private func compile(
    _ answers: [String], size: Int = 3, _ bench: Bench = Bench(), val: [JSONObject]? = nil
  ) async throws -> SearchResult {
    var ensemble = make(Ensemble.self, ["run": "r", "size": .int(size)])
    ensemble.candidates = try answers.enumerated().map { try Self.candidate($0, $1) }
    return await ensemble.compile(bench.task(try program(), val: val))
  }

  /// The candidates that an outcome is made of.
  private func members(_ program: Program) -> [String] {
    program.states.map { String($0.instructions.filter(\.isNumber)) }
  }

  @Test(
    "the programs whose vote is right most often are chosen, and no model is asked",
    arguments: [
      // Each alone is right on four of six; the first three are wrong on different rows.
      (["AAAAxy", "AAxyAA", "xyAAAA", "AAAAxy"], 3, ["0", "1", "2"]),
      // Two that are right everywhere else outvote the best.
      (["AAAAAx", "AAAAxx", "xAAAAA", "AxAAAA", "yyyyyA"], 3, ["0", "2", "3"]),
      // Voices that agree in error are of no use.
      (["AAAAxx", "AAAxxx", "AAAxxx"], 3, ["0"]),
      // One that says nothing leaves the row to the others.
      (["AAAA--", "xxxxAA", "yyyyyy"], 2, ["0", "1"]),
      (["AAAAxy", "AAxyAA", "xyAAAA"], 1, ["0"]),
      // Scored on fewer rows: not comparable.
      (["AAAAxy", "AAAA", "AAxyAA", "xyAAAA"], 5, ["0", "2", "3"]),
    ] as [([String], Int, [String])])
  func chosen(answers: [String], size: Int, wanted: [String]) async throws {
    let bench = Bench()
    let result = try await compile(answers, size: size, bench)
    #expect(members(result.program) == wanted)
    #expect(bench.model.calls == 0)
    #expect(result.stopped == nil)
    #expect(result.program.adapter == .chat)
    #expect(result.program.module.className == (wanted.count > 1 ? "Ensemble" : "Predict"))
  }

  @Test("the same program twice is one candidate")
  func twice() async throws {
    var ensemble = make(Ensemble.self, ["run": "r", "size": 3])
    let one = try Self.candidate(0, "AAAAxy")
    ensemble.candidates = [one, one, one, try Self.candidate(1, "AAxyAA"), try Self.candidate(2, "xyAAAA")]
    let result = await ensemble.compile(Bench().task(try program(), val: nil))
    #expect(members(result.program) == ["0", "1", "2"])
  }

  @Test("with a valset the student and the ensemble are scored on it, as planned")
  func scored() async throws {
    let bench = Bench(
      ScriptedModel(answer: { $0.system.contains("I am 0") ? "x" : rightAnswer($0.question) }), cache: false)
    let answers = ["AAAAxy", "AAxyAA", "xyAAAA"]
    var ensemble = make(Ensemble.self, ["run": "r"])
    ensemble.candidates = try answers.enumerated().map { try Self.candidate($0, $1) }
    let task = bench.task(try program(), val: rows(0..<10))
    let calls = ensemble.parts(task).reduce(0) {
      $0 + $1.executions.upperBound * ($1.longest.program.module.callsPerExecution.most ?? 0)
    }
    let result = await ensemble.compile(task)
    #expect(bench.model.calls == calls)
    #expect(calls == 10 + 30)
    #expect(result.best?.result.score == 100)
  }

  @Test("candidates that do not fit are refused with their place")
  func refused() throws {
    func problems(
      _ settings: JSONObject, _ candidates: [Ensemble.Candidate], _ student: JSONValue = oneStep
    ) throws -> [String] {
      var ensemble = make(Ensemble.self, settings)
      ensemble.candidates = candidates
      let problems = ProblemList()
      ensemble.check(try program(student), at: "optimizer", problems: problems)
      return problems.problems.map(\.path)
    }
    let one = [try Self.candidate(0, "A")]
    #expect(try problems(["run": "r"], []) == ["optimizer.run"])
    #expect(try problems(["run": "r"], one, ["module": "Predict", "signature": "text -> answer"]) == ["optimizer.run"])
    #expect(try problems(["run": "r", "field": "anser"], one) == ["optimizer.field"])
    #expect(try problems(["run": "r"], one).isEmpty)
    #expect(settings(Ensemble.self, [:]).1.map(\.path) == ["optimizer.run"])
  }
}
