import Evaluation
import Failures
import JSON
import LanguageModels
@testable import Optimizers
import Programs
import Randomness
import Schema
import Testing

@Suite("LabeledFewShot", .timeLimit(.minutes(1)))
struct LabeledFewShotTests {
  @Test("each predictor gets k rows, drawn with seed 0 from one stream, and no model is asked")
  func draws() async throws {
    let bench = Bench()
    let train = rows(0..<30)
    let result = await make(LabeledFewShot.self, ["k": 5]).compile(
      bench.task(try program(twoSteps), train: train, val: nil))
    var random = PythonRandom(seed: 0)
    #expect(result.program.states[0].demos == random.sample(train, k: 5))
    #expect(result.program.states[1].demos == random.sample(train, k: 5))
    #expect(result.program.states[0].demos != result.program.states[1].demos)
    #expect(bench.model.calls == 0)
    #expect(result.best == nil && result.baseline == nil)
  }

  @Test("without sampling it takes the first rows, and never more than there are")
  func first() async throws {
    let train = rows(0..<3)
    let result = await make(LabeledFewShot.self, ["k": 16, "sample": false]).compile(
      Bench().task(try program(), train: train, val: nil))
    #expect(result.program.states[0].demos == train)
  }

  @Test("where there is a valset, student and outcome are scored on it")
  func scores() async throws {
    let bench = Bench()
    var asked = try program()
    asked.adapter = .chat
    let result = await make(LabeledFewShot.self, ["k": 5]).compile(bench.task(asked))
    #expect(result.trials.count == 2)
    #expect(result.baseline?.evaluation.program == asked)
    #expect(result.best?.evaluation.program == result.program)
    #expect(bench.model.calls == 80)
  }
}

@Suite("BootstrapFewShot", .timeLimit(.minutes(1)))
struct BootstrapFewShotTests {
  /// The rows that the scripted model solves without demos.
  private static func solved(_ train: [JSONObject]) -> [Int] {
    train.indices.filter { difficulty(train[$0]["question"]?.stringValue ?? "") < 30 }
  }

  private static func augmented(_ row: JSONObject) -> JSONObject { (["augmented": true] as JSONObject).merging(row) }

