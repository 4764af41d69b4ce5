import Failures
import HTTPModels
import LanguageModels
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
    return try Endpoint(configuration)
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
