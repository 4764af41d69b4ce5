import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
@testable import Optimizers
import Programs
import RowStorage
import Schema
import Simulation
import Synchronization
import Testing
import Traces

/// A model that follows from the request alone: a question is answered rightly where its own difficulty is below the
/// skill that the instruction's words and the number of demos give. Asked for an instruction it writes one of a pool.
final class ScriptedModel: LanguageModel {
  struct Asked: Sendable {
    var system: String
    /// The messages of the demos, joined.
    var demos: String
    var demoCount: Int
    var last: String
    var outputs: [String]
    var rollout: Int
    var temperature: Double?

    var question: String { section("question", of: last) }
    var isTask: Bool { outputs.contains("answer") }
  }

  typealias Fault = @Sendable (_ asked: Asked, _ call: Int) -> ModelFailure?
  typealias Answer = @Sendable (_ asked: Asked) -> String?
  typealias Writing = @Sendable (_ asked: Asked) -> String?

  let identity = "scripted/tests"
  let endpoint: String
  private let delays: Bool
  private let fault: Fault
  private let answer: Answer
  private let write: Writing
  private let state = Mutex((asked: [Asked](), inFlight: 0, most: 0))

  /// - Parameters:
  ///   - delays: whether replies take a random time, so that they come in another order each time.
  ///   - fault: the failure of a call, if it fails; calls are counted from 1.
  ///   - answer: what to answer to a question in place of the rule above, if not nil.
  ///   - write: what to write in place of an instruction of the pool, of rules and of advice, if not nil.
  init(
    delays: Bool = false, answer: @escaping Answer = { _ in nil }, fault: @escaping Fault = { _, _ in nil },
    write: @escaping Writing = { _ in nil }
  ) {
    self.delays = delays
    self.answer = answer
    self.write = write
    self.fault = fault
    endpoint = "scripted \(UInt64.random(in: .min ... .max))"
  }

  /// A model by the rule above, some of whose calls fail.
  convenience init(_ fault: @escaping Fault) { self.init(delays: false, fault: fault) }

  var asked: [Asked] { state.withLock { $0.asked } }
  var calls: Int { state.withLock { $0.asked.count } }
  var mostInFlight: Int { state.withLock { $0.most } }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let asked = Self.read(request)
    let call = state.withLock { state in
      state.asked.append(asked)
      state.inFlight += 1
      state.most = max(state.most, state.inFlight)
      return state.asked.count
    }
    defer { state.withLock { $0.inFlight -= 1 } }
    do {
      if delays { try await Task.sleep(for: .microseconds(Int.random(in: 0...1500))) } else { await Task.yield() }
    } catch {
      throw ModelFailure(HoneError(.cancelled, "The request was cancelled."), retry: .never)
    }
    if let failure = fault(asked, call) { throw failure }
    var text = ""
    for name in asked.outputs { text += "[[ ## \(name) ## ]]\n\(value(of: name, asked))\n\n" }
    return ModelReply(
      texts: [text + "[[ ## completed ## ]]"], usage: TokenUsage(inputTokens: 20, outputTokens: 5))
  }

  private static func read(_ request: ModelRequest) -> Asked {
    let messages = request.prompt.shared.messages
    let last = request.prompt.own.last?.content ?? ""
    let reminder = last.split(separator: "Respond with ").last ?? ""
    let outputs = reminder.split(separator: "[[ ## ").dropFirst().compactMap { part in
      part.split(separator: " ## ]]").first.map(String.init)
    }
    return Asked(
      system: messages.first?.content ?? "", demos: messages.dropFirst().map(\.content).joined(separator: "\n"),
      demoCount: (messages.count - 1) / 2, last: last, outputs: outputs.filter { $0 != "completed" },
      rollout: request.rollout, temperature: request.options.temperature)
  }

  private func value(of name: String, _ asked: Asked) -> String {
    switch name {
    case "answer":
      if let answer = answer(asked) { return answer }
      return difficulty(asked.question) < skill(asked) ? rightAnswer(asked.question) : "wrong"
    case "query":
      return asked.system.contains("search") ? "good query" : "plain query"
    case "proposed_instruction", "new_instruction", "new_rule":
      if let text = write(asked) { return text }
      return Self.pool[Int(fnv(asked.last + "\(asked.rollout)") % UInt64(Self.pool.count))]
    case "natural_language_rules", "advice", "advice_1", "advice_2":
      if let text = write(asked) { return text }
      let first = Int(fnv(asked.last + "\(asked.rollout) \(name)") % UInt64(Self.pool.count))
      return (0..<3).map { Self.pool[(first + $0) % Self.pool.count] }.joined(separator: "\n")
    default:
      return "Some text about \(name)."
    }
  }

  static let pool = [
    "Answer carefully.", "Guess the answer.", "Answer with units.", "Answer carefully, with units.",
    "Just say something.", "First search, then answer.", "Search carefully.", "Be quick.",
  ]

  private func skill(_ asked: Asked) -> Int {
    let text = asked.system.lowercased()
    var skill = 30 + 3 * min(asked.demoCount, 5)
    if text.contains("carefully") { skill += 20 }
    if text.contains("with units") { skill += 15 }
    if text.contains("guess") { skill -= 20 }
    if asked.last.contains("good query") { skill += 15 }
    return skill
  }
}