  @Test("the demos are those of going through the rows one by one, and no more rows are tried", arguments: [1, 8, 64])
  func byHand(concurrency: Int) async throws {
    let train = rows(0..<60)
    let bench = Bench(ScriptedModel(delays: true), concurrency: concurrency)
    let result = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 4, "max_labeled_demos": 0])
      .compile(bench.task(try program(), train: train, val: nil))
    let wanted = Array(Self.solved(train).prefix(4))
    try #require(wanted.count == 4)
    #expect(result.program.states[0].demos == wanted.map { Self.augmented(train[$0]) })
    #expect(Set(bench.model.asked.map(\.question)) == Set((0...wanted[3]).map { "q\($0)" }))
    #expect(bench.model.calls == wanted[3] + 1)
  }

  @Test("rows that gave no demo fill up to max_labeled_demos, shuffled and drawn with seed 0")
  func fills() async throws {
    let train = rows(0..<40)
    // The teacher shows labelled rows; right or wrong does not depend on them here.
    let bench = Bench(ScriptedModel(answer: { difficulty($0.question) < 30 ? rightAnswer($0.question) : "no" }))
    let result = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 2, "max_labeled_demos": 6])
      .compile(bench.task(try program(), train: train, val: nil))
    let own = Array(Self.solved(train).prefix(2))
    var rest = train.indices.filter { !own.contains($0) }.map { train[$0] }
    var random = PythonRandom(seed: 0)
    random.shuffle(&rest)
    var sampler = PythonRandom(seed: 0)
    #expect(result.program.states[0].demos == own.map { Self.augmented(train[$0]) } + sampler.sample(rest, k: 4))
  }

  @Test("while a row is tried it is not among the demos that the teacher shows")
  func hidden() async throws {
    let train = rows(0..<6)
    let bench = Bench(ScriptedModel(answer: { _ in "never right" }))
    _ = await make(BootstrapFewShot.self, ["max_labeled_demos": 16])
      .compile(bench.task(try program(), train: train, val: nil))
    #expect(bench.model.calls == 6)
    for asked in bench.model.asked {
      #expect(asked.demoCount == 5)
      #expect(!asked.demos.contains("\n\(asked.question)"))
    }
  }

  @Test("further rounds ask anew, with temperature 1")
  func rounds() async throws {
    let bench = Bench(
      ScriptedModel(answer: { $0.rollout == 2 ? rightAnswer($0.question) : "no" }), concurrency: 1)
    let result = await make(
      BootstrapFewShot.self, ["max_bootstrapped_demos": 1, "max_labeled_demos": 0, "max_rounds": 4]
    ).compile(bench.task(try program(), val: nil))
    #expect(bench.model.asked.map(\.rollout) == [0, 1, 2])
    #expect(bench.model.asked.map(\.temperature) == [nil, 1, 1])
    #expect(bench.model.asked.allSatisfy { $0.question == "q0" })
    #expect(result.program.states[0].demos.count == 1)
  }

  @Test("only answers at or above the threshold become demos")
  func threshold() async throws {
    let bench = Bench()
    let result = await make(
      BootstrapFewShot.self, ["metric_threshold": 1.5, "max_labeled_demos": 0]
    ).compile(bench.task(try program(), val: nil))
    #expect(result.program.states[0].demos.isEmpty)
    #expect(bench.model.calls == 30)
  }

  @Test("more failures than max_errors end it, with what failed last")
  func errors() async throws {
    let bench = Bench(ScriptedModel { _, _ in failure(.languageModelUnavailable) })
    let error = await make(BootstrapFewShot.self, ["max_errors": 3])
      .compile(bench.task(try program(), val: nil)).stopped
    #expect(error?.kind == .tooManyErrors)
    #expect(error?.details["causeKind"] == "languageModelUnavailable")
    #expect(bench.model.calls <= 8)
  }

  @Test("a bad key ends it at once, as such")
  func badKey() async throws {
    let bench = Bench(ScriptedModel { _, _ in failure(.authentication) })
    let error = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 3])
      .compile(bench.task(try program(), val: nil)).stopped
    #expect(error?.kind == .authentication)
    #expect(bench.model.calls <= 3)
  }

  @Test("a few failures only cost the rows that failed")
  func fewErrors() async throws {
    let train = rows(0..<60)
    let solved = Self.solved(train)
    let unlucky = train[solved[0]]["question"]?.stringValue
    let bench = Bench(ScriptedModel { asked, _ in asked.question == unlucky ? failure(.timeout) : nil })
    let result = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 2, "max_labeled_demos": 0])
      .compile(bench.task(try program(), train: train, val: nil))
    #expect(result.program.states[0].demos == solved[1...2].map { Self.augmented(train[$0]) })
  }

  @Test("each step of a pipeline gets the demos of its own part")
  func pipeline() async throws {
    let bench = Bench(ScriptedModel(answer: { rightAnswer($0.question) }))
    let result = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 2, "max_labeled_demos": 0])
      .compile(bench.task(try program(twoSteps), val: nil))
    #expect(
      result.program.states[0].demos == [
        ["augmented": true, "question": "q0", "query": "plain query"],
        ["augmented": true, "question": "q1", "query": "plain query"],
      ])
    #expect(
      result.program.states[1].demos.first == [
        "augmented": true, "question": "q0", "query": "plain query", "answer": .string(rightAnswer("q0")),
      ])
  }

  @Test("the student's own demos do not stay")
  func replaced() async throws {
    var student = try program()
    student.states[0].demos = [["question": "old", "answer": "old"]]
    let result = await make(BootstrapFewShot.self, ["max_bootstrapped_demos": 0, "max_labeled_demos": 2])
      .compile(Bench().task(student, val: nil))
    #expect(result.program.states[0].demos.count == 2)
    #expect(!result.program.states[0].demos.contains { $0["question"] == "old" })
  }
}

