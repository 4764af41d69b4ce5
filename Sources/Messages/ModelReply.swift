/// Tokens of a prompt and its completions.
package struct TokenUsage: Sendable, Hashable {
  package var inputTokens: Int
  package var outputTokens: Int
  package var totalTokens: Int { inputTokens + outputTokens }

  package init(inputTokens: Int = 0, outputTokens: Int = 0) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }

  package static func + (a: TokenUsage, b: TokenUsage) -> TokenUsage {
    TokenUsage(inputTokens: a.inputTokens + b.inputTokens, outputTokens: a.outputTokens + b.outputTokens)
  }

  package static func += (a: inout TokenUsage, b: TokenUsage) { a = a + b }
}

/// What a model answered.
package struct ModelReply: Sendable, Hashable {
  /// One text a completion, `n` of them.
  package var texts: [String]
  /// Why each completion ended (`stop`, `length` …), where the endpoint said so.
  package var finishReasons: [String]
  /// What the model thought before each completion, where the endpoint gives that apart; empty texts where it does not.
  package var reasoning: [String] = []
  package var usage: TokenUsage
  /// Whether the endpoint counted no tokens, so that `usage` is an estimate.
  package var isUsageEstimated = false
  /// US dollars that the endpoint says it cost (OpenRouter's `usage.cost`).
  package var cost: Double?
  /// The model that the endpoint says it used.
  package var model: String?

  package init(texts: [String], finishReasons: [String] = [], usage: TokenUsage = TokenUsage(), model: String? = nil) {
    self.texts = texts
    self.finishReasons = finishReasons
    self.usage = usage
    self.model = model
  }

  /// Adds the completions of another reply to the same prompt.
  package mutating func append(_ other: ModelReply) {
    if !reasoning.isEmpty || !other.reasoning.isEmpty {
      reasoning += Array(repeating: "", count: texts.count - reasoning.count)
      reasoning += other.reasoning + Array(repeating: "", count: other.texts.count - other.reasoning.count)
    }
    texts += other.texts
    finishReasons += other.finishReasons
    usage += other.usage
    cost = cost.flatMap { cost in other.cost.map { cost + $0 } }
    isUsageEstimated = isUsageEstimated || other.isUsageEstimated
    model = other.model ?? model
  }
}
