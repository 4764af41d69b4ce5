import Foundation
import Hone
import Synchronization
import Testing

/// The library as another package sees it: what is public, and nothing else.
@Suite("The library", .timeLimit(.minutes(2)))
struct LibraryTests {
  private func withWorkspace<Value>(_ body: (Workspace, String) async throws -> Value) async throws -> Value {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent("hone-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: home) }
    let workspace = Workspace(home: home)
    do {
      let value = try await body(workspace, home)
      await workspace.close()
      return value
    } catch {
      await workspace.close()
      throw error
    }
  }

  private let trainset = Dataset.named("word-problems", split: "train", limit: 24)
  private let valset = Dataset.named("word-problems", split: "val", limit: 16)

  /// The digits of the answer are those of the example.
  private let digits = Metric("digits") { example, outputs in
    let said = outputs["answer"]?.stringValue?.filter(\.isNumber)
    return said == example["answer"]?.stringValue?.filter(\.isNumber)
  }

  @Test("parts of a program may share a tool; two tools of one name are refused")
  func toolNames() throws {
    func part(_ description: String) throws -> Program {
      try .react(
        "question -> answer", tools: [Tool("look", description, arguments: [:]) { _ in "x" }])
    }
    func whole(_ other: String) throws -> Program {
      try Program(name: "both", predictors: ["a": part("Looks."), "b": part(other)], inputs: ["question"]) {
        inputs, _ in
        inputs
      }
    }
    #expect(try whole("Looks.").predictors.count > 1)
    let error = #expect(throws: HoneError.self) { try whole("Looks elsewhere.") }
    #expect(error?.message.contains("look") == true)
  }

  @Test("estimates a search without asking, and the search keeps within it")
  func estimate() async throws {
    try await withWorkspace { workspace, _ in
      let program = try Program("question -> answer")
      let optimizer = Optimizer.bootstrapFewShotWithRandomSearch(numCandidatePrograms: 2)
      let estimate = try await workspace.estimate(
        program, with: optimizer, trainset: trainset, valset: valset, metric: digits, model: .simulated,
        secondsPerReply: 2, tokensPerReply: 10)
      #expect(try await workspace.runs().isEmpty)
      let found = try await workspace.compile(
        program, with: optimizer, trainset: trainset, valset: valset, metric: digits, model: .simulated)
      let calls = Double(found.ending.usage.total.calls + found.ending.usage.total.cached)
      #expect(estimate.calls.least <= calls)
      #expect(try #require(estimate.calls.most) >= calls)
      #expect(estimate.seconds.least == estimate.calls.least * 2 / 8)
      await #expect(throws: HoneError.self) {
        try await workspace.estimate(
          program, with: optimizer, trainset: [], valset: valset, metric: digits, model: .simulated)
      }
    }
  }