@Suite("BootstrapFewShotWithRandomSearch", .timeLimit(.minutes(1)))
struct RandomSearchTests {
  @Test("candidates are numbered from -3: no demos, labelled rows, an unshuffled bootstrap, shuffled ones")
  func candidates() async throws {
    let bench = Bench(ScriptedModel(delays: true), concurrency: 16)
    let result = await make(
      BootstrapFewShotWithRandomSearch.self,
      ["num_candidate_programs": 4, "max_bootstrapped_demos": 3, "max_labeled_demos": 5]
    ).compile(bench.task(try program()))
    #expect(result.trials.map { $0.evaluation.coordinates["seed"]?.intValue } == [-3, -2, -1, 0, 1, 2, 3])
    #expect(result.trials.map(\.number) == Array(1...7))
    #expect(result.trials.map { $0.evaluation.name } == (0..<7).map { "eval_\($0)" })
    let demos = result.trials.map { $0.evaluation.program.states[0].demos }
    #expect(demos[0].isEmpty)
    var random = PythonRandom(seed: 0)
    #expect(demos[1] == random.sample(rows(0..<30), k: 5))
    for (trial, seed) in zip(demos[3...], 0...) {
      var sizer = PythonRandom(seed: seed)
      #expect(trial.count { $0["augmented"] == true } <= sizer.randint(1...3))
      #expect(trial.count == 5)
    }
    #expect(result.baseline?.evaluation.coordinates["seed"] == -3)
    let scores = result.trials.map(\.result.score)
    #expect(result.best?.result.score == scores.compactMap(\.self).max())
    #expect(result.best?.number == (scores.firstIndex(of: scores.compactMap(\.self).max()) ?? -1) + 1)
    #expect(result.program == result.best?.evaluation.program)
    #expect(bench.listener.trials.map(\.number) == Array(1...7))
  }

  @Test("a score that satisfies ends the search")
  func stops() async throws {
    let bench = Bench(ScriptedModel(answer: { rightAnswer($0.question) }))
    let result = await make(
      BootstrapFewShotWithRandomSearch.self, ["num_candidate_programs": 10, "stop_at_score": 99]
    ).compile(bench.task(try program()))
    #expect(result.trials.count == 1)
    #expect(result.best?.result.score == 100)
  }

  @Test("the outcome does not depend on the concurrency", arguments: [8, 64])
  func deterministic(concurrency: Int) async throws {
    func search(_ concurrency: Int) async throws -> SearchResult {
      await make(BootstrapFewShotWithRandomSearch.self, ["num_candidate_programs": 5]).compile(
        Bench(ScriptedModel(delays: true), concurrency: concurrency).task(try program()))
    }
    let one = try await search(1)
    let many = try await search(concurrency)
    #expect(summary(one) == summary(many))
    #expect(one.program == many.program)
  }

  @Test("a spent budget leaves the best so far")
  func budget() async throws {
    let bench = Bench(budget: Budget(Budget.Limits(maxCalls: 150)))
    let result = await make(BootstrapFewShotWithRandomSearch.self).compile(bench.task(try program()))
    #expect(result.stopped?.kind == .budgetExhausted)
    #expect(!result.trials.isEmpty)
    #expect(result.program == result.best?.evaluation.program)
    #expect(bench.model.calls <= 150)
  }

  @Test("a candidate that an outage touched is never the best")
  func outage() async throws {
    // Whoever shows demos is right, but cannot be asked one row.
    let bench = Bench(
      ScriptedModel(
        answer: { $0.demoCount > 0 ? rightAnswer($0.question) : nil },
        fault: { asked, _ in asked.demoCount > 0 && asked.question == "q105" ? failure(.timeout) : nil }))
    let result = await make(BootstrapFewShotWithRandomSearch.self, ["num_candidate_programs": 2]).compile(
      bench.task(try program()))
    #expect(result.trials.contains { $0.result.score == 100 && $0.result.coverage < 1 })
    #expect(result.best?.evaluation.coordinates["seed"] == -3)
    #expect(result.stopped == nil)
    #expect(bench.listener.warnings.contains { $0.contains("not ranked") })
  }

