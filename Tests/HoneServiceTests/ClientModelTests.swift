import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Testing

@testable import HoneService
@testable import Jobs

@Suite("A language model of the client's", .timeLimit(.minutes(1)))
struct ClientModelTests {
  private let request = ModelRequest(prompt: Prompt([ChatMessage(.system, "Be brief."), ChatMessage(.user, "2 + 2?")]))

  private func complete(_ script: @escaping ScriptedPeer.Script) async -> Result<ModelReply, ModelFailure> {
    do throws(ModelFailure) {
      return .success(try await ClientModel(name: "m", peer: ScriptedPeer(script)).complete(request))
    } catch {
      return .failure(error)
    }
  }

  @Test(
    "what it may answer",
    arguments: [
      // Tokens that the client does not count are estimated: about four bytes each.
      ("4", ["4"], 4), (["text": "4"], ["4"], 4), (["choices": ["4", ["text": "four"]]], ["4", "four"], 4),
      (
        ["choices": [["message": ["content": "4"], "finish_reason": "stop"]], "usage": ["prompt_tokens": 9]], ["4"], 9
      ),
      (["text": "4", "usage": ["inputTokens": -3]], ["4"], 0),
    ] as [(JSONValue, [String], Int)])
  func answers(answer: JSONValue, texts: [String], input: Int) async throws {
    let reply = try await complete { _, _, _ in answer }.get()
    #expect(reply.texts == texts && reply.usage.inputTokens == input)
  }

  @Test(
    "nonsense is a malformed reply, for which it is not asked again",
    arguments: [
      nil, 4, [], [:], ["text": 4], ["choices": []], ["choices": "4"], ["choices": ["4", nil]],
      ["choices": [["message": ["content": nil]]]],
    ] as [JSONValue])
  func nonsense(answer: JSONValue) async throws {
    let failure = try #require(await failure { _, _, _ in answer })
    #expect(failure.error.kind == .malformedReply && failure.retry == .never)
  }

  @Test("it is asked with the messages and options, and the deadline is not its own")
  func question() async throws {
    let peer = ScriptedPeer { _, _, _ in "4" }
    _ = try await ClientModel(name: "m", peer: peer).complete(request)
    let params: JSONObject = [
      "name": "m",
      "messages": [["role": "system", "content": "Be brief."], ["role": "user", "content": "2 + 2?"]], "options": [:],
    ]
    #expect(peer.questions == [.init(method: "languageModel/complete", params: params, timeout: nil)])
  }

  private func failure(_ script: @escaping ScriptedPeer.Script) async -> ModelFailure? {
    if case .failure(let failure) = await complete(script) { failure } else { nil }
  }

  @Test(
    "each way to fail is told apart, and is worth another attempt or not",
    arguments: [
      (.refused(code: -32000, message: "x", data: nil), .languageModelUnavailable, .backOff),
      (.refused(code: -32000, message: "x", data: ["kind": "madeUp"]), .languageModelUnavailable, .backOff),
      // Not a model's to say: it would end the run.
      (.refused(code: -32000, message: "x", data: ["kind": "budgetExhausted"]), .languageModelUnavailable, .backOff),
      (.refused(code: -32000, message: "x", data: ["kind": "rateLimited", "retryAfter": 3]), .rateLimited, .after(3)),
      (.refused(code: -32000, message: "x", data: ["kind": "authentication"]), .authentication, .never),
      (.refused(code: -32000, message: "x", data: ["kind": "contextWindowExceeded"]), .contextWindowExceeded, .never),
      (.refused(code: -32601, message: "x", data: nil), .languageModelRejected, .never),
      (.timedOut(2), .timeout, .backOff), (.cancelled, .cancelled, .never), (.gone, .clientGone, .never),
    ] as [(CallbackFailure, FailureKind, RetryAdvice)])
  func failures(failure: CallbackFailure, kind: FailureKind, retry: RetryAdvice) async throws {
    let told = try #require(await self.failure { _, _, _ throws(CallbackFailure) in throw failure })
    #expect(told.error.kind == kind && told.retry == retry)
  }
}