  @Test("compiles with a metric of one's own, tracks it, and keeps the best program")
  func compile() async throws {
    try await withWorkspace { workspace, home in
      let trials = Mutex<[Int]>([])
      let found = try await workspace.compile(
        try Program("question -> answer"), with: .bootstrapFewShotWithRandomSearch(numCandidatePrograms: 2),
        trainset: trainset, valset: valset, metric: digits, model: .simulated,
        options: RunOptions(experiment: "library", runName: "first", tags: ["who": "me"])
      ) { event in
        if case .trial(let trial) = event { trials.withLock { $0.append(trial.number) } }
      }
      #expect(found.status == .finished)
      #expect(found.trials.count == 5)
      #expect(trials.withLock { $0 } == found.trials.map(\.number))
      #expect(try #require(found.score) >= #require(found.baselineScore))
      #expect(found.ending.isSimulated)
      #expect(found.ending.usage.total.calls > 0)

      let run = try await workspace.run(try #require(found.runID))
      #expect(run.name == "first")
      #expect(run.param("metric") == "digits")
      #expect(run.metric("score") == found.score)
      #expect(run.tag("who") == "me")
      #expect(try await workspace.runs(filter: "tags.mlflow.parentRunId = '\(run.runID)'").count == 5)

      let best = try found.program()
      #expect(best.predictors.first?.demos.isEmpty == false)
      #expect(try await workspace.program(ofRun: run.runID).state == best.state)
      try best.write(to: home + "/best.json")
      #expect(try Program(contentsOf: home + "/best.json").predictors == best.predictors)
      let answer = try await workspace.predict(best, ["question": "What is 2 + 2?"], model: .simulated)
      #expect(answer.outputs["answer"] != nil)
      #expect(answer.traceID?.hasPrefix("tr-") == true)
    }
  }

  @Test("evaluates a model and a metric of one's own, with feedback")
  func evaluate() async throws {
    try await withWorkspace { workspace, _ in
      let rows: Dataset = [
        ["question": "a", "answer": "A"], ["question": "b", "answer": "B"], ["question": "c", "answer": "x"],
      ]
      let asked = Mutex(0)
      let shouting = Model(function: "shouting") { messages in
        asked.withLock { $0 += 1 }
        let question = messages.last?.content.split(separator: "\n").first { ["a", "b", "c"].contains($0) } ?? ""
        return "[[ ## answer ## ]]\n\(question.uppercased())\n\n[[ ## completed ## ]]"
      }
      let metric = Metric("same") { example, outputs in
        Score(example["answer"] == outputs["answer"], feedback: "compared")
      }
      let result = try await workspace.evaluate(
        try Program("question -> answer", module: .predict), on: rows, metric: metric, model: shouting,
        options: RunOptions(adapter: .chat))
      #expect(result.figures.score == 66.67)
      #expect(result.results.map(\.score) == [1, 1, 0])
      #expect(result.results.first?.feedback == "compared")
      #expect(asked.withLock { $0 } == 3)
    }
  }

  @Test("a program of one's own code is optimized, and its parts are its predictors")
  func hostProgram() async throws {
    try await withWorkspace { workspace, _ in
      var part = try Program("question -> answer")
      part.predictors[0].instructions = "Add."
      let program = try Program(name: "Twice", predictors: ["solve": part], inputs: ["question"]) { inputs, execution in
        _ = try await execution.predict("solve", inputs)
        return try await execution.predict("solve", inputs)
      }
      let found = try await workspace.compile(
        program, with: .labeledFewShot(k: 2), trainset: trainset,
        valset: .named("word-problems", split: "val", limit: 4),
        metric: digits, model: .simulated)
      #expect(found.status == .finished)
      let best = try program.loading(found.state)
      #expect(best.predictors.map(\.name) == ["solve.predict"])
      #expect(best.predictors.map(\.instructions) == ["Add."])
      #expect(best.predictors.first?.demos.count == 2)
      #expect(
        try await workspace.predict(best, ["question": "What is 1 + 1?"], model: .simulated).outputs["answer"] != nil)
    }
  }

  @Test("a tool is called, and what it throws is told to the model")
  func tools() async throws {
    try await withWorkspace { workspace, _ in
      let called = Mutex<[JSONObject]>([])
      let add = Tool("add", "Adds two numbers.", arguments: ["a": "a number", "b": "a number"]) { arguments in
        called.withLock { $0.append(arguments) }
        return .double((arguments["a"]?.doubleValue ?? 0) + (arguments["b"]?.doubleValue ?? 0))
      }
      let turn = Mutex(0)
      let model = Model(function: "scripted") { _ in
        let number = turn.withLock { turn in
          turn += 1
          return turn
        }
        func sections(_ values: [(String, String)]) -> String {
          values.map { "[[ ## \($0.0) ## ]]\n\($0.1)\n" }.joined(separator: "\n") + "\n[[ ## completed ## ]]"
        }
        switch number {
        case 1:
          return sections([
            ("next_thought", "add"), ("next_tool_name", "add"), ("next_tool_args", #"{"a": 2, "b": 3}"#),
          ])
        case 2: return sections([("next_thought", "done"), ("next_tool_name", "finish"), ("next_tool_args", "{}")])
        default: return sections([("reasoning", "2 + 3"), ("answer", "5")])
        }
      }
      let program = try Program.react("question -> answer", tools: [add])
      let answer = try await workspace.predict(program, ["question": "2 + 3?"], model: model)
      #expect(answer.outputs["answer"] == "5")
      #expect(called.withLock { $0 } == [["a": 2, "b": 3]])
    }
  }

  @Test("a judge may have a model of one's own, and a score that is no number fails its example")
  func judgesAndScores() async throws {
    try await withWorkspace { workspace, _ in
      let rows: Dataset = [["question": "a", "answer": "A"]]
      let model = Model(function: "wise") { _ in "[[ ## score ## ]]\n1.0\n\n[[ ## completed ## ]]" }
      let judge = Metric.judge(
        try Program("question, answer -> score: float", module: .predict), model: model, name: "judged")
      let program = try Program("question -> answer", module: .predict)
      let judged = try await workspace.evaluate(program, on: rows, metric: judge, model: .simulated)
      #expect(judged.figures.score == 100)

      let broken = Metric("broken") { example, _ in example["question"] == "a" ? Double.nan : 1 }
      let two: Dataset = [["question": "a", "answer": "A"], ["question": "b", "answer": "B"]]
      let failed = try await workspace.evaluate(program, on: two, metric: broken, model: .simulated)
      #expect(failed.figures.failed == 1 && failed.figures.score == 50)
      #expect(failed.results.first?.error?.message.contains("nan") == true)
      // Where nothing is judged there is no score, and no success.
      let error = await #expect(throws: HoneError.self) {
        try await workspace.evaluate(program, on: rows, metric: broken, model: .simulated)
      }
      #expect(error?.kind == .metricFailed)
    }
  }

