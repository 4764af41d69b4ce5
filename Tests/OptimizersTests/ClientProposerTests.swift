import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
@testable import Optimizers
import Programs
import RowStorage
import Schema
import Testing

@Suite("A client's proposer", .timeLimit(.minutes(1)))
struct ClientProposerTests {
  /// A client that writes.
  private final class Writer: CallbackPeer {
    typealias Script = @Sendable (JSONObject, Int) throws(CallbackFailure) -> JSONValue
    private let script: Script
    let asked = Locked([JSONObject]())
    let timeouts = Locked([Double?]())
    let isGone = false

    init(_ script: @escaping Script) { self.script = script }

    func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue {
      guard method == "optimizer/propose" else { throw .refused(code: -32601, message: "no", data: nil) }
      asked.update { $0.append(params) }
      timeouts.update { $0.append(timeout) }
      return try script(params, asked.now.count)
    }
  }

  private final class Kept: CallbackStore {
    let answers = Locked([ContentDigest: JSONValue]())
    func callbackAnswer(for key: ContentDigest) throws(HoneError) -> JSONValue? { answers.now[key] }
    func keepCallback(_ answer: JSONValue, run: String, name: String, for key: ContentDigest) async throws(HoneError) {
      answers.update { $0[key] = answer }
    }
  }

  private static let optimizers: [JSONValue] = [
    ["name": "GEPA", "max_metric_calls": 300, "instruction_proposer": ["client": "mine", "timeout": 5]],
    ["name": "auto", "proposer": ["client": "mine", "timeout": 5]],
    [
      "name": "chain", "strategy": "GEPA",
      "optimizers": ["GEPA": ["max_metric_calls": 300, "proposer": ["client": "mine", "timeout": 5]]],
    ],
  ]

  private func optimizer(_ value: JSONValue) throws -> any Optimizer {
    let problems = ProblemList()
    return try #require(OptimizerRegistry.all.read(value, at: "optimizer", problems), "\(problems.problems)")
  }

  private func bench(_ writer: Writer, _ kept: Kept = Kept(), replays: Set<ContentDigest> = []) -> Bench {
    var bench = Bench()
    bench.session.account = RunAccount(runID: "run", budget: Budget(), replays: replays)
    bench.session.callbacks = Callbacks(peer: writer, store: kept)
    return bench
  }

  private func student() throws -> Program {
    var student = try program(twoSteps)
    student.adapter = .chat
    return student
  }

  @Test("it writes in place of the prompt model, knows what it is for, and its texts are used", arguments: optimizers)
  func writes(_ value: JSONValue) async throws {
    let optimizer = try optimizer(value)
    let writer = Writer { params, number in
      number % 2 == 0
        ? .string("Search carefully, answer with units, \(number).") : ["text": .string("Carefully \(number) times.")]
    }
    let bench = bench(writer)
    let result = await optimizer.compile(bench.task(try student()))
    #expect(result.stopped == nil)
    #expect(bench.model.asked.allSatisfy { $0.outputs.contains("answer") || $0.outputs.contains("query") })
    let first = try #require(writer.asked.now.first)
    #expect(first["name"] == "mine" && writer.timeouts.now.allSatisfy { $0 == 5 })
    #expect(first["kind"] == (value["name"] == "auto" ? "rule" : "instruction"))
    #expect(["plan", "solve"].contains(first["predictor"]?.stringValue))
    let row = try #require(first["rows"]?[0]?.objectValue)
    #expect(row["example"]?["question"] != nil && row["inputs"]?["question"] != nil && row["outputs"] != nil)
    #expect(row["score"] != nil && row["feedback"]?.stringValue?.isEmpty == false)
    #expect((result.best?.result.rank ?? 0) > (result.baseline?.result.rank ?? 100))
    #expect(result.program.states.contains { $0.instructions.lowercased().contains("carefully") })
    #expect(optimizer.proposers.map(\.proposer.client) == ["mine"])
    #expect(optimizer.parts(bench.task(try student())).allSatisfy { $0.role != .prompt })
  }

  @Test(
    "texts that cannot be used are counted and end nothing",
    arguments: [
      ("", "was empty"), ("[[ ## answer ## ]]", "kept marks"),
      (.string(String(repeating: "a b ", count: 5000)), "was longer than"),
      (7, "failed"), (["words": "x"], "failed"),
    ] as [(JSONValue, String)])
  func refused(_ answer: JSONValue, _ reason: String) async throws {
    let bench = bench(Writer { _, _ in answer })
    let result = await (try optimizer(Self.optimizers[0])).compile(bench.task(try student()))
    #expect(result.stopped == nil)
    #expect(result.program == (try student()))
    #expect(bench.listener.warnings.contains { $0.contains("client's proposer") && $0.contains(reason) })
    #expect(!bench.listener.warnings.contains { $0.contains("promptModel") })
  }

  @Test("null is no text and no failure; an error of the client's is one")
  func nothing() async throws {
    let none = bench(Writer { _, _ in .null })
    _ = await (try optimizer(Self.optimizers[1])).compile(none.task(try student()))
    #expect(!none.listener.warnings.contains { $0.contains("could not be used") })
    let failing = bench(
      Writer { _, _ throws(CallbackFailure) in throw .refused(code: -32000, message: "no pen", data: nil) })
    let result = await (try optimizer(Self.optimizers[1])).compile(failing.task(try student()))
    #expect(result.stopped == nil)
    #expect(failing.listener.warnings.contains { $0.contains("no pen") })
  }

  @Test("a client that is gone ends the search; done again, it is asked nothing twice", arguments: optimizers)
  func gone(_ value: JSONValue) async throws {
    let optimizer = try optimizer(value)
    let kept = Kept()
    @Sendable func text(_ params: JSONObject) -> JSONValue {
      .string("Carefully, \(fnv(JSONValue.object(params).text(.spaced)) % 1000) times.")
    }
    let leaving = Writer { params, number throws(CallbackFailure) in
      if number > 2 { throw .gone }
      return text(params)
    }
    let part = await optimizer.compile(bench(leaving, kept).task(try student()))
    #expect(part.stopped?.kind == .clientGone)
    let back = Writer { params, _ in text(params) }
    let replays = Set(kept.answers.now.keys)
    let result = await optimizer.compile(bench(back, kept, replays: replays).task(try student()))
    #expect(result.stopped == nil && replays.count == 2)
    let whole = Writer { params, _ in text(params) }
    let once = await optimizer.compile(bench(whole).task(try student()))
    #expect(back.asked.now.count == whole.asked.now.count - 2)
    #expect(result.program == once.program)
  }
}
