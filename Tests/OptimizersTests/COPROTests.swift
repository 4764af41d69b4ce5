import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import RowStorage
import Simulation
import Testing

@Suite("COPRO", .timeLimit(.minutes(1)))
struct COPROTests {
  /// A prompt model whose proposals are numbered: each is new, the later the better.
  private static func climbing(delays: Bool = false, distinct: Int = .max) -> ScriptedModel {
    ScriptedModel(
      delays: delays,
      answer: { asked in
        let skill = asked.system.split { !$0.isNumber }.compactMap { Int($0) }.max() ?? 20
        return difficulty(asked.question) < min(20 + skill, 95) ? rightAnswer(asked.question) : "no"
      },
      write: { asked in "Take care in \(fnv(asked.last + "\(asked.rollout)") % 60 % UInt64(distinct)) ways." })
  }

  private static func executions(_ model: ScriptedModel) -> [ScriptedModel.Asked] { model.asked.filter(\.isTask) }
  private static func proposals(_ model: ScriptedModel) -> [ScriptedModel.Asked] {
    model.asked.filter { $0.outputs == ["proposed_instruction"] }
  }

  private static func student(_ structure: JSONValue = oneStep) throws -> Program {
    var student = try program(structure)
    student.adapter = .chat
    return student
  }

  @Test("as many proposals as DSPy makes, at its temperature; attempts are shown worst first")
  func proposals() async throws {
    let bench = Bench(Self.climbing())
    let result = await make(COPRO.self, ["breadth": 5, "depth": 3]).compile(bench.task(try Self.student()))
    #expect(result.stopped == nil)
    let asked = Self.proposals(bench.model)
    let wanted = (5 - 1) + (3 - 1) * 5
    #expect(asked.count == wanted)
    #expect(asked.allSatisfy { $0.temperature == 1.4 })
    #expect(Set(asked.map(\.rollout)).count == asked.count)
    let later = asked.filter { $0.last.contains("[[ ## attempts ## ]]") }
    #expect(later.count == 10)
    for proposal in later {
      let lines = proposal.last.split(separator: "[[ ## attempts ## ]]\n", omittingEmptySubsequences: false)[1].split(
        separator: "\n")
      let scores = lines.prefix { $0.contains(" %: ") }.compactMap { Int($0.prefix { $0.isNumber }) }
      #expect(scores.count >= 2 && scores.count <= 5)
      #expect(scores == scores.sorted())
    }
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100) + 20)
    #expect(result.program == result.best?.evaluation.program)
  }

  @Test("every new text is one trial, the student's is scored once, and no more is asked than all rows of all")
  func executions() async throws {
    let bench = Bench(Self.climbing())
    let optimizer = make(COPRO.self, ["breadth": 6, "depth": 2])
    let task = bench.task(try Self.student(), val: rows(100..<180))
    let result = await optimizer.compile(task)
    let texts = result.trials.map { $0.evaluation.program.states[0].instructions }
    #expect(Set(texts).count == texts.count)
    #expect(result.trials.count <= 2 * 6)
    #expect(result.trials.first?.number == result.baseline?.number)
    let asked = Self.executions(bench.model).count
    #expect(asked == result.trials.reduce(0) { $0 + $1.result.count })
    let planned = optimizer.parts(task).reduce(into: [:]) { $0[$1.name, default: 0] += $1.executions.upperBound }
    #expect(planned.filter { $0.key != "adapter" } == ["baseline": 80, "search": 880, "propose": 11])
    #expect(asked < 960)
    #expect(result.trials.contains { $0.evaluation.coordinates["dropped"] == true })
  }

  @Test("without a valset the trainset decides; demos stay as they are")
  func trainset() async throws {
    var student = try Self.student()
    student.states[0].demos = [["question": "a", "answer": "b"]]
    let result = await make(COPRO.self, ["breadth": 3, "depth": 1]).compile(
      Bench(Self.climbing()).task(student, train: rows(0..<25), val: nil))
    #expect(result.baseline?.result.count == 25)
    #expect(result.program.states[0].demos == student.states[0].demos)
  }

  @Test("each step of a pipeline is tuned in turn, and what one found stays while the next is tuned")
  func pipeline() async throws {
    let bench = Bench(ScriptedModel(), concurrency: 32)
    let result = await make(COPRO.self, ["breadth": 6, "depth": 2]).compile(
      bench.task(try Self.student(twoSteps), val: rows(100..<160)))
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100))
    let steps = result.trials.compactMap { $0.evaluation.coordinates["predictor"]?.stringValue }
    #expect(Set(steps) == ["plan", "solve"])
    var best = try Self.student(twoSteps)
    var rank = result.baseline?.result.rank ?? 0
    var batch: (key: String, best: Program) = ("", best)
    for trial in result.trials.dropFirst() {
      let key = "\(trial.evaluation.coordinates["depth"] ?? 0) \(trial.evaluation.coordinates["predictor"] ?? "")"
      if key != batch.key { batch = (key, best) }
      let changed = zip(trial.evaluation.program.states, batch.best.states).count { $0 != $1 }
      #expect(changed == 1)
      if trial.evaluation.coordinates["dropped"] == nil, trial.result.rank > rank {
        rank = trial.result.rank
        best = trial.evaluation.program
      }
    }
    #expect(result.program == best)
  }

  @Test("the search is the same at any concurrency", arguments: [oneStep, twoSteps])
  func deterministic(structure: JSONValue) async throws {
    func search(_ concurrency: Int) async throws -> SearchResult {
      await make(COPRO.self, ["breadth": 5, "depth": 2, "seed": 3]).compile(
        Bench(ScriptedModel(delays: true), concurrency: concurrency).task(try Self.student(structure)))
    }
    let (one, many) = (try await search(1), try await search(64))
    #expect(summary(one) == summary(many))
    #expect(one.trials.map(\.evaluation.program) == many.trials.map(\.evaluation.program))
    #expect(one.trials.map(\.evaluation.rows) == many.trials.map(\.evaluation.rows))
    #expect(one.program == many.program)
  }

  @Test("a budget spent in the middle leaves the best so far; done again it ends as without, asking nothing twice")
  func resumed() async throws {
    let optimizer = make(COPRO.self, ["breadth": 5, "depth": 2])
    let whole = await optimizer.compile(Bench(Self.climbing(), cache: false).task(try Self.student()))
    for limit in [60, 120, 180] {
      let answers = MemoryAnswerStore()
      let model = Self.climbing()
      let cut = Bench(model, cache: false, budget: Budget(Budget.Limits(maxCalls: limit)), answers: answers)
      let part = await optimizer.compile(cut.task(try Self.student()))
      #expect(part.stopped?.kind == .budgetExhausted)
      #expect(part.program == part.best?.evaluation.program)
      #expect(summary(part) == Array(summary(whole).prefix(part.trials.count)))
      let rest = Bench(model, concurrency: 32, cache: false, answers: answers)
      let result = await optimizer.compile(rest.task(try Self.student()))
      #expect(summary(result) == summary(whole))
      #expect(result.program == whole.program)
      let questions = model.asked.map { "\($0.system)\($0.last)\($0.rollout)" }
      #expect(Set(questions).count == questions.count)
    }
  }

  @Test(
    "a prompt model that writes nothing, marks of the prompt, or always the same ends the search soon and is named",
    arguments: ["", "[[ ## ]] ${x}", "Answer in one word, please."])
  func weak(text: String) async throws {
    let bench = Bench(ScriptedModel(write: { _ in text }))
    let result = await make(COPRO.self, ["breadth": 5, "depth": 4]).compile(bench.task(try Self.student()))
    #expect(result.stopped == nil)
    #expect(result.trials.count <= 2)
    #expect(Self.proposals(bench.model).count <= 9)
    #expect(bench.listener.warnings.contains { $0.contains("instructions could not be used") })
  }

  @Test("proposals that fail are left out; a prompt model that is gone ends it")
  func failures() async throws {
    let some = Bench(
      ScriptedModel { asked, _ in !asked.isTask && asked.rollout % 2 == 0 ? failure(.outputUnparsable) : nil })
    let result = await make(COPRO.self, ["breadth": 6, "depth": 2]).compile(some.task(try Self.student()))
    #expect(result.stopped == nil && result.trials.count > 1)
    let gone = Bench(ScriptedModel { asked, _ in asked.isTask ? nil : failure(.timeout) })
    let stopped = await make(COPRO.self, [:]).compile(gone.task(try Self.student()))
    #expect(stopped.stopped?.kind == .timeout)
    #expect(stopped.program == stopped.best?.evaluation.program)
  }

  @Test("a student that has all right ends it at once")
  func perfect() async throws {
    let bench = Bench(ScriptedModel(answer: { rightAnswer($0.question) }))
    let result = await make(COPRO.self).compile(bench.task(try Self.student()))
    #expect(result.trials.count == 1 && bench.model.calls == 40)
  }

  @Test("options have DSPy's names and defaults; a breadth of one leaves nothing to compare")
  func options() {
    let copro = make(COPRO.self)
    #expect(copro.breadth == 10 && copro.depth == 3 && copro.initTemperature == 1.4 && copro.scoresTrainset)
    #expect(settings(COPRO.self, ["breadth": 1]).1.map(\.path) == ["optimizer.breadth"])
    #expect(settings(COPRO.self, ["track_stats": true]).1.count == 1)
  }

  @Test("the simulated model's landscape is climbed")
  func simulated() async throws {
    let result = await make(COPRO.self, ["breadth": 6, "depth": 3]).compile(try simulatedTask())
    #expect((result.best?.result.score ?? 0) > (result.baseline?.result.score ?? 100) + 5)
  }
}
