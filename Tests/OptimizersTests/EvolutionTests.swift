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

private func sameSearch(
  _ a: SearchResult, _ b: SearchResult, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(summary(a) == summary(b), sourceLocation: sourceLocation)
  #expect(
    a.trials.map(\.evaluation.program) == b.trials.map(\.evaluation.program), sourceLocation: sourceLocation)
  #expect(a.trials.map(\.evaluation.rows) == b.trials.map(\.evaluation.rows), sourceLocation: sourceLocation)
  #expect(a.trials.map(\.evaluation.candidate) == b.trials.map(\.evaluation.candidate), sourceLocation: sourceLocation)
  #expect(a.program == b.program, sourceLocation: sourceLocation)
}

/// Both searches, as small as shows them at work.
private let searches: [(any Optimizer)] = [
  make(GEPA.self, ["max_metric_calls": 300]), make(Auto.self, ["max_rules": 12]),
]

@Suite("What searches know of candidates")
struct CandidateTests {
  @Test("fronts hold the best of each row; who is best nowhere alone is dominated")
  func fronts() {
    var front = ParetoFront()
    // Rows down, candidates across.
    let scores: [[Double]] = [[1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]]
    for (row, values) in scores.enumerated() {
      for (candidate, value) in values.enumerated() { front.note(value, of: candidate, at: .row(row)) }
    }
    #expect(front.candidates(at: .row(0)) == [0, 2])
    #expect(front.candidates(at: .row(2)) == [3])
    #expect(front.candidates(at: .row(3)) == [0, 1, 2, 3])
    let means = [0: 0.5, 1: 0.5, 2: 0.75, 3: 0.5]
    let left = front.undominated(means: means)
    #expect(left.map(\.candidate) == [2, 3])
    #expect(left.map(\.fronts) == [3, 2])
    var random = PythonRandom(seed: 1)
    let drawn = (0..<500).compactMap { _ in front.draw(means: means, random: &random) }
    #expect(Set(drawn) == [2, 3])
    #expect(abs(drawn.count { $0 == 2 } - 300) < 50)
    #expect(front.undominated(means: means, among: [0, 1]).map(\.candidate) == [0, 1])
  }

  @Test("a better value takes the front alone, an equal one joins it, a worse one leaves it")
  func frontValues() {
    var front = ParetoFront()
    for (candidate, value) in [(0, 0.5), (1, 0.5), (2, 0.25), (3, 0.75), (4, 0.75)] {
      front.note(value, of: candidate, at: .objective("brevity"))
    }
    #expect(front.candidates(at: .objective("brevity")) == [3, 4])
  }

  @Test("a merge takes each step from the side that changed it, and none is made twice")
  func merge() throws {
    let family = Merge.Family(
      parents: [[], [0], [0]], texts: [["a", "b"], ["A", "b"], ["a", "B"]], means: [0.2, 0.5, 0.4])
    var random = PythonRandom(seed: 0)
    let merge = try #require(Merge.find(family, pool: [1, 2], made: [], random: &random))
    #expect(merge.texts(family) == ["A", "B"])
    #expect(merge.ancestor == 0)
    #expect(Merge.find(family, pool: [1, 2], made: [merge], random: &random) == nil)
  }

  @Test("nothing is merged with an ancestor, where both sides are one, and where the ancestor is better")
  func noMerge() {
    var random = PythonRandom(seed: 0)
    let line = Merge.Family(
      parents: [[], [0], [1]], texts: [["a", "b"], ["A", "b"], ["A", "B"]], means: [0, 0.5, 0.6])
    #expect(Merge.find(line, pool: [1, 2], made: [], random: &random) == nil)
    let same = Merge.Family(parents: [[], [0], [0]], texts: [["a"], ["A"], ["B"]], means: [0, 0.5, 0.6])
    #expect(Merge.find(same, pool: [1, 2], made: [], random: &random) == nil)
    let worse = Merge.Family(
      parents: [[], [0], [0]], texts: [["a", "b"], ["A", "b"], ["a", "B"]], means: [0.9, 0.5, 0.4])
    #expect(Merge.find(worse, pool: [1, 2], made: [], random: &random) == nil)
    let known = Merge.Family(
      parents: [[], [0], [0], [0]], texts: [["a", "b"], ["A", "b"], ["a", "B"], ["A", "B"]], means: [0, 0.5, 0.4, 0.1])
    #expect(Merge.find(known, pool: [1, 2], made: [], random: &random) == nil)
  }

