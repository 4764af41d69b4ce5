import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import RowStorage
import Simulation
import Testing

/// What two searches must have in common to be called the same.
private func sameSearch(
  _ a: SearchResult, _ b: SearchResult, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(summary(a) == summary(b), sourceLocation: sourceLocation)
  #expect(
    a.trials.map(\.evaluation.program) == b.trials.map(\.evaluation.program), sourceLocation: sourceLocation)
  #expect(a.trials.map(\.evaluation.rows) == b.trials.map(\.evaluation.rows), sourceLocation: sourceLocation)
  #expect(a.program == b.program, sourceLocation: sourceLocation)
}

private let small: JSONObject = ["num_candidates": 4, "num_trials": 8, "minibatch_size": 15]

@Suite("MIPROv2", .timeLimit(.minutes(1)))
struct MIPROv2Tests {
  // MARK: Outcome

  @Test("it finds a better program, chosen by full evaluations alone")
  func improves() async throws {
    let bench = Bench(ScriptedModel(delays: true), concurrency: 16)
    let result = await make(MIPROv2.self, ["auto": "light"]).compile(
      bench.task(try program(), val: rows(100..<200)))
    let baseline = try #require(result.baseline)
    let best = try #require(result.best)
    #expect(baseline.number == 1)
    #expect(baseline.evaluation.name == "eval_full_0")
    var asked = try program()
    asked.adapter = .chat
    #expect(baseline.evaluation.program == asked)
    #expect(best.evaluation.key == "eval_full")
    #expect(best.evaluation.rows == Array(0..<100))
    #expect(best.result.rank > baseline.result.rank)
    #expect(result.program == best.evaluation.program)
    let full = result.trials.filter { $0.evaluation.key == "eval_full" }
    #expect(best.result.score == full.compactMap(\.result.score).max())
    let minibatches = result.trials.filter { $0.evaluation.key == "eval_minibatch" }
    #expect(minibatches.allSatisfy { $0.evaluation.rows.count == 35 })
    #expect(result.stopped == nil)
    #expect(result.trials.map(\.number) == Array(1...result.trials.count))
    #expect(bench.listener.trials.count == result.trials.count)
  }

  @Test("with numbers given, as many trials and full evaluations are made as they say")
  func schedule() async throws {
    let result = await make(MIPROv2.self, small).compile(Bench().task(try program()))
    let keys = result.trials.map(\.evaluation.key)
    #expect(keys.count { $0 == "eval_minibatch" } == 7)
    let full = keys.count { $0 == "eval_full" }
    // The student, the first trial, one after five trials, one at the end.
    #expect(full >= 3 && full <= 4)
    #expect(keys.first == "eval_full")
    for trial in result.trials {
      #expect(Set(trial.evaluation.rows).count == trial.evaluation.rows.count)
    }
  }

  @Test("the first trial is the student with labelled demos alone, on the whole valset")
  func labeledFirst() async throws {
    let bench = Bench()
    let task = bench.task(try program())
    let result = await make(MIPROv2.self, small).compile(task)
    let first = try #require(result.trials.dropFirst().first { $0.evaluation.key == "eval_full" }).evaluation
    let expected = LabeledFewShot(k: 4).labeled(task.student, trainset: task.trainset)
    #expect(first.program.states.map(\.demos) == expected.states.map(\.demos))
    #expect(first.program.states.map(\.instructions) == task.student.states.map(\.instructions))
    #expect(first.coordinates == ["0_predictor_instruction": 0, "0_predictor_demos": 1])
    // Without labelled demos, or without demos at all, there is no such trial.
    for sizes: JSONObject in [["max_labeled_demos": 0], ["max_labeled_demos": 0, "max_bootstrapped_demos": 0]] {
      let other = await make(MIPROv2.self, small.merging(sizes)).compile(Bench().task(try program()))
      #expect(other.trials.count { $0.evaluation.key == "eval_minibatch" } == 8)
    }
  }

