import Failures

/// A service, or kind of server, that speaks OpenAI's chat completions protocol: where it is, where its
/// key is found, and in what it differs.
package struct Provider: Sendable, Hashable {
  /// The prefix of model names: `openai` in `openai/gpt-4o-mini`.
  package var name: String
  /// The base URL, without `/chat/completions`; nil where each user has one of their own.
  package var base: String?
  /// Other prefixes under which it is known: LiteLLM's.
  package var otherNames: [String]
  /// The environment variables that usually hold the key: the first one that is set counts.
  package var keyVariables: [String]
  /// The environment variables that say where it is, for requests that do not: the first one that is set counts.
  package var baseVariables: [String]
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
    _ name: String, _ base: String?, keys: [String] = [], bases: [String] = [], also otherNames: [String] = [],
    requiresKey: Bool = true, supportsN: Bool = false, keyHeader: KeyHeader = .bearer,
    tokenLimit: TokenLimit = .maxTokens, isElastic: Bool = true, ownDomains: [String] = []
  ) {
    self.name = name
    self.base = base
    self.otherNames = otherNames
    keyVariables = keys
    baseVariables = bases
    self.requiresKey = requiresKey && !keys.isEmpty
    self.supportsN = supportsN
    self.keyHeader = keyHeader
    self.tokenLimit = tokenLimit
    self.isElastic = isElastic
    self.ownDomains = ownDomains
  }

  /// The environment variable that usually holds the key.
  package var keyVariable: String? { keyVariables.first }

  /// All providers known by name, in alphabetical order. Other names and variables are those of LiteLLM 1.80, of the
  /// openai package and of Ollama.
  package static let all: [Provider] = [
    Provider(
      "anthropic", "https://api.anthropic.com/v1", keys: ["ANTHROPIC_API_KEY"],
      bases: ["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"]),
    Provider(
      "azure", nil, keys: ["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
      bases: ["AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"], supportsN: true, keyHeader: .apiKey,
      tokenLimit: .maxCompletionTokens,
      ownDomains: ["openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"]),
    Provider("cerebras", "https://api.cerebras.ai/v1", keys: ["CEREBRAS_API_KEY"], bases: ["CEREBRAS_API_BASE"]),
    Provider(
      "deepinfra", "https://api.deepinfra.com/v1/openai", keys: ["DEEPINFRA_API_KEY"], bases: ["DEEPINFRA_API_BASE"]),
    Provider("deepseek", "https://api.deepseek.com/v1", keys: ["DEEPSEEK_API_KEY"], bases: ["DEEPSEEK_API_BASE"]),
    Provider(
      "fireworks", "https://api.fireworks.ai/inference/v1", keys: ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"],
      bases: ["FIREWORKS_API_BASE"], also: ["fireworks_ai"], supportsN: true),
    Provider(
      "gemini", "https://generativelanguage.googleapis.com/v1beta/openai", keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
      supportsN: true),
    Provider("groq", "https://api.groq.com/openai/v1", keys: ["GROQ_API_KEY"], bases: ["GROQ_API_BASE"]),
    Provider(
      "huggingface", "https://router.huggingface.co/v1", keys: ["HF_TOKEN", "HUGGINGFACE_API_KEY"],
      bases: ["HUGGINGFACE_API_BASE"]),
    Provider(
      "litellm_proxy", nil, keys: ["LITELLM_PROXY_API_KEY"], bases: ["LITELLM_PROXY_API_BASE"], requiresKey: false,
      supportsN: true),
    Provider(
      "llamacpp", "http://127.0.0.1:8080/v1", keys: ["LLAMACPP_API_KEY"], bases: ["LLAMAFILE_API_BASE"],
      also: ["llamafile"], requiresKey: false, isElastic: false),
    Provider(
      "lmstudio", "http://127.0.0.1:1234/v1", keys: ["LM_STUDIO_API_KEY"], bases: ["LM_STUDIO_API_BASE"],
      also: ["lm_studio"], requiresKey: false, isElastic: false),
    Provider(
      "mistral", "https://api.mistral.ai/v1", keys: ["MISTRAL_API_KEY"], bases: ["MISTRAL_API_BASE"], supportsN: true),
    Provider("moonshot", "https://api.moonshot.ai/v1", keys: ["MOONSHOT_API_KEY"], bases: ["MOONSHOT_API_BASE"]),
    Provider(
      "nvidia", "https://integrate.api.nvidia.com/v1", keys: ["NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"],
      bases: ["NVIDIA_NIM_API_BASE"], also: ["nvidia_nim"]),
    Provider(
      "ollama", "http://127.0.0.1:11434/v1", bases: ["OLLAMA_API_BASE", Ollama.hostVariable], also: ["ollama_chat"],
      isElastic: false),
    Provider(
      "openai", "https://api.openai.com/v1", keys: ["OPENAI_API_KEY"], bases: ["OPENAI_BASE_URL", "OPENAI_API_BASE"],
      supportsN: true, tokenLimit: .maxCompletionTokens),
    Provider(
      "openai-compatible", nil, keys: ["OPENAI_LIKE_API_KEY"], bases: ["OPENAI_LIKE_API_BASE"],
      also: ["openai_like", "custom_openai"], requiresKey: false,
      supportsN: true),
    Provider(
      "openrouter", "https://openrouter.ai/api/v1", keys: ["OPENROUTER_API_KEY"], bases: ["OPENROUTER_API_BASE"]),
    Provider(
      "perplexity", "https://api.perplexity.ai", keys: ["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"],
      bases: ["PERPLEXITY_API_BASE"]),
    Provider("sambanova", "https://api.sambanova.ai/v1", keys: ["SAMBANOVA_API_KEY"], bases: ["SAMBANOVA_API_BASE"]),
    Provider(
      "together", "https://api.together.xyz/v1",
      keys: ["TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"],
      bases: ["TOGETHER_AI_API_BASE"], also: ["together_ai"], supportsN: true),
    Provider(
      "vllm", "http://127.0.0.1:8000/v1", keys: ["VLLM_API_KEY", "HOSTED_VLLM_API_KEY"],
      bases: ["HOSTED_VLLM_API_BASE", "VLLM_API_BASE"], also: ["hosted_vllm"], requiresKey: false, supportsN: true),
    Provider("xai", "https://api.x.ai/v1", keys: ["XAI_API_KEY"], bases: ["XAI_API_BASE"], supportsN: true),
  ]

  package static func named(_ name: some StringProtocol) -> Provider? {
    all.first { $0.name == name || $0.otherNames.contains { $0 == name } }
  }

  /// What LiteLLM knows and Hone cannot ask, as it speaks other protocols; each with what to write instead.
  static let foreign: [String: String] = [
    "text-completion-openai": "openai/MODEL, which asks for chat completions",
    "text-completion-codestral": "mistral/MODEL, which asks for chat completions",
    "azure_text": "azure/DEPLOYMENT, which asks for chat completions",
    "azure_ai": "azure/MODEL with the resource's address as apiBase",
    "vertex_ai": "gemini/MODEL, or a gateway's address as apiBase",
    "bedrock": "a gateway's address as apiBase (LiteLLM's proxy, Bedrock's OpenAI-compatible endpoint)",
    "sagemaker": "a gateway's address as apiBase", "cohere": "a gateway's address as apiBase",
    "cohere_chat": "a gateway's address as apiBase", "watsonx": "a gateway's address as apiBase",
    "databricks": "openai-compatible/MODEL with apiBase https://WORKSPACE/serving-endpoints and apiKeyEnv",
    "github_copilot": "a gateway's address as apiBase",
  ]
}
