import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Synchronization
import Testing

@testable import HoneService
@testable import Jobs

@Suite("A metric of the client's", .timeLimit(.minutes(1)))
struct ClientMetricTests {
  private static let example: JSONObject = ["question": "2 + 2?", "answer": "4"]
  private static let outputs: JSONObject = ["answer": "5"]

  private func metric(
    _ peer: ScriptedPeer, _ fields: JSONObject = [:], store: (any CallbackStore)? = nil
  ) -> ClientMetric {
    let request = ClientMetricRequest.read(
      .object(JSONObject([("client", "close")]).merging(fields)), at: "metric", ProblemList())
    return ClientMetric(request ?? ClientMetricRequest(), callbacks: Callbacks(peer: peer, store: store))
  }

  private func score(_ metric: ClientMetric) async -> Result<MetricScore, HoneError> {
    do throws(HoneError) {
      return .success(try await metric.score(example: Self.example, outputs: Self.outputs))
    } catch {
      return .failure(error)
    }
  }

  private func failure(_ metric: ClientMetric) async -> HoneError? {
    if case .failure(let error) = await score(metric) { error } else { nil }
  }

  @Test(
    "what it may answer",
    arguments: [
      (true, 1, nil), (false, 0, nil), (0.25, 0.25, nil), (3, 3, nil),
      (["score": 0.5, "feedback": "half"], 0.5, "half"), (["score": true, "feedback": nil], 1, nil),
    ] as [(JSONValue, Double, String?)])
  func answers(answer: JSONValue, value: Double, feedback: String?) async throws {
    let score = try await score(metric(ScriptedPeer { _, _, _ in answer })).get()
    #expect(score.value == value && score.feedback == feedback)
  }

  @Test(
    "nonsense is a metric's failure that says what came",
    arguments: [
      nil, "0.5", [], [1], [:], ["score": "high"], ["score": 1, "feedback": 3], ["Score": 1],
    ] as [JSONValue])
  func nonsense(answer: JSONValue) async throws {
    let error = try #require(await failure(metric(ScriptedPeer { _, _, _ in answer })))
    #expect(error.kind == .metricFailed && error.message.contains("close"))
    #expect(!error.kind.endsRun)
  }

  @Test("it is asked with the example, the prediction and its options, within its time")
  func question() async throws {
    let peer = ScriptedPeer { _, _, _ in true }
    _ = try await score(metric(peer, ["timeout": 7, "options": ["strict": true]])).get()
    _ = try await score(metric(peer)).get()
    #expect(
      peer.questions == [
        .init(
          method: "metric/score",
          params: [
            "name": "close", "example": .object(Self.example), "prediction": .object(Self.outputs), "trace": nil,
            "options": ["strict": true],
          ], timeout: 7),
        .init(
          method: "metric/score",
          params: [
            "name": "close", "example": .object(Self.example), "prediction": .object(Self.outputs), "trace": nil,
          ], timeout: 120),
      ])
  }

  @Test(
    "each way to fail is told apart",
    arguments: [
      (CallbackFailure.refused(code: -32000, message: "no zero", data: nil), FailureKind.metricFailed, "no zero"),
      (.refused(code: -32601, message: "unknown", data: nil), .metricFailed, "does not serve metric/score"),
      (.timedOut(0.5), .metricFailed, "no answer within 0.5 s"), (.cancelled, .cancelled, "cancelled"),
      (.gone, .clientGone, "went away"),
    ])
  func failures(failure: CallbackFailure, kind: FailureKind, words: String) async throws {
    let peer = ScriptedPeer { _, _, _ throws(CallbackFailure) in throw failure }
    let error = try #require(await self.failure(metric(peer)))
    #expect(error.kind == kind && error.message.contains(words))
    #expect(error.kind.endsRun == [.cancelled, .gone].contains(failure))
  }

  @Test("an answer is kept for its run before it counts, and is not asked for again; nonsense is not kept")
  func kept() async throws {
    let store = KeptAnswers()
    let peer = ScriptedPeer { _, _, number in number == 0 ? "nonsense" : .double(Double(number) / 4) }
    let metric = metric(peer, store: store)
    func score(_ account: RunAccount, _ scope: String) async throws(HoneError) -> Double {
      let call = CallContext(account: account, scope: scope)
      let model = ModelClient(
        model: ClientModel(name: "m", peer: peer), configuration: ModelConfiguration(model: "m"),
        answers: MemoryAnswerStore())
      return try await metric.score(
        Scoring(
          example: Self.example, prediction: Prediction(outputs: Self.outputs, steps: []), predictors: [],
          isBootstrapping: false, context: ExecutionContext(model: model, call: call))
      ).value
    }
    await #expect(throws: HoneError.self) { try await score(RunAccount(runID: "r"), "row 1") }
    #expect(store.keys.isEmpty)
    #expect(try await score(RunAccount(runID: "r"), "row 1") == 0.25)
    #expect(try await score(RunAccount(runID: "r"), "row 2") == 0.5)
    #expect(peer.questions.count == 3 && store.keys.count == 2)
    let again = RunAccount(runID: "r", replays: store.keys)
    #expect(try await score(again, "row 2") == 0.5)
    #expect(try await score(again, "row 1") == 0.25)
    #expect(peer.questions.count == 3)
    // Another place of the run is another question, and so is another run.
    #expect(try await score(again, "row 3") == 0.75)
    #expect(try await score(RunAccount(runID: "s", replays: store.keys), "row 1") == 1)
  }
}

private final class KeptAnswers: CallbackStore {
  private let answers = Mutex<[ContentDigest: JSONValue]>([:])

  var keys: Set<ContentDigest> { answers.withLock { Set($0.keys) } }

  func callbackAnswer(for key: ContentDigest) throws(HoneError) -> JSONValue? { answers.withLock { $0[key] } }

  func keepCallback(_ answer: JSONValue, run: String, name: String, for key: ContentDigest) async throws(HoneError) {
    answers.withLock { answers in if answers[key] == nil { answers[key] = answer } }
  }
}
