import Failures
import HTTPModels
import LanguageModels
import Networking
import Simulation
import Testing

@Suite("Endpoint")
struct EndpointTests {
  private func endpoint(
    _ model: String, _ base: String? = nil, key: String? = nil
  ) throws(HoneError) -> Endpoint {
    var configuration = ModelConfiguration(model: model)
    configuration.apiBase = base
    configuration.apiKeyEnv = key
    return try Endpoint(configuration, Variables([:]))
  }

  private func endpoint(_ model: String, _ base: String? = nil, in variables: [String: String]) throws -> Endpoint {
    var configuration = ModelConfiguration(model: model)
    configuration.apiBase = base
    return try Endpoint(configuration, Variables(variables))
  }

  @Test("a provider's prefix says where requests go and which key they carry")
  func providers() throws {
    let openAI = try endpoint("openai/gpt-4o-mini")
    #expect(openAI.url == "https://api.openai.com/v1/chat/completions")
    #expect(openAI.model == "gpt-4o-mini" && openAI.keyVariable == "OPENAI_API_KEY" && openAI.requiresKey)
    #expect(openAI.tokenLimit == .maxCompletionTokens)
    let ollama = try endpoint("ollama/llama3.2")
    #expect(ollama.base == "http://127.0.0.1:11434/v1" && ollama.keyVariable == nil)
    #expect(try endpoint("openrouter/meta-llama/llama-3").model == "meta-llama/llama-3")
    for provider in Provider.all where provider.base != nil { #expect(try endpoint("\(provider.name)/x").model == "x") }
    #expect(Provider.all.map(\.name) == Provider.all.map(\.name).sorted())
  }

  @Test("with a base URL of one's own any model name will do")
  func ownBase() throws {
    let own = try endpoint("meta-llama/Llama-3", "http://10.0.0.1:8000/v1/")
    #expect(own.model == "meta-llama/Llama-3" && own.base == "http://10.0.0.1:8000/v1")
    #expect(own.keyVariable == nil && own.tokenLimit == .maxTokens)
    #expect(try endpoint("plain", "http://h/v1/chat/completions").base == "http://h/v1")
    #expect(try endpoint("openai/gpt-5-mini", "http://h/v1").tokenLimit == .maxCompletionTokens)
    #expect(try endpoint("x", "http://h/v1", key: "MY_KEY").requiresKey)
    #expect(
      try endpoint("azure/x", "https://a/openai?api-version=1").url == "https://a/openai/chat/completions?api-version=1"
    )
    #expect(try endpoint("azure/x", "https://a/openai").keyVariable == "AZURE_OPENAI_API_KEY")
  }

  @Test("an unknown provider is named with the nearest one and all others")
  func unknown() throws {
    let error = try #require(error { () throws(HoneError) in try endpoint("opnai/gpt-4o") })
    #expect(error.kind == .invalidParams)
    #expect(error.problems.first?.suggestion == "openai")
    #expect(error.problems.first?.allowed.contains("ollama") == true)
    #expect(error.remedy?.contains("openrouter") == true)
    #expect(error.message.contains("opnai"))
  }

  @Test(
    "what cannot be an endpoint is refused before any call",
    arguments: [
      ("gpt-4o", nil), ("openai/", nil), ("azure/x", nil), ("x", "ftp://h"), ("x", "http://"), ("x", "http:///v1"),
      ("x", "http://user:pass@h/v1"), ("x", "http://h/v1\r\nX: y"),
    ] as [(String, String?)])
  func refused(model: String, base: String?) throws {
    let error = try #require(error { () throws(HoneError) in try endpoint(model, base) })
    #expect(error.kind == .invalidParams && !error.problems.isEmpty)
    #expect(!error.description.contains("user:pass"))
  }

  @Test(
    "LiteLLM's prefixes are those of the providers that they mean",
    arguments: [
      ("ollama_chat/m", "ollama"), ("hosted_vllm/m", "vllm"), ("together_ai/m", "together"),
      ("lm_studio/m", "lmstudio"),
      ("fireworks_ai/m", "fireworks"), ("nvidia_nim/m", "nvidia"), ("llamafile/m", "llamacpp"),
    ])
  func litellm(name: String, provider: String) throws {
    let meant = try endpoint(name)
    #expect(meant.provider.name == provider && meant.model == "m")
    #expect(try endpoint(name, "http://h/v1").model == "m")
    #expect(try endpoint(provider + "/m").url == meant.url)
  }