  @Test("a budget that is used up early still buys the score of labelled demos")
  func labeledWithinBudget() async throws {
    let bench = Bench(budget: Budget(Budget.Limits(maxCalls: 130)))
    let result = await make(MIPROv2.self, small).compile(bench.task(try program(), val: rows(100..<150)))
    #expect(result.stopped?.kind == .budgetExhausted)
    #expect(result.trials.prefix(2).map(\.evaluation.key) == ["eval_full", "eval_full"])
  }

  @Test("no combination is evaluated in full twice")
  func fullOnce() async throws {
    let bench = Bench()
    let result = await make(
      MIPROv2.self, ["num_candidates": 2, "num_trials": 12, "minibatch_size": 10, "minibatch_full_eval_steps": 1]
    ).compile(bench.task(try program()))
    let full = result.trials.filter { $0.evaluation.key == "eval_full" }.map(\.evaluation.coordinates).dropFirst()
    #expect(Set(full).count == full.count)
    #expect(result.trials.count { $0.evaluation.key == "eval_minibatch" } == 11)
  }

  @Test("the coordinates name the instruction and the demos that the trial's program has")
  func coordinates() async throws {
    let bench = Bench()
    let result = await make(MIPROv2.self, small).compile(bench.task(try program(twoSteps)))
    var texts: [String: String] = [:]
    var demos: [String: [JSONObject]] = [:]
    for trial in result.trials.dropFirst() {
      for index in 0..<2 {
        let instruction = try #require(trial.evaluation.coordinates["\(index)_predictor_instruction"]?.intValue)
        let set = try #require(trial.evaluation.coordinates["\(index)_predictor_demos"]?.intValue)
        let state = trial.evaluation.program.states[index]
        let textKey = "\(index) \(instruction)"
        let setKey = "\(index) \(set)"
        #expect(texts[textKey, default: state.instructions] == state.instructions)
        #expect(demos[setKey, default: state.demos] == state.demos)
        texts[textKey] = state.instructions
        demos[setKey] = state.demos
      }
    }
    let student = try program(twoSteps)
    for index in 0..<2 {
      #expect(texts["\(index) 0", default: student.states[index].instructions] == student.states[index].instructions)
      #expect(demos["\(index) 0", default: []].isEmpty)
    }
  }

  @Test("a pipeline's steps are tuned together, and it gets better")
  func pipeline() async throws {
    let bench = Bench(ScriptedModel(delays: true), concurrency: 32)
    let result = await make(MIPROv2.self, ["auto": "light", "seed": 0]).compile(
      bench.task(try program(twoSteps), val: rows(100..<180)))
    let best = try #require(result.best)
    #expect(best.result.rank > (result.baseline?.result.rank ?? 100))
    #expect(result.trials.count { $0.evaluation.key == "eval_minibatch" } >= 20)
  }

  @Test("zero-shot: no demos in any candidate, though proposals have seen some")
  func zeroShot() async throws {
    let bench = Bench(ScriptedModel(answer: { difficulty($0.question) < 50 ? rightAnswer($0.question) : "no" }))
    let result = await make(
      MIPROv2.self, ["auto": "light", "max_bootstrapped_demos": 0, "max_labeled_demos": 0]
    ).compile(bench.task(try program(), val: rows(100..<140)))
    #expect(result.trials.allSatisfy { $0.evaluation.program.states[0].demos.isEmpty })
    #expect(result.trials.allSatisfy { $0.evaluation.coordinates["0_predictor_demos"] == nil })
    #expect(bench.model.asked.contains { $0.last.contains("[[ ## solved_examples ## ]]") })
  }

