import Failures
import JSON
import LanguageModels
import Messages
import Synchronization
import Testing

@testable import Programs

@Suite("Replies without an answer")
struct NoAnswerTests {
  /// A model that always gives the same reply.
  private final class OneReply: LanguageModel {
    let identity = "one reply \(UInt64.random(in: .min ... .max))"
    let endpoint = "one reply"
    let reply: ModelReply
    let requests = Mutex(0)

    init(_ reply: ModelReply) { self.reply = reply }

    func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
      requests.withLock { $0 += 1 }
      return reply
    }
  }

  private func outcome(_ text: String, reason: String) async throws -> (error: HoneError?, requests: Int) {
    let model = OneReply(ModelReply(texts: [text], finishReasons: [reason]))
    let client = ModelClient(
      model: model, configuration: ModelConfiguration(model: "test/one"), answers: MemoryAnswerStore())
    let context = ExecutionContext(model: client, call: CallContext(account: RunAccount()))
    do {
      _ = try await PreparedProgram(Program(try module("question -> answer"))).run(["question": "q"], in: context)
      return (nil, model.requests.withLock { $0 })
    } catch {
      return (error as? HoneError, model.requests.withLock { $0 })
    }
  }

  @Test(
    "each has its kind, its remedy, and one attempt",
    arguments: [
      ("", FinishReason.toolCall, FailureKind.replyToolCall, "tools"),
      ("", FinishReason.cut, .replyCut, "maxTokens"),
      ("", FinishReason.refused, .contentRefused, "filter"),
      ("half an answer", FinishReason.refused, .contentRefused, "filter"),
      ("[[ ## reasoning ## ]]\nFirst we", FinishReason.cut, .replyCut, "maxTokens"),
      ("I'm sorry, but I can't assist with that request.", "stop", .contentRefused, "filter"),
      ("I\u{2019}m unable to help with that.", "stop", .contentRefused, "filter"),
      ("很抱歉，我无法提供这方面的帮助。", "stop", .contentRefused, "filter"),
      ("Es tut mir leid, aber dabei kann ich nicht helfen.", "stop", .contentRefused, "filter"),
    ])
  func kinds(text: String, reason: String, kind: FailureKind, remedy: String) async throws {
    let (error, requests) = try await outcome(text, reason: reason)
    #expect(error?.kind == kind)
    #expect(error?.remedy?.contains(remedy) == true)
    #expect(requests == 1)
  }

  @Test(
    "an answer that is sorry, or of something else, is an answer",
    arguments: [
      "[[ ## answer ## ]]\nI'm sorry, but I can't assist with that.", "Sorry seems to be the hardest word",
      "I can't get no satisfaction", "抱歉的意思是道歉", "{\"answer\": \"I cannot help with that.\"}",
    ])
  func answers(text: String) { #expect(!isRefusal(text)) }
}