  @Test("what speaks another protocol is refused with what to write instead, and a slip with the nearest name")
  func foreign() throws {
    for name in ["text-completion-openai/gpt", "bedrock/x", "vertex_ai/gemini"] {
      let error = try #require(error { () throws(HoneError) in try endpoint(name) })
      #expect(error.message.contains("chat completions") && error.remedy?.hasPrefix("Write ") == true)
    }
    let slip = try #require(error { () throws(HoneError) in try endpoint("olama_chat/m") })
    #expect(slip.problems.first?.suggestion == "ollama")
    #expect(try endpoint("openai_like/m", "http://h/v1").model == "m")
  }

  @Test("a provider's own variable says where it is, unless the request does")
  func baseVariables() throws {
    let moved = try endpoint("openai/m", in: ["OPENAI_BASE_URL": "http://h:1/v1/", "OPENAI_API_KEY": "k"])
    #expect(moved.url == "http://h:1/v1/chat/completions" && moved.baseVariable == "OPENAI_BASE_URL")
    #expect(moved.keyVariable == "OPENAI_API_KEY" && moved.tokenLimit == .maxTokens)
    #expect(try endpoint("openai/m", in: ["OPENAI_API_BASE": "http://h/v1"]).base == "http://h/v1")
    #expect(
      try endpoint("openai/m", in: ["OPENAI_API_BASE": "http://b", "OPENAI_BASE_URL": "http://a"]).base == "http://a")
    // A server of one's own may want no key.
    #expect(try !endpoint("openai/m", in: ["OPENAI_BASE_URL": "http://h/v1"]).requiresKey)
    #expect(try endpoint("openai/m", in: [:]).requiresKey)
    let stated = try endpoint("openai/m", "http://own/v1", in: ["OPENAI_BASE_URL": "http://h/v1"])
    #expect(stated.base == "http://own/v1" && stated.keyVariable == nil)
    for (model, variable) in [
      ("hosted_vllm/m", "HOSTED_VLLM_API_BASE"), ("groq/m", "GROQ_API_BASE"), ("lm_studio/m", "LM_STUDIO_API_BASE"),
      ("openai_like/m", "OPENAI_LIKE_API_BASE"), ("litellm_proxy/m", "LITELLM_PROXY_API_BASE"),
    ] {
      #expect(try endpoint(model, in: [variable: "https://h/v1"]).base == "https://h/v1", "\(variable)")
    }
    // A key that goes with a variable's base goes to no other.
    let gateway = ["LITELLM_PROXY_API_BASE": "https://h/v1", "LITELLM_PROXY_API_KEY": "k"]
    #expect(try endpoint("litellm_proxy/m", in: gateway).keyVariable == "LITELLM_PROXY_API_KEY")
    #expect(try endpoint("litellm_proxy/m", "https://other/v1", in: gateway).keyVariable == nil)
    #expect(try endpoint("openai_like/m", "https://other/v1", in: ["OPENAI_LIKE_API_KEY": "k"]).keyVariable == nil)
    #expect(try endpoint("groq/m", in: ["OPENAI_BASE_URL": "http://h/v1"]).base == "https://api.groq.com/openai/v1")
    let wrong = try #require(
      error { () throws(HoneError) in
        try Endpoint(
          ModelConfiguration(model: "openai/m"), Variables(["OPENAI_BASE_URL": "ftp://user:secret@h"]))
      })
    #expect(wrong.message.contains("OPENAI_BASE_URL") && !wrong.description.contains("secret"))
    #expect(wrong.problems.allSatisfy { $0.got?.contains("secret") != true })
  }

  @Test(
    "OLLAMA_HOST is read as Ollama reads it",
    arguments: [
      ("gpu", "http://gpu:11434/v1"), ("gpu:8080", "http://gpu:8080/v1"), ("http://gpu:11435", "http://gpu:11435/v1"),
      ("https://gpu", "https://gpu:443/v1"), ("0.0.0.0", "http://127.0.0.1:11434/v1"),
      ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"), (":9000", "http://127.0.0.1:9000/v1"),
      ("http://gpu:1/ollama/", "http://gpu:1/ollama/v1"), ("[::1]", "http://[::1]:11434/v1"),
      ("[::]:5", "http://[::1]:5/v1"), ("\"gpu\"", "http://gpu:11434/v1"),
    ])
  func ollamaHost(value: String, base: String) throws {
    for name in ["ollama/m", "ollama_chat/m"] { #expect(try endpoint(name, in: ["OLLAMA_HOST": value]).base == base) }
  }

  @Test("the path of one service is not taken for the base URL")
  func paths() throws {
    for path in [
      "/v1", "/v1/", "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/models",
      "/v1/v1",
    ] {
      #expect(try endpoint("openai/m", "http://h" + path).url == "http://h/v1/chat/completions", "\(path)")
    }
    for path in ["/api", "/api/chat", "/api/generate/"] {
      #expect(try endpoint("ollama/m", "http://h" + path).url == "http://h/v1/chat/completions", "\(path)")
    }
    for base in ["http://h/v1", "http://h/v1/embeddings", "http://h/v1/chat/completions"] {
      var configuration = ModelConfiguration(model: "openai/m")
      configuration.apiBase = base
      #expect(try Endpoint(configuration, service: .embeddings).url == "http://h/v1/embeddings", "\(base)")
    }
    #expect(try endpoint("openai/m", "http://h/x/v3").url == "http://h/x/v3/chat/completions")
  }

  @Test(
    "Azure's resources are addressed by deployment and version",
    arguments: [
      ([:], "https://r.openai.azure.com", "/openai/deployments/dep/chat/completions?api-version=2024-10-21"),
      (
        ["AZURE_API_VERSION": "2025-01-01"], "https://r.openai.azure.com/",
        "/openai/deployments/dep/chat/completions?api-version=2025-01-01"
      ),
      (
        ["OPENAI_API_VERSION": "2025-01-01"], "https://r.openai.azure.com",
        "/openai/deployments/dep/chat/completions?api-version=2025-01-01"
      ),
      (
        ["AZURE_API_VERSION": "x"], "https://r.openai.azure.com?api-version=y",
        "/openai/deployments/dep/chat/completions?api-version=y"
      ),
      (
        ["AZURE_API_VERSION": "preview"], "https://r.openai.azure.com",
        "/openai/v1/chat/completions?api-version=preview"
      ),
      (["AZURE_API_VERSION": "x"], "https://r.openai.azure.com/openai/v1", "/openai/v1/chat/completions"),
      (
        ["AZURE_API_VERSION": "x"], "https://r.openai.azure.com/openai/deployments/d2",
        "/openai/deployments/d2/chat/completions?api-version=x"
      ),
    ] as [([String: String], String, String)])
  func azure(variables: [String: String], base: String, path: String) throws {
    let host = "https://r.openai.azure.com"
    #expect(try endpoint("azure/dep", base, in: variables).url == host + path)
    for name in ["AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"] {
      let found = try endpoint("azure/dep", in: variables.merging([name: base, "AZURE_API_KEY": "k"]) { $1 })
      #expect(found.url == host + path && found.keyVariable == "AZURE_API_KEY" && found.requiresKey)
    }
  }

  @Test("a variable that moves a provider makes another model of it")
  func movedIdentity() throws {
    func identity(_ variables: [String: String]) throws -> String {
      try OpenAICompatibleModel(ModelConfiguration(model: "openai/m"), Variables(variables)).identity
    }
    #expect(try identity([:]) != identity(["OPENAI_BASE_URL": "http://a/v1"]))
    #expect(try identity(["OPENAI_API_BASE": "http://a/v1"]) == identity(["OPENAI_BASE_URL": "http://a/v1/"]))
    #expect(try identity(["HTTPS_PROXY": "http://p:1"]) == identity([:]))
  }

  @Test("a key's variable must be a variable's name")
  func variable() {
    #expect(error { () throws(HoneError) in try endpoint("openai/x", nil, key: "sk-abc def") } != nil)
  }

  @Test("two endpoints with one model name are two models")
  func identity() throws {
    func model(_ base: String) throws -> OpenAICompatibleModel {
      var configuration = ModelConfiguration(model: "openai/x")
      configuration.apiBase = base
      return try OpenAICompatibleModel(configuration)
    }
    #expect(try model("http://a/v1").identity != model("http://b/v1").identity)
    #expect(try model("http://a/v1").identity == model("http://a/v1/").identity)
  }

  @Test("the registry makes simulated and HTTP models, and no client's callback")
  func registry() throws {
    #expect(try ModelRegistry.make(.simulated) is SimulatedModel)
    #expect(try ModelRegistry.make(ModelConfiguration(model: "ollama/x")) is OpenAICompatibleModel)
    var callback = ModelConfiguration(model: "client/x")
    callback.client = "x"
    let given = callback
    #expect(error { () throws(HoneError) in try ModelRegistry.make(given) }?.kind == .invalidParams)
  }

  private func error(_ body: () throws(HoneError) -> some Any) -> HoneError? {
    do throws(HoneError) {
      _ = try body()
      return nil
    } catch {
      return error
    }
  }
}