  @Test("every answer teaches about all parts that were in it")
  func parts() {
    var model = PartModel()
    let constant = model.add(mean: -0.5, deviation: 1.5)
    let effects = [1.2, -1.0, 0, 0.8, -0.6, 0.9]
    let features = effects.map { _ in model.add(mean: 0.15, deviation: 0.9) }
    let rows = (0..<40).map { _ in model.add(mean: 0, deviation: 1.5) }
    var random = PythonRandom(seed: 3)
    for step in 0..<400 {
      let used = features.indices.filter { _ in random.random() < 0.5 }
      let row = step % 40
      let level = -0.3 + used.reduce(0) { $0 + effects[$1] } + Double(row - 20) / 12
      model.observe([constant, rows[row]] + used.map { features[$0] }, level + random.random() - 0.5 > 0 ? 1 : 0)
    }
    for (feature, effect) in zip(features, effects) where effect != 0 {
      #expect(model.means[feature] * effect > 0, "\(model.means[feature]) for \(effect)")
      #expect(model.deviation(of: feature) < 0.5)
    }
    #expect(abs(model.means[features[2]]) < 0.5)
    #expect(model.chance([constant, features[0], rows[39]]) > model.chance([constant, features[1], rows[0]]))
    // What is certain is drawn as it is.
    let drawn = model.draw([features[0], features[1]], scale: 0, random: &random)
    #expect(drawn == [model.means[features[0]], model.means[features[1]]])
  }
}