  @Test("without minibatches every trial is a full evaluation, and there are no others")
  func wholeValset() async throws {
    let result = await make(
      MIPROv2.self, ["num_candidates": 4, "num_trials": 6, "minibatch": false]
    ).compile(Bench().task(try program()))
    #expect(result.trials.map { $0.evaluation.name } == (0...6).map { "eval_full_\($0)" })
    #expect(result.trials.allSatisfy { $0.evaluation.rows.count == 40 })
    #expect(result.best?.result.score == result.trials.compactMap(\.result.score).max())
  }

  @Test("without a valset it is split off the trainset, and rows of one are not asked for the other")
  func split() async throws {
    let bench = Bench()
    let result = await make(
      MIPROv2.self, ["num_candidates": 3, "num_trials": 3, "minibatch": false]
    ).compile(bench.task(try program(), train: rows(0..<25), val: nil))
    #expect(
      result.baseline?.result.examples.compactMap { $0.example["question"]?.stringValue }
        == (5..<25).map { "q\($0)" })
    for demo in result.trials.flatMap({ $0.evaluation.program.states[0].demos }) {
      #expect((0..<5).contains { demo["question"] == .string("q\($0)") })
    }
  }

  @Test("seed 0 is a seed of its own")
  func seedZero() async throws {
    func search(_ seed: JSONValue) async throws -> SearchResult {
      await make(MIPROv2.self, small.merging(["seed": seed])).compile(Bench().task(try program()))
    }
    let zero = try await search(0)
    let nine = try await search(9)
    #expect(zero.trials.map(\.evaluation.rows) != nine.trials.map(\.evaluation.rows))
    sameSearch(zero, try await search(0))
    sameSearch(nine, await make(MIPROv2.self, small).compile(Bench().task(try program())))
  }

  @Test("distinct executions never exceed the plan under auto", arguments: [0, 1, 2, 3])
  func executions(seed: Int) async throws {
    for structure in [oneStep, twoSteps] {
      let bench = Bench(concurrency: 32)
      let optimizer = make(MIPROv2.self, ["auto": "light", "seed": .int(seed)])
      let student = try program(structure)
      _ = await optimizer.compile(bench.task(student, val: rows(100..<160)))
      let plan = Plan(optimizer, trainset: 30, valset: 60, predictors: student.predictors.count)
      var distinct: Set<String> = []
      for info in bench.listener.started {
        let key = "\(info.program.states)"
        for row in info.rows { distinct.insert("\(row) \(key)") }
      }
      #expect(distinct.count <= plan.executions)
      #expect(bench.listener.all.contains { if case .planned(plan.executions) = $0 { true } else { false } })
    }
  }

  @Test("under auto trials are added only from what is left of the plan, all calls counted", arguments: [0, 1, 2, 3])
  func extensions(seed: Int) async throws {
    let bench = Bench(concurrency: 32)
    let optimizer = make(MIPROv2.self, ["auto": "light", "seed": .int(seed)])
    let task = bench.task(try program(), val: rows(100..<200))
    let result = await optimizer.compile(task)
    let plan = Plan(optimizer, trainset: 30, valset: 100, predictors: 1)
    let parts = optimizer.parts(task)
    let bootstrapped = try #require(parts.first { $0.name == "bootstrap" }).executions.lowerBound
    let prompts = parts.filter { $0.name == "propose" }.reduce(0) { $0 + $1.executions.lowerBound }
    let attempts = bench.listener.all.reduce(0) { sum, event in
      if case .demoSetReady(_, _, let attempts) = event { sum + attempts } else { sum }
    }
    let trials = result.trials.count { $0.evaluation.key == "eval_minibatch" }
    // The labelled demos' full evaluation stands for three.
    #expect(trials >= plan.trials - 3)
    // The last trial's proposal may be one too many.
    let allowed = plan.executions + bootstrapped + (attempts - bootstrapped + 1) / 2 + prompts + 1
    if trials > plan.trials { #expect(bench.model.calls <= allowed) }
  }

  @Test("the first third of the trials takes up new instructions and demo sets, later ones build on the best")
  func opening() async throws {
    let result = await make(MIPROv2.self, ["auto": "light"]).compile(Bench().task(try program(), val: rows(100..<200)))
    let trials = result.trials.filter { $0.evaluation.key == "eval_minibatch" }
    let chosen = { (trial: Trial, name: String) in trial.evaluation.coordinates["0_predictor_\(name)"]?.intValue }
    let opening = trials.prefix(3)
    #expect(Set(opening.map { chosen($0, "demos") }).count == 3)
    #expect(Set(opening.map { chosen($0, "instruction") }).count == 3)
    let proposed = try #require(opening.compactMap { chosen($0, "instruction") }.max())
    let later = trials.dropFirst(3)
    #expect(later.count { chosen($0, "instruction") ?? 0 > proposed } > later.count / 2)
    // Demo sets that the opening left out are taken up as well.
    #expect(Set(trials.map { chosen($0, "demos") }).count > 3)
  }

  // MARK: Determinism

  @Test("the search is the same whatever the concurrency and the order of replies", arguments: [oneStep, twoSteps])
  func deterministic(structure: JSONValue) async throws {
    func search(_ concurrency: Int, cache: Bool) async throws -> SearchResult {
      await make(MIPROv2.self, ["auto": "light"]).compile(
        Bench(ScriptedModel(delays: true), concurrency: concurrency, cache: cache)
          .task(try program(structure), val: rows(100..<160)))
    }
    let reference = try await search(1, cache: true)
    #expect(reference.trials.count > 10)
    sameSearch(reference, try await search(8, cache: true))
    sameSearch(reference, try await search(64, cache: true))
    sameSearch(reference, try await search(8, cache: false))
    sameSearch(reference, try await search(64, cache: false))
  }

  @Test(
    "done again with the answers of the first time, a search asks nothing and ends the same",
    arguments: [
      true, false,
    ])
  func again(cache: Bool) async throws {
    let answers = MemoryAnswerStore()
    // Right and wrong are a matter of chance: only stored answers can bring the same search about.
    func fickle() -> ScriptedModel {
      ScriptedModel(delays: true, answer: { Int.random(in: 0..<100) < 55 ? rightAnswer($0.question) : "no" })
    }
    let optimizer = make(MIPROv2.self, ["auto": "light"])
    let first = Bench(fickle(), concurrency: 8, cache: cache, answers: answers)
    let one = await optimizer.compile(first.task(try program(), val: rows(100..<160)))
    #expect(first.model.calls > 100)
    let second = Bench(fickle(), concurrency: 64, cache: cache, answers: answers)
    let two = await optimizer.compile(second.task(try program(), val: rows(100..<160)))
    #expect(second.model.calls == 0)
    sameSearch(one, two)
  }

  @Test("interrupted and done again, it ends as if it had never been interrupted")
  func resumed() async throws {
    let optimizer = make(MIPROv2.self, ["auto": "light"])
    var asked = try program()
    asked.adapter = .chat
    let whole = await optimizer.compile(Bench(cache: false).task(asked, val: rows(100..<160)))
    let answers = MemoryAnswerStore()
    let cut = Bench(cache: false, budget: Budget(Budget.Limits(maxCalls: 200)), answers: answers)
    let part = await optimizer.compile(cut.task(asked, val: rows(100..<160)))
    #expect(part.stopped?.kind == .budgetExhausted)
    let rest = Bench(ScriptedModel(delays: true), concurrency: 32, cache: false, answers: answers)
    let result = await optimizer.compile(rest.task(asked, val: rows(100..<160)))
    sameSearch(whole, result)
    #expect(summary(part) == Array(summary(whole).prefix(part.trials.count)))
  }

  @Test("raced full evaluations end where they cannot win; what they save goes into further trials", arguments: [0, 1])
  func raced(seed: Int) async throws {
    func search(_ concurrency: Int, _ options: JSONObject) async throws -> (SearchResult, Int) {
      let bench = Bench(ScriptedModel(delays: true), concurrency: concurrency)
      let result = await make(
        MIPROv2.self, (["validation": "race", "seed": .int(seed)] as JSONObject).merging(options)
      ).compile(bench.task(try program(), val: rows(100..<200)))
      let executions = Set(bench.model.asked.filter(\.isTask).map { "\($0.system)\($0.demos)\($0.question)" }).count
      return (result, executions)
    }
    let (one, executions) = try await search(4, ["auto": "light"])
    sameSearch(one, try await search(64, ["auto": "light"]).0)
    let full = one.trials.filter { $0.evaluation.key == "eval_full" }
    let dropped = full.filter { $0.evaluation.coordinates["dropped"] == true }
    #expect(dropped.allSatisfy { $0.result.count < 100 && $0.number != one.best?.number })
    #expect(full.filter { $0.evaluation.coordinates["dropped"] == nil }.allSatisfy { $0.result.count == 100 })
    #expect(one.best?.result.count == 100)
    #expect((one.best?.result.rank ?? 0) > (one.baseline?.result.rank ?? 100))
    // The plan, the form's and the bootstrapped rows.
    #expect(executions < 1000)
    // Where every trial is a full evaluation, many are dropped.
    let whole = try await search(8, ["num_candidates": 4, "num_trials": 8, "minibatch": false]).0
    #expect(whole.trials.contains { $0.evaluation.coordinates["dropped"] == true })
    #expect(whole.best?.result.count == 100)
  }

  // MARK: Failures

  @Test("a proposal that fails is left out and the search goes on")
  func failedProposals() async throws {
    let bench = Bench(
      ScriptedModel { asked, call in
        asked.outputs == ["proposed_instruction"] && call % 2 == 0 ? failure(.contextWindowExceeded) : nil
      })
    let result = await make(MIPROv2.self, small).compile(bench.task(try program()))
    #expect(result.stopped == nil)
    #expect(result.trials.count { $0.evaluation.key == "eval_minibatch" } == 7)
    #expect(bench.listener.warnings.contains { $0.contains("instructions could not be used: it failed") })
  }

  @Test("without any proposal demos alone are searched")
  func noProposals() async throws {
    let bench = Bench(ScriptedModel { asked, _ in asked.isTask ? nil : failure(.contextWindowExceeded) })
    let student = try program()
    let result = await make(MIPROv2.self, small).compile(bench.task(student))
    #expect(result.stopped == nil)
    #expect(result.trials.allSatisfy { $0.evaluation.program.states[0].instructions == student.states[0].instructions })
    #expect(Set(result.trials.map(\.evaluation.program)).count > 1)
  }

  @Test("a prompt model that is gone stops the search; back, it makes the one it would have been")
  func promptModelGone() async throws {
    let whole = await make(MIPROv2.self, small).compile(Bench(ScriptedModel()).task(try program()))
    let answers = MemoryAnswerStore()
    let bench = Bench(
      ScriptedModel { asked, _ in asked.isTask ? nil : failure(.languageModelUnavailable) }, answers: answers)
    let stopped = await make(MIPROv2.self, small).compile(bench.task(try program()))
    #expect(stopped.stopped?.kind == .languageModelUnavailable)
    sameSearch(whole, await make(MIPROv2.self, small).compile(Bench(answers: answers).task(try program())))
  }

  @Test("a prompt model that refuses its key ends the search")
  func badKey() async throws {
    let bench = Bench(ScriptedModel { asked, _ in asked.isTask ? nil : failure(.authentication) })
    let error = await make(MIPROv2.self, small).compile(bench.task(try program())).stopped
    #expect(error?.kind == .authentication)
  }

  @Test("what an outage touched is not ranked, and the search still ends within its plan", arguments: 0..<8)
  func outage(seed: Int) async throws {
    // Good instructions cannot be asked one of the rows, so no full evaluation of theirs is complete.
    let bench = Bench(
      ScriptedModel { asked, _ in
        asked.system.contains("carefully") && asked.question == "q105" ? failure(.timeout) : nil
      })
    let optimizer = make(MIPROv2.self, ["auto": "light", "seed": .int(seed)])
    let result = await optimizer.compile(bench.task(try program(), val: rows(100..<160)))
    #expect(result.stopped == nil)
    #expect(result.best?.result.coverage == 1)
    #expect(!result.program.states[0].instructions.contains("carefully"))
    let plan = Plan(optimizer, trainset: 30, valset: 60, predictors: 1)
    var distinct: Set<String> = []
    for info in bench.listener.started {
      for row in info.rows { distinct.insert("\(row) \(info.program.states)") }
    }
    #expect(distinct.count <= plan.executions)
  }

  @Test("a row without a label does not keep programs from being ranked")
  func unlabelledRow() async throws {
    var val = rows(100..<140)
    val[3]["answer"] = nil
    let bench = Bench()
    let result = await make(MIPROv2.self, small).compile(bench.task(try program(), val: val))
    #expect((result.best?.result.score ?? 0) > (result.baseline?.result.score ?? 100))
    #expect(result.best?.result.failed == 1)
  }

  @Test("a spent budget leaves the best so far and says why it stopped")
  func budget() async throws {
    let bench = Bench(budget: Budget(Budget.Limits(maxCalls: 150)))
    let result = await make(MIPROv2.self, ["auto": "light"]).compile(
      bench.task(try program(), val: rows(100..<160)))
    #expect(result.stopped?.kind == .budgetExhausted)
    #expect(result.best != nil)
    #expect(result.program == result.best?.evaluation.program)
    #expect((result.best?.result.score ?? 0) >= (result.baseline?.result.score ?? 100))
    #expect(bench.model.calls <= 150)
  }

  @Test("a budget spent before anything was scored leaves the student")
  func noBudget() async throws {
    let bench = Bench(budget: Budget(Budget.Limits(maxCalls: 5)))
    let student = try program()
    let result = await make(MIPROv2.self, small).compile(bench.task(student))
    #expect(result.stopped?.kind == .budgetExhausted)
    #expect(result.program == student && result.trials.isEmpty)
    #expect(bench.model.calls == 5)
  }

  @Test("cancelled, it ends soon with the best so far")
  func cancellation() async throws {
    let trials = Locked(0)
    let listener = Listener { event in
      if case .trialFinished = event { trials.update { $0 += 1 } }
    }
    let bench = Bench(ScriptedModel(delays: true), concurrency: 4, listener: listener)
    let task = bench.task(try program(), val: rows(100..<160))
    let optimizer = make(MIPROv2.self, ["auto": "heavy"])
    let work = Task { await optimizer.compile(task) }
    #expect(await eventually { trials.now >= 3 })
    work.cancel()
    let result = await work.value
    #expect(result.stopped?.kind == .cancelled)
    #expect(result.trials.count >= 3 && result.trials.count < 20)
    #expect(result.program == result.best?.evaluation.program)
  }

  @Test("the simulated model's landscape is climbed")
  func simulated() async throws {
    let train = rows(0..<30)
    let val = rows(100..<200)
    let model = SimulatedModel(
      knowledge: KnownRows(
        (train + val).map { row in
          (inputs: row.filter { $0 == "question" }, outputs: row.filter { $0 == "answer" })
        }))
    let client = ModelClient(model: model, configuration: .simulated, answers: MemoryAnswerStore())
    let bench = Bench(concurrency: 32)
    let task = CompileTask(
      student: try program(["module": "ChainOfThought", "signature": "question -> answer"]), trainset: Rows(train),
      valset: Rows(val), metric: ExactMatch(), taskModel: client, session: bench.session)
    let result = await make(MIPROv2.self, ["auto": "light"]).compile(task)
    #expect((result.best?.result.score ?? 0) > (result.baseline?.result.score ?? 100) + 5)
  }
}
