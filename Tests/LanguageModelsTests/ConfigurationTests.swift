import Failures
import JSON
import LanguageModels
import Messages
import Schema
import Testing

@Suite("ModelConfiguration")
struct ConfigurationTests {
  @Test("a configuration written as JSON is read back equal")
  func roundTrip() throws {
    var configuration = ModelConfiguration(model: "vllm/llama")
    configuration.apiBase = "http://127.0.0.1:1/v1"
    configuration.apiKeyEnv = "MY_KEY"
    configuration.sampling.temperature = 0.5
    configuration.sampling.maxTokens = 100
    configuration.sampling.stop = ["END"]
    configuration.sampling.seed = 0
    configuration.sampling.n = 3
    configuration.sampling.extra = ["reasoning_effort": "low"]
    configuration.cache = false
    configuration.price = .init(input: 1, output: 2)
    let problems = ProblemList()
    #expect(ModelConfiguration(.object(configuration.json), path: "lm", problems: problems) == configuration)
    #expect(ModelConfiguration("simulated", path: "lm", problems: problems) == .simulated)
    #expect(problems.isEmpty)
  }

  @Test("every problem is told, each with its place, and a key's value is never taken")
  func problems() {
    let problems = ProblemList()
    let value: JSONValue = [
      "model": 7, "temperature": "hot", "max_tokens": 0, "apiKey": "sk-very-secret-value", "retrys": 1,
    ]
    #expect(ModelConfiguration(value, path: "lm", problems: problems) == nil)
    #expect(
      Set(problems.problems.map(\.path)).isSuperset(of: [
        "lm.model", "lm.temperature", "lm.max_tokens", "lm.apiKey", "lm.retrys",
      ]))
    #expect(problems.problems.allSatisfy { !$0.description.contains("very-secret") })
    #expect(problems.problems.first { $0.path == "lm.retrys" }?.suggestion == "retries")
  }
}

@Suite("PriceTable")
struct PriceTableTests {
  private func price(_ model: String, _ change: (inout ModelConfiguration) -> Void = { _ in }) -> PriceTable.Price? {
    var configuration = ModelConfiguration(model: model)
    change(&configuration)
    return PriceTable.price(of: configuration)
  }

  @Test("a well-known model has a price, whichever edition is named")
  func known() {
    let mini = price("openai/gpt-4o-mini")
    #expect(mini == PriceTable.Price(input: 0.15, output: 0.6))
    #expect(price("openai/gpt-4o-mini-2024-07-18") == mini)
    #expect(price("mistral/mistral-large-latest") != nil)
    #expect(mini?.cost(of: TokenUsage(inputTokens: 2_000_000, outputTokens: 1_000_000)) == 0.9)
  }

  @Test("another model of a known family, another base URL, and unheard-of models have none")
  func unknown() {
    #expect(price("openai/gpt-5-pro") == nil)
    #expect(price("openai/gpt-4o-mini-audio") == nil)
    #expect(price("openai/gpt-4o-mini") { $0.apiBase = "http://127.0.0.1/v1" } == nil)
    #expect(price("nobody/gpt-4o-mini") == nil)
    #expect(price("gpt-4o-mini") == nil)
  }

  @Test("a stated price goes first; simulated and local models are free")
  func stated() {
    #expect(price("openai/gpt-4o") { $0.price = .init(input: 7, output: 8) } == PriceTable.Price(input: 7, output: 8))
    #expect(price("simulated") == PriceTable.Price(input: 0, output: 0))
    #expect(price("ollama/llama3") == PriceTable.Price(input: 0, output: 0))
  }
}

@Suite("Redactor")
struct RedactorTests {
  @Test(
    "what stands in a secret's place by mistake is not quoted, whatever its kind",
    arguments: [
      ["headers": "Bearer planted0815"], ["headers": ["X": "planted0815"]],
      ["headers": ["X": ["env": ["planted0815"]]]],
      ["apiKeyEnv": ["planted0815"]], ["apiKeyEnv": ["key": "planted0815"]], ["api_key": "planted0815"],
    ] as [JSONObject])
  func isNotQuoted(members: JSONObject) {
    let problems = ProblemList()
    let value = JSONValue.object(JSONObject([("model", "openai/x")]).merging(members))
    #expect(ModelConfiguration(value, path: "lm", problems: problems) == nil)
    #expect(!problems.isEmpty)
    #expect(!"\(problems.problems) \(problems.problems.map(\.got))".contains("planted0815"))
  }

  @Test(
    "known secrets and the common shapes of keys are masked",
    arguments: [
      ("my secret hunter2hunter2 is out", "my secret [redacted] is out"),
      ("Incorrect API key provided: sk-proj-abc123DEF456.", "Incorrect API key provided: [redacted]"),
      ("key sk-proj-****************abcd", "key [redacted]"),
      ("authorization: Bearer abcdefghijkl", "authorization: Bearer [redacted]"),
      ("AIzaSyA1234567890abc used", "[redacted] used"),
      ("http://x/?api_key=abcdefgh123&y=1", "http://x/?api_key=[redacted]&y=1"),
      ("hunter2hunter2hunter2hunter2", "[redacted][redacted]"),
      ("x-hunter2hunter2-y ü", "x-[redacted]-y ü"),
    ])
  func masked(text: String, expected: String) {
    #expect(Redactor(secrets: ["hunter2hunter2"]).redact(text) == expected)
  }

  @Test(
    "other text stays as it is",
    arguments: [
      "the task-list of a bearer of news", "sk-", "basic problem", "a key=value pair", "ünïcödé [[ ## a ## ]]", "",
    ])
  func untouched(text: String) {
    #expect(Redactor(secrets: ["hunter2hunter2", "short"]).redact(text) == text)
  }

  @Test("of two secrets the longer is masked whole")
  func longest() {
    #expect(Redactor(secrets: ["abcdefgh", "abcdefghijkl"]).redact("abcdefghijkl") == "[redacted]")
  }
}