@Suite("GEPA and auto", .timeLimit(.minutes(2)))
struct EvolutionTests {
  @Test("they find a better program, and say where each candidate came from", arguments: searches.indices)
  func improves(_ place: Int) async throws {
    let bench = Bench(ScriptedModel(delays: true), concurrency: 16)
    let result = await searches[place].compile(bench.task(try program(), val: rows(100..<160)))
    #expect(result.stopped == nil)
    let best = try #require(result.best)
    let baseline = try #require(result.baseline)
    #expect(best.result.rank > baseline.result.rank)
    #expect(best.evaluation.rows.sorted() == baseline.evaluation.rows.sorted())
    #expect(result.program == best.evaluation.program)
    let notes = result.trials.compactMap(\.evaluation.candidate)
    // What is learned from is a candidate that is known already.
    let looks = result.trials.filter { $0.evaluation.candidate == nil }
    #expect(
      looks.allSatisfy { $0.evaluation.key == "eval_minibatch" && $0.evaluation.coordinates["data"] == "trainset" })
    let numbers = Set(notes.map(\.number))
    #expect(notes.allSatisfy { numbers.isSuperset(of: $0.parents) })
    #expect(notes.allSatisfy { $0.verdict != .dropped || $0.reason != nil })
    #expect(
      bench.listener.all.contains {
        if case .summary(let text) = $0 { text.contains("It ended because") } else { false }
      })
  }

  @Test("they find the same at concurrency 1 and 64", arguments: searches.indices)
  func concurrency(_ place: Int) async throws {
    var found: [SearchResult] = []
    for concurrency in [1, 64] {
      let bench = Bench(ScriptedModel(delays: true), concurrency: concurrency)
      found.append(await searches[place].compile(bench.task(try program(twoSteps), val: rows(100..<150))))
    }
    sameSearch(found[0], found[1])
  }

  @Test(
    "stopped in the middle and done again, they end as if never stopped, and ask nothing twice",
    arguments: searches.indices, [60, 150, 190])
  func resumed(_ place: Int, _ call: Int) async throws {
    var asked = try program()
    asked.adapter = .chat
    let whole = Bench(cache: false)
    let expected = await searches[place].compile(whole.task(asked, val: rows(100..<150)))
    let answers = MemoryAnswerStore()
    let cut = Bench(
      ScriptedModel { _, number in number > call ? failure(.authentication) : nil }, concurrency: 1, cache: false,
      answers: answers)
    let part = await searches[place].compile(cut.task(asked, val: rows(100..<150)))
    #expect(part.stopped?.kind == .authentication)
    let rest = Bench(ScriptedModel(delays: true), concurrency: 32, cache: false, answers: answers)
    sameSearch(expected, await searches[place].compile(rest.task(asked, val: rows(100..<150))))
    #expect(rest.model.calls + call == whole.model.calls)
  }

  @Test("GEPA asks what its trials say, and no more than its budget", arguments: ["full", "race"])
  func spend(validation: String) async throws {
    let bench = Bench(cache: false, runID: nil)
    var asked = try program()
    asked.adapter = .chat
    let result = await make(GEPA.self, ["max_metric_calls": 400, "validation": .string(validation)]).compile(
      bench.task(asked, val: rows(100..<150)))
    let rows = result.trials.reduce(0) { $0 + $1.result.count }
    // The first rows are looked at once more, for the form of prompts.
    let looked = bench.listener.all.reduce(0) { sum, event in
      if case .adapterDecided(let decision) = event { sum + decision.tries.reduce(0) { $0 + $1.rows } } else { sum }
    }
    #expect(bench.model.asked.count { $0.isTask } == rows + looked)
    #expect(rows <= 400)
    let children = result.trials.filter {
      $0.evaluation.key == "eval_minibatch" && $0.evaluation.candidate?.gain != nil
    }
    let parents = result.trials.filter { $0.evaluation.candidate == nil }
    let accepted = children.filter { $0.evaluation.candidate?.verdict == .kept }
    let full = result.trials.filter { $0.evaluation.key == "eval_full" }
    #expect(full.count == accepted.count + 1)
    if validation == "full" { #expect(rows == 50 * full.count + 3 * (children.count + parents.count)) }
  }

  @Test("a student that has every row right ends the search", arguments: searches.indices)
  func perfect(_ place: Int) async throws {
    let bench = Bench(ScriptedModel(answer: { rightAnswer($0.question) }))
    let result = await searches[place].compile(bench.task(try program()))
    let student = try program()
    #expect(result.program.states == student.states)
    #expect(result.trials.count == 1)
    #expect(bench.model.asked.allSatisfy { $0.isTask })
  }

  @Test("a prompt model that writes nothing new ends GEPA and leaves auto its demos", arguments: searches.indices)
  func weakPromptModel(_ place: Int) async throws {
    let instructions = try program().states[0].instructions
    let bench = Bench(ScriptedModel(write: { _ in instructions }))
    let result = await searches[place].compile(bench.task(try program(), val: rows(100..<150)))
    #expect(result.stopped == nil)
    #expect(result.trials.allSatisfy { $0.evaluation.program.states[0].instructions == instructions })
    #expect(bench.listener.warnings.contains { $0.contains("could not be used") })
    if place == 1 { #expect(result.program.states[0].demos.count > 0) }
  }

  @Test("without a valset, and with one row", arguments: searches.indices)
  func fewRows(_ place: Int) async throws {
    let without = await searches[place].compile(Bench().task(try program(), val: nil))
    #expect(without.stopped == nil)
    #expect(without.baseline != nil)
    let one = await make(GEPA.self, ["max_metric_calls": 60]).compile(
      Bench().task(try program(), train: rows(0..<1), val: rows(100..<110)))
    #expect(one.stopped == nil)
  }

  @Test("rows that are all right end GEPA, unless they are not to be passed over", arguments: [true, false])
  func perfectTrainset(skips: Bool) async throws {
    let bench = Bench(
      ScriptedModel(answer: { $0.question.count < 4 ? rightAnswer($0.question) : "wrong" }))
    let result = await make(GEPA.self, ["max_metric_calls": 200, "skip_perfect_score": .bool(skips)]).compile(
      bench.task(try program()))
    #expect(result.stopped == nil)
    #expect(bench.model.asked.contains { $0.outputs == ["new_instruction"] } == !skips)
    let isTold = bench.listener.all.contains { event in
      if case .summary(let text) = event { text.contains("every row of the trainset was right") } else { false }
    }
    #expect(isTold == skips)
  }

  @Test("auto keeps to the calls that the budget has", arguments: [60, 150, 400])
  func budget(calls: Int) async throws {
    let bench = Bench(cache: false, budget: Budget(Budget.Limits(maxCalls: calls)))
    let result = await Auto().compile(bench.task(try program(), val: rows(100..<180)))
    #expect(result.stopped == nil, "\(String(describing: result.stopped))")
    #expect(bench.model.calls <= calls)
    #expect(result.baseline != nil)
    // The rows that confirm take no part in the search.
    let confirming = Set(result.baseline?.evaluation.rows ?? [])
    for trial in result.trials where trial.evaluation.coordinates["data"] == "valset" {
      #expect(confirming.isDisjoint(with: trial.evaluation.rows))
    }
  }

  @Test("the prompt model of auto sees rows of the trainset alone")
  func sealed() async throws {
    let bench = Bench()
    _ = await make(Auto.self, ["max_rules": 12]).compile(bench.task(try program(), val: rows(100..<180)))
    let shown = bench.model.asked.filter { !$0.isTask }.map(\.last)
    #expect(!shown.isEmpty)
    for row in 100..<180 { #expect(shown.allSatisfy { !$0.contains("q\(row)\n") }) }
  }

  @Test("a budget is given in one way, and is enough for the student")
  func settingsOfGEPA() {
    #expect(settings(GEPA.self, ["auto": "light", "max_full_evals": 3]).1.count == 1)
    let problems = ProblemList()
    make(GEPA.self, ["max_metric_calls": 20]).check(trainset: 10, valset: 50, at: "optimizer", problems: problems)
    #expect(problems.problems.map(\.path) == ["optimizer.max_metric_calls"])
  }

  @Test("DSPy's budgets", arguments: [(1, 100, 780), (1, 300, 1580), (3, 50, 1515)])
  func budgets(steps: Int, valset: Int, calls: Int) throws {
    let json: JSONValue =
      steps == 1
      ? oneStep
      : [
        "steps": [
          ["name": "a", "module": "Predict", "signature": "question -> x"],
          ["name": "b", "module": "Predict", "signature": "question, x -> y"],
          ["name": "c", "module": "Predict", "signature": "question, y -> answer"],
        ]
      ]
    let task = Bench().task(try program(json), val: rows(100..<(100 + valset)))
    #expect(make(GEPA.self, ["auto": "light"]).metricCalls(task) == calls)
  }

  @Test("a metric may answer objectives and what it has to say of single steps")
  func answers() throws {
    let score = try MetricScore(
      reply: [
        "score": 0.5, "feedback": "so so", "objectives": ["brevity": 0.25], "byPredictor": ["solve": "too long"],
      ],
      metric: "m")
    #expect(score.objectives == ["brevity": 0.25])
    #expect(score.predictorFeedback == ["solve": "too long"])
    #expect(throws: HoneError.self) {
      try MetricScore(reply: ["score": 1, "objectives": ["brevity": "short"]], metric: "m")
    }
    #expect(throws: HoneError.self) { try MetricScore(reply: ["score": 1, "byPredictor": ["solve": 3]], metric: "m") }
  }

  @Test("what is shown of a row says what was expected and what came")
  func failureText() throws {
    let text = FailureText(program: try program(), metric: ExactMatch())
    let wrong = ExampleResult(
      row: 0, score: 0, example: ["question": "q1", "answer": "right q1"], outputs: ["answer": "wrong"])
    let shown = text.text([wrong], predictor: 0)
    #expect(shown.contains("question: q1"))
    #expect(shown.contains("Expected right q1, but got wrong."))
    var said = wrong
    said.feedback = "Look at the unit."
    #expect(text.text([said], predictor: 0).contains("Verdict: Look at the unit."))
    said.predictorFeedback = ["self": "Ask first.", "predict": "Ask first."]
    #expect(text.text([said], predictor: 0).contains("Ask first."))
    let unreadable = ExampleResult(
      row: 0, score: nil, example: ["question": "q1", "answer": "x"],
      error: HoneError(.outputUnparsable, "No answer field."))
    #expect(
      text.text([unreadable], predictor: 0).contains(
        "could not be read: No answer field. Asked for: question -> answer"))
  }
}