  @Test("raced, the same candidates are compared with fewer calls, the same at any concurrency")
  func raced() async throws {
    func search(_ validation: JSONValue, _ concurrency: Int) async throws -> (SearchResult, Int) {
      // What demos are worth depends on which they are.
      let model = ScriptedModel(
        delays: true,
        answer: { asked in
          let skill = 30 + Int(fnv(asked.demos) % 50)
          return difficulty(asked.question) < skill ? rightAnswer(asked.question) : "no"
        })
      let bench = Bench(model, concurrency: concurrency)
      let result = await make(
        BootstrapFewShotWithRandomSearch.self, ["num_candidate_programs": 6, "validation": validation]
      ).compile(bench.task(try program(), val: rows(100..<200)))
      return (result, bench.model.calls)
    }
    let (full, fullCalls) = try await search("full", 16)
    let (raced, racedCalls) = try await search("race", 16)
    #expect(raced.trials.count == 9 && racedCalls < fullCalls)
    func programs(_ result: SearchResult) -> [Int: Program] {
      Dictionary(
        result.trials.map { ($0.evaluation.coordinates["seed"]?.intValue ?? 99, $0.evaluation.program) },
        uniquingKeysWith: { a, _ in a })
    }
    #expect(programs(raced) == programs(full))
    #expect((raced.best?.result.rank ?? 0) >= (full.best?.result.rank ?? 100) - 3)
    #expect(raced.best?.result.count == 100)
    #expect(summary(try await search("race", 1).0) == summary(raced))
  }

  @Test("a race ends with a score that satisfies, and resumes as it was")
  func racedEnds() async throws {
    let good = Bench(ScriptedModel(answer: { $0.demoCount > 0 ? rightAnswer($0.question) : nil }))
    let options: JSONObject = ["num_candidate_programs": 4, "validation": "race", "stop_at_score": 95]
    let result = await make(BootstrapFewShotWithRandomSearch.self, options).compile(good.task(try program()))
    #expect(result.best?.result.score == 100)
    #expect(result.trials.count { $0.result.count == 40 } == 2)
    let optimizer = make(BootstrapFewShotWithRandomSearch.self, ["num_candidate_programs": 4, "validation": "race"])
    var student = try program()
    student.adapter = .chat
    let whole = await optimizer.compile(Bench(cache: false).task(student))
    let answers = MemoryAnswerStore()
    let cut = Bench(cache: false, budget: Budget(Budget.Limits(maxCalls: 150)), answers: answers)
    let part = await optimizer.compile(cut.task(student))
    #expect(part.stopped?.kind == .budgetExhausted)
    let rest = await optimizer.compile(Bench(concurrency: 32, cache: false, answers: answers).task(student))
    #expect(summary(rest) == summary(whole))
    #expect(summary(part) == Array(summary(whole).prefix(part.trials.count)))
  }

  @Test("it goes by its short name too, and refuses what it does not know")
  func registry() {
    let problems = ProblemList()
    let optimizer = OptimizerRegistry.all.read(
      ["name": "BootstrapRS", "numCandidatePrograms": 3], at: "optimizer", problems)
    #expect((optimizer as? BootstrapFewShotWithRandomSearch)?.numCandidatePrograms == 3)
    #expect(problems.isEmpty)
    #expect(OptimizerRegistry.all.read(["name": "MIPRO2"], at: "optimizer", problems) == nil)
    #expect(problems.problems.first?.suggestion == "MIPROv2")
    #expect(OptimizerRegistry.all.read(["name": "MIPROv2", "numm_trials": 3], at: "o", problems) == nil)
    #expect(problems.problems.last?.suggestion == "num_trials")
  }
}

/// A search in lines that can be compared: name, score and coordinates of every trial.
func summary(_ result: SearchResult) -> [String] {
  result.trials.map { trial -> String in
    let coordinates = JSONValue.object(trial.evaluation.coordinates).text()
    return
      "\(trial.number) \(trial.evaluation.name) \(trial.result.score ?? -1) \(trial.bestSoFar ?? -1) \(coordinates)"
  }
}