func fnv(_ text: String) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return hash ^ (hash >> 29)
}

/// From 0 to 99.
func difficulty(_ question: String) -> Int { Int(fnv("difficulty " + question) % 100) }
func rightAnswer(_ question: String) -> String { "right \(question)" }

/// The text under a header in a message.
func section(_ name: String, of message: String) -> String {
  guard let rest = message.split(separator: "[[ ## \(name) ## ]]\n", omittingEmptySubsequences: false).dropFirst().first
  else { return "" }
  return String(rest.split(separator: "\n", omittingEmptySubsequences: false).first ?? "")
}

func rows(_ range: Range<Int>) -> [JSONObject] {
  range.map { ["question": .string("q\($0)"), "answer": .string(rightAnswer("q\($0)"))] }
}

let oneStep: JSONValue = ["module": "Predict", "signature": "question -> answer"]
let twoSteps: JSONValue = [
  "steps": [
    ["name": "plan", "module": "Predict", "signature": "question -> query"],
    ["name": "solve", "module": "Predict", "signature": "question, query -> answer"],
  ]
]

func program(_ json: JSONValue = oneStep) throws -> Program {
  let problems = ProblemList()
  let module = Module.read(json, path: "program", problems: problems)
  return Program(try #require(module, "\(problems.problems)"))
}

/// Keeps what it is told, and may act on it.
final class Listener: EventSink {
  private let events = Mutex([EngineEvent]())
  private let react: @Sendable (EngineEvent) async -> Void

  init(_ react: @escaping @Sendable (EngineEvent) async -> Void = { _ in }) { self.react = react }

  var all: [EngineEvent] { events.withLock { $0 } }

  func emit(_ event: EngineEvent) async {
    events.withLock { $0.append(event) }
    await react(event)
  }

  var started: [EvaluationInfo] {
    all.compactMap { if case .evaluationStarted(let info) = $0 { info } else { nil } }
  }
  var warnings: [String] {
    all.compactMap { if case .warning(let text) = $0 { text } else { nil } }
  }
  var trials: [Trial] {
    all.compactMap { if case .trialFinished(let trial) = $0 { trial } else { nil } }
  }
  /// The events of evaluations by name, for comparing sequences.
  var evaluationEvents: [String] {
    all.compactMap { event in
      switch event {
      case .evaluationStarted: "started"
      case .exampleFinished(_, let result): "example \(result.row)"
      case .evaluationFinished: "finished"
      case .evaluationStopped(_, _, let error): "stopped \(error.kind.rawValue)"
      default: nil
      }
    }
  }
}

final class TraceList: TraceSink {
  private let traces = Mutex([Trace]())
  var all: [Trace] { traces.withLock { $0 } }
  func record(_ trace: Trace) async { traces.withLock { $0.append(trace) } }
}

/// What a test needs around an evaluation or a search.
struct Bench {
  var model: ScriptedModel
  var client: ModelClient
  var session: EngineSession
  var listener: Listener
  var traces = TraceList()

  init(
    _ model: ScriptedModel = ScriptedModel(), concurrency: Int = 8, cache: Bool = true, runID: String? = "run",
    budget: Budget = Budget(), answers: any AnswerStore = MemoryAnswerStore(), maxErrors: Int? = nil,
    listener: Listener = Listener(), change: (inout ModelConfiguration) -> Void = { _ in }
  ) {
    self.model = model
    self.listener = listener
    var configuration = ModelConfiguration(model: "scripted/tests")
    configuration.retries = 0
    configuration.cache = cache
    change(&configuration)
    client = ModelClient(model: model, configuration: configuration, answers: answers)
    session = EngineSession(
      runID: runID, experimentID: "7", account: RunAccount(runID: runID, budget: budget), concurrency: concurrency,
      events: listener, traces: traces, maxErrors: maxErrors)
  }

  func task(
    _ student: Program, train: [JSONObject] = rows(0..<30), val: [JSONObject]? = rows(100..<140)
  ) -> CompileTask {
    CompileTask(
      student: student, trainset: Rows(train), valset: val.map { Rows($0) }, metric: ExactMatch(), taskModel: client,
      session: session)
  }

  func evaluate(_ program: Program, _ examples: [JSONObject]) async throws(HoneError) -> EvaluationResult {
    let info = EvaluationInfo(
      run: session.runID, key: "eval", index: 0, program: program, rows: Array(examples.indices),
      metric: "exact_match")
    return try await Evaluator(session: session, model: client, metric: ExactMatch()).evaluate(
      info, examples: Rows(examples))
  }
}

/// An optimizer as a request asks for it, with everything that is wrong with the request.
func settings<Kind: Optimizer>(_ type: Kind.Type, _ object: JSONObject = [:]) -> (Kind, [Problem]) {
  let problems = ProblemList()
  return (Kind.read(.object(object), at: "optimizer", problems) ?? Kind(), problems.problems)
}

func make<Kind: Optimizer>(
  _ type: Kind.Type, _ object: JSONObject = [:], sourceLocation: SourceLocation = #_sourceLocation
) -> Kind {
  let (optimizer, problems) = settings(type, object)
  #expect(problems.isEmpty, "\(problems)", sourceLocation: sourceLocation)
  return optimizer
}

func failure(_ kind: FailureKind) -> ModelFailure {
  ModelFailure(HoneError(kind, "It failed (\(kind.rawValue))."), retry: .never)
}

/// The error that `body` throws, or nil.
func errorOf(_ body: () async throws -> some Any) async -> HoneError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return HoneError(wrapping: error)
  }
}

/// Waits until something holds; false if it does not within ten seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
  for _ in 0..<10_000 {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return condition()
}

/// A value behind a lock that tasks may share.
final class Locked<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
  var now: Value { value.withLock { $0 } }
  func set(_ new: Value) { value.withLock { $0 = new } }
  func update(_ change: (inout Value) -> Void) {
    value.withLock { value in
      var copy = value
      change(&copy)
      value = copy
    }
  }
}

/// A task on the simulated model's landscape, all of whose answers follow from its content.
func simulatedTask(
  train: [JSONObject] = rows(0..<60), val: [JSONObject] = rows(100..<200), bench: Bench = Bench(concurrency: 32)
) throws -> CompileTask {
  let model = SimulatedModel(
    knowledge: KnownRows(
      (train + val).map { row in (inputs: row.filter { $0 == "question" }, outputs: row.filter { $0 == "answer" }) }))
  let client = ModelClient(model: model, configuration: .simulated, answers: MemoryAnswerStore())
  var student = try program(["module": "ChainOfThought", "signature": "question -> answer"])
  student.adapter = .chat
  return CompileTask(
    student: student, trainset: Rows(train), valset: Rows(val), metric: ExactMatch(), taskModel: client,
    session: bench.session)
}
