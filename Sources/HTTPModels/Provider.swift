import Failures

/// A service, or kind of server, that speaks OpenAI's chat completions protocol: where it is, where its
/// key is found, and in what it differs.
package struct Provider: Sendable, Hashable {
  /// The prefix of model names: `openai` in `openai/gpt-4o-mini`.
  package var name: String
  /// The base URL, without `/chat/completions`; nil where each user has one of their own.
  package var base: String?
  /// The environment variable that usually holds the key.
  package var keyVariable: String?
  /// Where each user has an address of their own: the domains under which these are the provider's.
  package var ownDomains: [String]
  package var requiresKey: Bool
  /// Whether one request may ask for several completions (`n`).
  package var supportsN: Bool
  package var keyHeader: KeyHeader
  package var tokenLimit: TokenLimit
  /// Whether its server works on many calls at once, as those that one runs on one's own machine hardly do.
  package var isElastic: Bool

  package enum KeyHeader: Sendable, Hashable {
    /// `Authorization: Bearer …`
    case bearer
    /// `api-key: …`
    case apiKey
  }

  /// The member of the request that bounds the output's tokens.
  package enum TokenLimit: String, Sendable, Hashable {
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"
  }

  init(
    _ name: String, _ base: String?, key: String? = nil, requiresKey: Bool = true, supportsN: Bool = false,
    keyHeader: KeyHeader = .bearer, tokenLimit: TokenLimit = .maxTokens, isElastic: Bool = true,
    ownDomains: [String] = []
  ) {
    self.name = name
    self.base = base
    keyVariable = key
    self.requiresKey = requiresKey && key != nil
    self.supportsN = supportsN
    self.keyHeader = keyHeader
    self.tokenLimit = tokenLimit
    self.isElastic = isElastic
    self.ownDomains = ownDomains
  }

  /// All providers known by name, in alphabetical order.
  package static let all: [Provider] = [
    Provider("anthropic", "https://api.anthropic.com/v1", key: "ANTHROPIC_API_KEY"),
    Provider(
      "azure", nil, key: "AZURE_OPENAI_API_KEY", supportsN: true, keyHeader: .apiKey, tokenLimit: .maxCompletionTokens,
      ownDomains: ["openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"]),
    Provider("deepseek", "https://api.deepseek.com/v1", key: "DEEPSEEK_API_KEY"),
    Provider(
      "gemini", "https://generativelanguage.googleapis.com/v1beta/openai", key: "GEMINI_API_KEY", supportsN: true),
    Provider("groq", "https://api.groq.com/openai/v1", key: "GROQ_API_KEY"),
    Provider("llamacpp", "http://127.0.0.1:8080/v1", key: "LLAMACPP_API_KEY", requiresKey: false, isElastic: false),
    Provider("lmstudio", "http://127.0.0.1:1234/v1", isElastic: false),
    Provider("mistral", "https://api.mistral.ai/v1", key: "MISTRAL_API_KEY", supportsN: true),
    Provider("ollama", "http://127.0.0.1:11434/v1", isElastic: false),
    Provider(
      "openai", "https://api.openai.com/v1", key: "OPENAI_API_KEY", supportsN: true, tokenLimit: .maxCompletionTokens),
    Provider("openai-compatible", nil, supportsN: true),
    Provider("openrouter", "https://openrouter.ai/api/v1", key: "OPENROUTER_API_KEY"),
    Provider("together", "https://api.together.xyz/v1", key: "TOGETHER_API_KEY", supportsN: true),
    Provider("vllm", "http://127.0.0.1:8000/v1", key: "VLLM_API_KEY", requiresKey: false, supportsN: true),
    Provider("xai", "https://api.x.ai/v1", key: "XAI_API_KEY", supportsN: true),
  ]

  package static func named(_ name: some StringProtocol) -> Provider? { all.first { $0.name == name } }
}
