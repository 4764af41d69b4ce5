import Failures
import JSON
import LanguageModels
import Messages

/// Turns what an endpoint sent into a reply or a failure.
struct ReplyReader {
  let endpoint: Endpoint
  let redactor: Redactor

  // MARK: Replies

  /// Reads the body of a 200.
  func reply(_ body: some Sequence<UInt8>, promptBytes: Int) throws(ModelFailure) -> ModelReply {
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONReader.read(body, maximumValues: JSONReader.messageValues)
    } catch {
      // Python servers write NaN for figures that are none.
      guard
        let repaired = try? JSONReader.read(
          Self.withoutNonNumbers(body), maximumValues: JSONReader.messageValues)
      else {
        throw malformed("is not JSON: \(error)", body)
      }
      value = repaired
    }
    if let error = value["error"], !error.isNull {
      // Some gateways report the failure of the server behind them within a 200.
      let code = error["code"]?.intValue.flatMap { (400..<600).contains($0) ? $0 : nil }
      throw failure(status: code ?? 502, body: Array(body), pause: nil)
    }
    let counted = counted(value)
    guard let choices = value["choices"]?.arrayValue, !choices.isEmpty else {
      throw malformed("has no choices", body, counted)
    }
    var texts: [String] = []
    var thoughts: [String] = []
    var reasons: [String] = []
    for choice in choices {
      guard let message = choice["message"], case .object = message else {
        throw malformed("has a choice without a message", body, counted)
      }
      let reason = choice["finish_reason"]?.stringValue
      if let reason { reasons.append(reason) }
      var (said, thought) = (redactor.redactKnown(text(of: message)), redactor.redactKnown(thought(of: message)))
      // Some servers take the whole reply of a model that ended by itself for its thoughts.
      if reason == "stop", said.allSatisfy(\.isWhitespace) { (said, thought) = (thought, "") }
      texts.append(said)
      thoughts.append(thought)
    }
    var reply = ModelReply(
      texts: texts, finishReasons: reasons,
      usage: counted ?? estimate(value["usage"], promptBytes: promptBytes, texts: texts + thoughts),
      model: value["model"]?.stringValue)
    reply.isUsageEstimated = counted == nil
    if thoughts.contains(where: { !$0.isEmpty }) { reply.reasoning = thoughts }
    return reply
  }

  /// The body with `null` in place of `NaN` and `Infinity` outside strings.
  static func withoutNonNumbers(_ body: some Sequence<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var word: [UInt8] = []
    var isString = false
    var isEscaped = false
    func isWordByte(_ byte: UInt8) -> Bool {
      (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
    }
    func end() {
      let isNoNumber = ["NaN", "Infinity", "-Infinity"].contains(String(decoding: word, as: UTF8.self))
      result += isNoNumber ? Array("null".utf8) : word
      word = []
    }
    for byte in body {
      if isString {
        result.append(byte)
        if byte == UInt8(ascii: "\""), !isEscaped { isString = false }
        isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      } else if isWordByte(byte) {
        word.append(byte)
      } else {
        end()
        result.append(byte)
        isString = byte == UInt8(ascii: "\"")
      }
    }
    end()
    return result
  }

  /// A message's text: its content as a string or in parts, else the refusal in its place.
  private func text(of message: JSONValue) -> String {
    switch message["content"] {
    case .string(let text)?: text
    case .array(let parts)?: parts.compactMap { $0["text"]?.stringValue }.joined()
    default: message["refusal"]?.stringValue ?? ""
    }
  }

  /// What the model thought before its text: `reasoning_content` (DeepSeek, vLLM) or `reasoning` (OpenRouter, Ollama).
  private func thought(of message: JSONValue) -> String {
    (message["reasoning_content"]?.stringValue ?? message["reasoning"]?.stringValue ?? "")
  }

  /// Whether a refusal is of the member that asks for JSON, by the words of the servers there are.
  func refusesResponseFormat(status: Int, body: [UInt8]) -> Bool {
    guard (400..<500).contains(status) || status == 500 || status == 501 else { return false }
    let said = String(decoding: body, as: UTF8.self).lowercased()
    return [
      "response_format", "response format", "json_schema", "json_object", "json schema", "structured output", "guided_",
      "grammar",
    ].contains { said.contains($0) }
  }

  /// Tokens as the endpoint counted them; nil where it did not count both.
  private func counted(_ value: JSONValue) -> TokenUsage? {
    guard let usage = value["usage"], let input = count(usage["prompt_tokens"]),
      let output = count(usage["completion_tokens"])
    else { return nil }
    return TokenUsage(inputTokens: input, outputTokens: output)
  }

  /// About four bytes a token for what the endpoint did not count.
  private func estimate(_ value: JSONValue?, promptBytes: Int, texts: [String]) -> TokenUsage {
    TokenUsage(
      inputTokens: count(value?["prompt_tokens"]) ?? (promptBytes + 3) / 4,
      outputTokens: count(value?["completion_tokens"]) ?? texts.reduce(0) { $0 + ($1.utf8.count + 3) / 4 })
  }

  private func count(_ value: JSONValue?) -> Int? {
    value?.intValue.flatMap { (0...1 << 40).contains($0) ? $0 : nil }
  }

  private func malformed(_ what: String, _ body: some Sequence<UInt8>, _ counted: TokenUsage? = nil) -> ModelFailure {
    ModelFailure(
      HoneError(
        .malformedReply, "The reply of \(endpoint.url) \(what).",
        remedy: "Make sure that \(endpoint.base) is the base URL of an OpenAI-compatible endpoint.",
        cause: excerpt(Array(body.prefix(2000)))),
      retry: .backOff, spent: counted.map(Spending.counted) ?? .unknown)
  }

  /// Whether a status says that the endpoint generated nothing. Of a request that timed out behind a gateway, or whose
  /// server broke off, nobody knows.
  private static func isFree(status: Int) -> Bool {
    switch status {
    case 408, 499, 502, 504, 520...527: false
    case 300..<600: true
    default: false
    }
  }

  // MARK: Failures

  /// The failure that a status other than 200 means. `pause` is what `Retry-After` says, in seconds.
  func failure(status: Int, body: [UInt8], pause: Double?) -> ModelFailure {
    let said = excerpt(body)
    let lower = said.lowercased()
    let later = pause.map(RetryAdvice.after) ?? .backOff
    var details = ["status": status.description]
    let counted = (try? JSONReader.read(body)).flatMap(counted)
    let spent = counted.map(Spending.counted) ?? (Self.isFree(status: status) ? .nothing : .unknown)
    func failure(
      _ kind: FailureKind, _ message: String, _ remedy: String, _ retry: RetryAdvice
    ) -> ModelFailure {
      if case .after(let seconds) = retry { details["retryAfter"] = seconds.description }
      return ModelFailure(
        HoneError(
          kind, "\(message) (status \(status))", remedy: remedy, details: details, cause: said.isEmpty ? nil : said),
        retry: retry, spent: spent)
    }
    switch status {
    case 200..<300:
      return malformed("has the status \(status) in place of 200", body)
    case 401, 403:
      return failure(
        .authentication, "\(endpoint.base) refused the key.",
        endpoint.keyVariable.map { "Check the key in the environment variable \($0) and what it may be used for." }
          ?? "No key was sent: name the environment variable that holds it in the model's apiKeyEnv.",
        .never)
    case 429 where lower.contains("insufficient_quota") || lower.contains("billing"):
      return failure(
        .rateLimited, "The account at \(endpoint.base) has no quota left.",
        "Add credit to the account or raise its limit.", .never)
    case 429:
      return failure(
        .rateLimited, "\(endpoint.base) accepts no more requests for now.",
        "Lower the concurrency, or wait and resume the run.", later)
    case 408, 425, 500...:
      return failure(
        .languageModelUnavailable, "\(endpoint.base) failed.",
        "Try again later, or check the endpoint's log.", later)
    case 300..<400:
      return failure(
        .languageModelRejected, "\(endpoint.base) answered with a redirect, which is not followed.",
        "Put the endpoint's final URL into apiBase.", .never)
    case 400..<500 where status == 413 || isContextOverflow(lower):
      return failure(
        .contextWindowExceeded, "The prompt is too long for \(endpoint.model).",
        "Use fewer or shorter demos, a lower maxTokens, or a model with a larger context window.", .never)
    case 404:
      return failure(
        .languageModelRejected, "\(endpoint.url) has no model \(endpoint.model), or no such path.",
        "Check the model's name and the base URL \(endpoint.base).", .never)
    default:
      return failure(
        .languageModelRejected, "\(endpoint.base) refused the request.",
        "Change the model's options as the endpoint's message says.", .never)
    }
  }

  private func isContextOverflow(_ text: String) -> Bool {
    [
      "context_length", "context length", "context window", "maximum context", "context size", "too many tokens",
      "prompt is too long", "input is too long",
    ].contains { text.contains($0) }
  }

  /// What the endpoint said, shortened, on one line, without secrets: the members of its `error` where
  /// it is built as OpenAI's, else the body's beginning.
  func excerpt(_ body: [UInt8]) -> String {
    var text = String(decoding: body.prefix(4000), as: UTF8.self)
    if let value = try? JSONReader.read(body, maximumValues: JSONReader.messageValues) {
      let error = value["error"] ?? value
      let parts = [error["message"], error["type"], error["code"]].compactMap { part -> String? in
        guard let part, !part.isNull else { return nil }
        return part.stringValue ?? part.excerpt
      }
      if !parts.isEmpty { text = parts.joined(separator: "; ") } else if let plain = error.stringValue { text = plain }
    }
    // Redacted before it is cut: a key cut in two would not be known any more.
    let words = redactor.redact(text).unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
    let line = String(words).split(separator: " ").joined(separator: " ")
    return line.count > 300 ? line.prefix(300) + "…" : line
  }
}
