import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Schema

/// A language model that the client answers for: `languageModel/complete`.
package struct ClientModel: LanguageModel {
  let name: String
  let peer: any CallbackPeer

  var identity: String { "client/\(name)" }
  var endpoint: String { "the client" }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    var question = CompletionQuestion()
    question.name = name
    question.messages = request.prompt.messages.map { ChatMessageRecord($0) }
    question.options = request.options.json
    let answer: JSONValue
    do throws(CallbackFailure) {
      // The deadline is the model client's, which every kind of model has.
      answer = try await peer.ask(CallbackKind.languageModels.method, question.given, timeout: nil)
    } catch {
      throw failure(error)
    }
    let promptBytes = request.prompt.messages.reduce(0) { $0 + $1.content.utf8.count }
    guard let reply = CompletionAnswer.reply(answer, promptBytes: promptBytes) else {
      throw ModelFailure(
        HoneError(
          .malformedReply,
          "The client's language model \"\(name)\" answered \(answer.excerpt) where {\"text\"} or {\"choices\"} is "
            + "expected.",
          remedy: "Fix the client's function."), retry: .never)
    }
    return reply
  }

  // MARK: Failures

  /// The kinds that a client may give its failures in `data.kind`.
  private static let kinds: [FailureKind] = [
    .authentication, .contentRefused, .contextWindowExceeded, .inputRejected, .insufficientCredit,
    .languageModelRejected, .languageModelUnavailable, .malformedReply, .quotaExhausted, .rateLimited, .timeout,
  ]

  private func failure(_ failure: CallbackFailure) -> ModelFailure {
    switch failure {
    case .refused(let code, let message, let data):
      if code == -32601 {
        return ModelFailure(
          HoneError(
            .languageModelRejected, "The client does not serve languageModel/complete: \(message)",
            remedy: "Answer languageModel/complete in the client."), retry: .never, spent: .nothing)
      }
      let given = ClientFailure(data)
      let stated = given.kind.map(FailureKind.init(rawValue:))
      let kind = stated.flatMap { Self.kinds.contains($0) ? $0 : nil } ?? .languageModelUnavailable
      let isLasting = kind.stopsWork || kind.isRefusal || kind == .contextWindowExceeded
      let isFree = isLasting || kind == .rateLimited
      return ModelFailure(
        HoneError(kind, "The client's language model \"\(name)\" failed: \(message)"),
        retry: isLasting ? .never : given.retryAfter.map { .after($0) } ?? .backOff, spent: isFree ? .nothing : .unknown
      )
    case .timedOut(let seconds):
      return ModelFailure(
        HoneError(.timeout, "The client's language model \"\(name)\" gave no answer within \(seconds) s."),
        retry: .backOff)
    case .cancelled:
      return ModelFailure(
        HoneError(.cancelled, "The call to the client's language model was cancelled."), retry: .never)
    case .gone:
      return ModelFailure(
        HoneError(
          .clientGone, "The client went away before its language model \"\(name)\" answered.",
          remedy: "Resume the run from a client that serves it; nothing that was answered is asked again."),
        retry: .never)
    }
  }
}

/// What a client may say of a failure of its model, in the `data` of its error.
private struct ClientFailure: ForeignRecord {
  static let members: [Member<Self>] = [Member("kind", \.kind), Member("retryAfter", \.retryAfter)]
  var kind: String?
  /// Seconds.
  var retryAfter: Double?
}
