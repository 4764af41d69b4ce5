import Basics
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
    let value = try value(body)
    let counted = counted(value)
    guard let choices = value["choices"]?.arrayValue, !choices.isEmpty else {
      if let blocked = blockedPrompt(value) { throw refused(blocked, counted) }
      throw malformed("has no choices", body, counted)
    }
    var texts: [String] = []
    var thoughts: [String] = []
    var reasons: [String] = []
    for choice in choices {
      if let error = choice["error"], !error.isNull { throw failure(within: error, error.encoded()) }
      guard let message = choice["message"], case .object = message else {
        throw malformed("has a choice without a message", body, counted)
      }
      // OpenRouter marks what broke off behind it, with or without words.
      if choice["finish_reason"]?.stringValue == "error", text(of: message).allSatisfy(\.isWhitespace) {
        throw failure(status: 502, body: Array(body), pause: nil)
      }
      let (said, thought, reason) = completion(message, reason: choice["finish_reason"]?.stringValue)
      texts.append(said)
      thoughts.append(thought)
      reasons.append(reason)
    }
    var reply = ModelReply(
      texts: texts, finishReasons: reasons.contains { !$0.isEmpty } ? reasons : [],
      usage: counted ?? estimate(value["usage"], promptBytes: promptBytes, texts: texts + thoughts),
      model: value["model"]?.stringValue)
    reply.isUsageEstimated = counted == nil
    reply.cost = cost(value["usage"])
    if thoughts.contains(where: { !$0.isEmpty }) { reply.reasoning = thoughts }
    return reply
  }

  /// Reads the body of a 200 that holds the vector of one text.
  ///
  /// Source: OpenAI's API reference, "Embeddings": numbers, or such numbers in base 64.
  func vector(_ body: some Sequence<UInt8>, promptBytes: Int) throws(ModelFailure) -> ModelReply {
    let value = try value(body)
    let embedding = value["data"]?.arrayValue?.first?["embedding"]
    let numbers =
      embedding?.stringValue.flatMap(Base64.numbers)
      ?? embedding?.arrayValue?.compactMap { $0.doubleValue.map(Float.init) }
    guard let numbers, !numbers.isEmpty, numbers.allSatisfy(\.isFinite),
      embedding?.arrayValue.map({ $0.count == numbers.count }) ?? true
    else { throw malformed("has no embedding of finite numbers", body) }
    let tokens = count(value["usage"]?["prompt_tokens"]) ?? count(value["usage"]?["total_tokens"])
    var reply = ModelReply(
      texts: [Base64.text(numbers)], usage: TokenUsage(inputTokens: tokens ?? (promptBytes + 3) / 4),
      model: value["model"]?.stringValue)
    reply.isUsageEstimated = tokens == nil
    reply.cost = cost(value["usage"])
    return reply
  }

  /// The JSON of a body that reports no error.
  private func value(_ body: some Sequence<UInt8>) throws(ModelFailure) -> JSONValue {
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
    if let error = value["error"], !error.isNull { throw failure(within: error, Array(body)) }
    return value
  }

  /// The failure of a server behind a gateway, reported within a 200.
  private func failure(within error: JSONValue, _ body: [UInt8]) -> ModelFailure {
    let code = error["code"]?.intValue.flatMap { (400..<600).contains($0) ? $0 : nil }
    return failure(status: code ?? 502, body: body, pause: nil)
  }

  /// A completion's text and thoughts, and why it ended, in OpenAI's words.
  private func completion(_ message: JSONValue, reason: String?) -> (text: String, thought: String, reason: String) {
    var text = redactor.redactKnown(text(of: message))
    var thought = redactor.redactKnown(thought(of: message))
    var reason = reason ?? ""
    if Self.isFiltered(reason) { reason = FinishReason.refused }
    if text.allSatisfy(\.isWhitespace) {
      if let refusal = message["refusal"]?.stringValue, !refusal.isEmpty {
        return (redactor.redactKnown(refusal), thought, FinishReason.refused)
      }
      let calls = message["tool_calls"]?.arrayValue ?? []
      if !calls.isEmpty || message["function_call"]?.objectValue != nil || reason == "function_call" {
        reason = FinishReason.toolCall
      }
      // Some servers take the whole reply of a model that ended by itself for its thoughts.
      if reason == "stop" { (text, thought) = (thought, "") }
    }
    return (text, thought, reason)
  }

  /// Whether a completion ended because of a filter, in the words of the endpoints there are: Gemini's reasons stand
  /// behind a colon or alone.
  private static func isFiltered(_ reason: String) -> Bool {
    let reason = reason.lowercased()
    return [
      "content_filter", "safety", "prohibited_content", "blocklist", "recitation", "spii", "refusal", "sensitive",
      "guardrail_intervened",
    ]
    .contains { reason == $0 || reason.hasPrefix($0 + ":") }
  }

  /// Why a prompt was blocked where there is a reply without choices for it: Gemini's `promptFeedback`.
  private func blockedPrompt(_ value: JSONValue) -> String? {
    let feedback = value["promptFeedback"] ?? value["prompt_feedback"]
    return (feedback?["blockReason"] ?? feedback?["block_reason"])?.stringValue
  }

  private func refused(_ why: String, _ counted: TokenUsage?) -> ModelFailure {
    ModelFailure(
      HoneError(
        .contentRefused, "\(endpoint.base) blocked the prompt.",
        remedy: "Look at the row's text: a content filter objects to it. The other rows go on; leave this row out, or "
          + "ask a model with another filter.",
        details: ["fault": Fault.row.rawValue], cause: redactor.redact(String(why.prefix(300)))),
      retry: .never, spent: counted.map { Spending.counted($0) } ?? .nothing)
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

  /// A message's text: its content as a string or in parts.
  private func text(of message: JSONValue) -> String {
    switch message["content"] {
    case .string(let text)?: text
    case .array(let parts)?: parts.compactMap { $0["text"]?.stringValue }.joined()
    default: ""
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

  /// US dollars as the endpoint tells them: OpenRouter's `cost`, a number, or Perplexity's, with its parts.
  private func cost(_ usage: JSONValue?) -> Double? {
    let told = usage?["cost"]
    let cost = told?.doubleValue ?? told?["total_cost"]?.doubleValue
    return cost.flatMap { $0.isFinite && (0...1e6).contains($0) ? $0 : nil }
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
      retry: .backOff, spent: counted.map { Spending.counted($0) } ?? .unknown)
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
    guard !(200..<300).contains(status) else {
      return malformed("has the status \(status) in place of 200", body)
    }
    let words = words(body)
    let rule = FailureTable.rule(status, words)
    let said = excerpt(body)
    let counted = (try? JSONReader.read(body, maximumValues: JSONReader.messageValues)).flatMap(counted)
    let spent = counted.map { Spending.counted($0) } ?? (Self.isFree(status: status) ? .nothing : .unknown)
    // Where a pause is named, the account's quota comes back by itself.
    let pause = pause ?? words.pause
    let mayPass = rule.isPassing || (rule.kind == .quotaExhausted && pause != nil)
    let retry = mayPass ? pause.map(RetryAdvice.after) ?? .backOff : .never
    var details = ["status": status.description, "fault": rule.fault.rawValue]
    if case .after(let seconds) = retry { details["retryAfter"] = seconds.description }
    return ModelFailure(
      HoneError(
        rule.kind, "\(filled(rule.message)) (status \(status))", remedy: filled(rule.remedy), details: details,
        cause: said.isEmpty ? nil : said),
      retry: retry, spent: spent)
  }

  /// What a body says, to be told by.
  func words(_ body: [UInt8]) -> EndpointWords {
    EndpointWords(
      try? JSONReader.read(body, maximumValues: JSONReader.messageValues),
      text: String(decoding: body.prefix(4000), as: UTF8.self))
  }

  /// A text of the table with the endpoint's own names.
  private func filled(_ text: String) -> String {
    let key =
      endpoint.keyVariable.map { "Check the key in the environment variable \($0) and what it may be used for." }
      ?? "No key was sent: name the environment variable that holds it in the model's apiKeyEnv."
    return text.replacing("{base}", with: endpoint.base).replacing("{url}", with: endpoint.url)
      .replacing("{model}", with: endpoint.model).replacing("{key}", with: key)
  }

  /// What the endpoint said, shortened, on one line, without secrets: its messages and codes, else the body's beginning.
  func excerpt(_ body: [UInt8]) -> String {
    var text = String(decoding: body.prefix(4000), as: UTF8.self)
    if let value = try? JSONReader.read(body, maximumValues: JSONReader.messageValues) {
      let shown = EndpointWords(value, text: "").shown
      if !shown.isEmpty { text = shown.joined(separator: "; ") }
    }
    // Redacted before it is cut: a key cut in two would not be known any more.
    let words = redactor.redact(text).unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
    let line = String(words).split(separator: " ").joined(separator: " ")
    return line.count > 300 ? line.prefix(300) + "…" : line
  }
}
