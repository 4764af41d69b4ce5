package import Messages

/// List prices of well-known models, so that a run's cost can be told and bounded.
///
/// Prices change: the table says when it was compiled, and a configuration's own prices go before it. What
/// it does not know stays unknown (nil), never zero.
package enum PriceTable {
  /// The month in which the table was compiled.
  package static let compiled = "2026-11"

  /// US dollars per million tokens.
  package struct Price: Sendable, Hashable {
    package var input: Double
    package var output: Double

    package init(input: Double, output: Double) {
      self.input = input
      self.output = output
    }

    package func cost(of usage: TokenUsage) -> Double {
      (Double(usage.inputTokens) * input + Double(usage.outputTokens) * output) / 1e6
    }
  }

  /// The price of a configuration's model: as stated there, else from the table; 0 for the simulated
  /// model and for servers on one's own machine; nil where it is not known.
  package static func price(of configuration: ModelConfiguration) -> Price? {
    if let input = configuration.price?.input, let output = configuration.price?.output {
      return Price(input: input, output: output)
    }
    if configuration.isSimulated { return Price(input: 0, output: 0) }
    // Behind another base URL, a well-known name says nothing about the price.
    guard configuration.client == nil, configuration.apiBase == nil else { return nil }
    guard let slash = configuration.model.firstIndex(of: "/") else { return nil }
    let provider = String(configuration.model[..<slash])
    if local.contains(provider) { return Price(input: 0, output: 0) }
    let name = configuration.model[configuration.model.index(after: slash)...].lowercased()
    guard let models = table[provider] else { return nil }
    var best: (length: Int, price: Price)?
    for (model, price) in models where name.hasPrefix(model) && isVersion(name.dropFirst(model.count)) {
      if model.count > best?.length ?? 0 { best = (model.count, price) }
    }
    return best?.price
  }

  /// Whether the rest of a name only says which edition of the model it is: nothing, a date, `latest`.
  /// `-mini` or `-pro` would be another model.
  private static func isVersion(_ rest: Substring) -> Bool {
    guard let first = rest.first else { return true }
    guard first == "-" || first == "@" else { return false }
    let version = rest.dropFirst()
    if version == "latest" { return true }
    let digits = version.filter(\.isNumber).count
    return digits >= 3 && version.allSatisfy { $0.isNumber || $0 == "-" }
  }

  private static let local: Set<String> = ["ollama", "vllm", "llamacpp", "lmstudio"]

  private static func dollars(_ input: Double, _ output: Double) -> Price { Price(input: input, output: output) }

  private static let table: [String: [(model: String, price: Price)]] = [
    "openai": [
      ("gpt-3.5-turbo", dollars(0.5, 1.5)),
      ("gpt-4-turbo", dollars(10, 30)),
      ("gpt-4.1", dollars(2, 8)),
      ("gpt-4.1-mini", dollars(0.4, 1.6)),
      ("gpt-4.1-nano", dollars(0.1, 0.4)),
      ("gpt-4o", dollars(2.5, 10)),
      ("gpt-4o-mini", dollars(0.15, 0.6)),
      ("gpt-5", dollars(1.25, 10)),
      ("gpt-5-mini", dollars(0.25, 2)),
      ("gpt-5-nano", dollars(0.05, 0.4)),
      ("gpt-5.1", dollars(1.25, 10)),
      ("o1", dollars(15, 60)),
      ("o3", dollars(2, 8)),
      ("o3-mini", dollars(1.1, 4.4)),
      ("o4-mini", dollars(1.1, 4.4)),
      ("text-embedding-3-large", dollars(0.13, 0)),
      ("text-embedding-3-small", dollars(0.02, 0)),
    ],
    "anthropic": [
      ("claude-3-5-haiku", dollars(0.8, 4)),
      ("claude-3-5-sonnet", dollars(3, 15)),
      ("claude-3-7-sonnet", dollars(3, 15)),
      ("claude-3-haiku", dollars(0.25, 1.25)),
      ("claude-haiku-4-5", dollars(1, 5)),
      ("claude-opus-4", dollars(15, 75)),
      ("claude-opus-4-1", dollars(15, 75)),
      ("claude-opus-4-5", dollars(5, 25)),
      ("claude-sonnet-4", dollars(3, 15)),
      ("claude-sonnet-4-5", dollars(3, 15)),
    ],
    "deepseek": [
      ("deepseek-chat", dollars(0.28, 0.42)),
      ("deepseek-reasoner", dollars(0.28, 0.42)),
    ],
    "gemini": [
      ("gemini-2.0-flash", dollars(0.1, 0.4)),
      ("gemini-2.5-flash", dollars(0.3, 2.5)),
      ("gemini-2.5-flash-lite", dollars(0.1, 0.4)),
      ("gemini-2.5-pro", dollars(1.25, 10)),
    ],
    "groq": [
      ("llama-3.1-8b-instant", dollars(0.05, 0.08)),
      ("llama-3.3-70b-versatile", dollars(0.59, 0.79)),
    ],
    "mistral": [
      ("codestral", dollars(0.3, 0.9)),
      ("mistral-large", dollars(2, 6)),
      ("mistral-medium", dollars(0.4, 2)),
      ("mistral-small", dollars(0.1, 0.3)),
    ],
    "xai": [
      ("grok-3", dollars(3, 15)),
      ("grok-3-mini", dollars(0.3, 0.5)),
      ("grok-4", dollars(3, 15)),
      ("grok-4-fast", dollars(0.2, 0.5)),
    ],
  ]
}
