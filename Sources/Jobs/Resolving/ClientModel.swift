import Failures
import JSON
import LanguageModels
import Messages
import Programs

/// A language model that the client answers for: `languageModel/complete`.
package struct ClientModel: LanguageModel {
  let name: String
  let peer: any CallbackPeer

  var identity: String { "client/\(name)" }
  var endpoint: String { "the client" }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let params: JSONObject = [
      "name": .string(name), "messages": request.prompt.json, "options": .object(request.options.json),
    ]
    let answer: JSONValue
    do throws(CallbackFailure) {
      // The deadline is the model client's, which every kind of model has.
      answer = try await peer.ask("languageModel/complete", params, timeout: nil)
    } catch {
      throw failure(error)
    }
    guard let reply = Self.reply(answer) else {
      throw ModelFailure(
        HoneError(
          .malformedReply,
          "The client's language model \"\(name)\" answered \(answer.excerpt) where {\"text\"} or {\"choices\"} is "
            + "expected.",
          remedy: "Mend the client's function."), retry: .never)
    }
    return reply
  }

  // MARK: Answers

  /// A text alone, `{"text"}`, or `{"choices"}` of texts, `{"text"}` or OpenAI's `{"message": {"content"}}`.
  private static func reply(_ answer: JSONValue) -> ModelReply? {
    if case .string(let text) = answer { return ModelReply(texts: [text]) }
    guard case .object(let object) = answer else { return nil }
    var texts: [String] = []
    var reasons: [String] = []
    if let choices = object["choices"] {
      guard case .array(let choices) = choices, !choices.isEmpty else { return nil }
      for choice in choices {
        guard let text = choice.stringValue ?? choice["text"]?.stringValue ?? choice["message"]?["content"]?.stringValue
        else { return nil }
        texts.append(text)
        if let reason = (choice["finish_reason"] ?? choice["finishReason"])?.stringValue { reasons.append(reason) }
      }
    } else {
      guard let text = object["text"]?.stringValue else { return nil }
      texts = [text]
      if let reason = (object["finishReason"] ?? object["finish_reason"])?.stringValue { reasons = [reason] }
    }
    let usage = object["usage"]
    func tokens(_ names: String...) -> Int {
      for name in names { if let count = usage?[name]?.intValue { return max(0, count) } }
      return 0
    }
    return ModelReply(
      texts: texts, finishReasons: reasons,
      usage: TokenUsage(
        inputTokens: tokens("inputTokens", "prompt_tokens", "input_tokens"),
        outputTokens: tokens("outputTokens", "completion_tokens", "output_tokens")),
      model: object["model"]?.stringValue)
  }

  // MARK: Failures

  /// The kinds that a client may give its failures in `data.kind`.
  private static let kinds: [FailureKind] = [
    .authentication, .contextWindowExceeded, .languageModelRejected, .languageModelUnavailable, .malformedReply,
    .rateLimited, .timeout,
  ]

  private func failure(_ failure: CallbackFailure) -> ModelFailure {
    switch failure {
    case .refused(let code, let message, let data):
      if code == -32601 {
        return ModelFailure(
          HoneError(
            .languageModelRejected, "The client does not serve languageModel/complete: \(message)",
            remedy: "Answer languageModel/complete in the client."), retry: .never)
      }
      let stated = data?["kind"]?.stringValue.map(FailureKind.init(rawValue:))
      let kind = stated.flatMap { Self.kinds.contains($0) ? $0 : nil } ?? .languageModelUnavailable
      let isLasting = [.authentication, .languageModelRejected, .contextWindowExceeded].contains(kind)
      let pause = (data?["retryAfter"] ?? data?["retry_after"])?.doubleValue
      return ModelFailure(
        HoneError(kind, "The client's language model \"\(name)\" failed: \(message)"),
        retry: isLasting ? .never : pause.map { .after($0) } ?? .backOff)
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