  @Test("everything that is wrong is said at once, before any model is asked")
  func refused() async throws {
    try await withWorkspace { workspace, _ in
      let error = await #expect(throws: HoneError.self) {
        try await workspace.compile(
          try Program("question -> answer"), with: Optimizer("MIPROv3", settings: ["k": 3]),
          trainset: [["frage": "x", "answer": "y"]], metric: Metric("exct_match"), model: .simulated)
      }
      #expect(error?.kind == .invalidParams)
      let places = error?.problems.map(\.path) ?? []
      #expect(places.contains("optimizer.name") && places.contains("metric.name") && places.contains("trainset[0]"))
      let wrong = #expect(throws: HoneError.self) { try Program("question -> ") }
      #expect(wrong?.problems.first?.path == "program.signature")
    }
  }

  @Test("a spent budget leaves a run that goes on with the same functions, and asks nothing twice")
  func resume() async throws {
    try await withWorkspace { workspace, _ in
      let scored = Mutex(0)
      let metric = Metric("counted") { example, outputs in
        scored.withLock { $0 += 1 }
        return outputs["answer"]?.stringValue?.contains(example["answer"]?.stringValue ?? "?") == true
      }
      let program = try Program("question -> answer")
      let search = Optimizer.bootstrapFewShotWithRandomSearch(numCandidatePrograms: 1)
      let whole = try await workspace.compile(
        program, with: search, trainset: trainset, valset: valset, metric: metric, model: .simulated)
      let all = scored.withLock { scored in
        defer { scored = 0 }
        return scored
      }
      let first = try await workspace.compile(
        program, with: search, trainset: trainset, valset: valset, metric: metric,
        model: Model("simulated", cache: false),
        options: RunOptions(budget: Budget(maxCalls: 40)))
      #expect(first.status == .budgetExhausted)
      #expect(first.ending.error?.kind == .budgetExhausted)
      let run = try #require(first.runID)

      let without = await #expect(throws: HoneError.self) {
        try await workspace.resume(run, budget: Budget(maxCalls: 4000))
      }
      #expect(without?.problems.map(\.path) == ["metric.client"])
      #expect(without?.message.contains("This call was given no metric \"counted\"") == true)

      let ended = try await workspace.resume(run, metric: metric, budget: Budget(maxCalls: 4000))
      guard case .compile(let result) = ended else { return #expect(Bool(false), "another kind of result") }
      #expect(result.status == .finished)
      #expect(result.score == whole.score)
      #expect(scored.withLock { $0 } == all)

      // Whoever watches a run that has ended gets its result.
      var last: RunEvent?
      for try await event in workspace.watch(run) { last = event }
      guard case .ended(.compile(let watched)) = last else { return #expect(Bool(false), "no result") }
      #expect(watched.score == result.score)
    }
  }

  @Test("a run is watched while it goes on, and stopped from outside")
  func watchAndCancel() async throws {
    try await withWorkspace { workspace, _ in
      let started = Mutex<String?>(nil)
      let slow = Metric("slow") { _, _ in
        try await Task.sleep(for: .milliseconds(20))
        return true
      }
      async let result = workspace.evaluate(
        try Program("question -> answer"), on: .named("word-problems", split: "train"), metric: slow, model: .simulated,
        options: RunOptions(concurrency: 1)
      ) { event in
        if case .progress(let report) = event { started.withLock { $0 = report.runID } }
      }
      while started.withLock({ $0 }) == nil { try await Task.sleep(for: .milliseconds(5)) }
      let run = try #require(started.withLock { $0 })
      var seen = 0
      for try await event in workspace.watch(run) {
        if case .example = event { seen += 1 }
        if seen == 3 { break }
      }
      guard case .evaluate(let stopped) = try await workspace.cancel(run) else { return #expect(Bool(false)) }
      #expect(stopped.status == .cancelled)
      #expect(stopped.figures.count < 120)
      #expect(try await result.runID == run)
    }
  }
}
