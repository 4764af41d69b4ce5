package import JSON
import Messages
package import Schema

/// What `languageModel/complete` is answered with: a text alone, `{"text"}`, or `{"choices"}` of texts, of `{"text"}` or
/// of OpenAI's `{"message": {"content"}}`.
package struct CompletionAnswer: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("text", \.text, "The reply."),
    Member("finishReason", \.finishReason, "Why it ended: stop, or length where it was cut."),
    Member(
      "choices", \.choices, as: Schema(.array(Schema(.either([Schema(.string), Choice.schema])))),
      "Several replies, as a chat completion of OpenAI's has them; in place of text."),
    Member("model", \.model, "The model that replied."),
    Member("usage", \.usage, as: Schema(.named("TokenCount")), "The tokens that it cost."),
  ]
  package static let summary =
    "What languageModel/complete is answered with: a text, or an object with text or choices; a chat completion of "
    + "OpenAI's is one."

  package var text: String?
  package var finishReason: String?
  package var choices: [Choice]?
  package var model: String?
  package var usage = TokenCount()

  package init() {}

  /// One reply of several.
  package struct Choice: ForeignRecord {
    package static let members: [Member<Self>] = [
      Member("text", \.text, "The reply."),
      Member("message", \.message, "The reply as OpenAI has it."),
      Member("finish_reason", \.finishReason, "Why it ended."),
    ]
    package var text: String?
    package var message = Message()
    package var finishReason: String?

    package init() {}

    package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Choice? {
      var choice = Choice(value)
      choice.text = value.stringValue ?? choice.text ?? choice.message.content
      return choice
    }
  }

  package struct Message: ForeignRecord {
    package static let members: [Member<Self>] = [Member("content", \.content, "The reply.")]
    package var content: String?

    package init() {}
  }

  /// Tokens, in Hone's words or OpenAI's.
  package struct TokenCount: ForeignRecord {
    package static let members: [Member<Self>] = [
      Member("inputTokens", \.input, also: ["prompt_tokens"], "Tokens of the prompt."),
      Member("outputTokens", \.output, also: ["completion_tokens"], "Tokens of the reply."),
    ]
    package static let summary = "Tokens of one call; OpenAI's names prompt_tokens and completion_tokens are read, too."
    package var input: Int?
    package var output: Int?

    package init() {}
  }

  package static let shape = Schema(.either([Schema(.string), schema]), summary)

  /// The reply; nil where the answer is something else.
  ///
  /// - Parameter promptBytes: the prompt's size, by which the tokens are estimated where the client counted none.
  static func reply(_ answer: JSONValue, promptBytes: Int) -> ModelReply? {
    if let text = answer.stringValue { return reply(["text": .string(text)], promptBytes: promptBytes) }
    let answer = CompletionAnswer(answer)
    let given =
      answer.choices
      ?? [answer].map { whole in
        var choice = Choice()
        choice.text = whole.text
        choice.finishReason = whole.finishReason
        return choice
      }
    let texts = given.compactMap(\.text)
    guard !texts.isEmpty, texts.count == given.count else { return nil }
    let outputBytes = texts.reduce(0) { $0 + $1.utf8.count }
    var reply = ModelReply(
      texts: texts, finishReasons: given.compactMap(\.finishReason),
      usage: TokenUsage(
        inputTokens: max(0, answer.usage.input ?? (promptBytes + 3) / 4),
        outputTokens: max(0, answer.usage.output ?? (outputBytes + 3) / 4)),
      model: answer.model)
    reply.isUsageEstimated = answer.usage.input == nil || answer.usage.output == nil
    return reply
  }
}
