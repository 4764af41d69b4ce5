import Failures
package import JSON

/// Which model is asked, and how: the `lm`, `promptModel` and `teacher` of a request.
///
/// Either a name (`"openai/gpt-4o-mini"`) or an object. Holds the *names* of the environment variables that have the
/// key and the headers' values, never these themselves: a configuration may be stored and shown as it is.
package struct ModelConfiguration: Sendable, Hashable {
  /// Provider and model, as `provider/model`; `simulated`; or any name where `apiBase` is given.
  package var model: String
  /// The endpoint's base URL, up to but without `/chat/completions`.
  package var apiBase: String?
  /// The environment variable that holds the key; nil means the provider's usual one.
  package var apiKeyEnv: String?
  /// Further headers of requests: for each name the environment variable that holds the value.
  package var headers: [String: String] = [:]
  package var sampling = SamplingOptions()
  /// Whether an equal request may be answered from the store.
  package var cache = true
  /// Seconds that a request may take; nil: a time that follows from what the model usually takes.
  package var timeout: Double?
  /// How many more attempts follow a failed one that is worth another; nil: as many as its kind of fault is worth.
  package var retries: Int?
  /// Whether a request whose answer is unusually late is made a second time; nil: where the endpoint is fit for that.
  package var hedge: Bool?
  /// Seconds after which an answer is late; nil: a time that follows from what the model usually takes.
  package var hedgeAfter: Double?
  /// US dollars per million input and output tokens, where the request states them.
  package var inputPrice: Double?
  package var outputPrice: Double?
  /// A client's callback in place of an endpoint.
  package var client: String?

  package init(model: String) { self.model = model }

  package static let simulated = ModelConfiguration(model: "simulated")
  package var isSimulated: Bool { model == "simulated" }

  /// Reads the `lm` of a request; notes every problem and then returns nil.
  package init?(_ value: JSONValue, path: String, problems: ProblemList) {
    if case .string(let name) = value {
      self.init(model: name)
      if name.isEmpty { problems.add(path, "The model's name is empty.") }
      return
    }
    guard let fields = FieldReader(value, path: path, problems: problems) else { return nil }
    let before = problems.problems.count
    let client = fields.string("client")
    let model = fields.string("model") ?? client.map { "client/\($0)" }
    if model == nil { problems.add(fields.place("model"), "This member is required (a string).") }
    self.init(model: model ?? "")
    self.client = client
    apiBase = fields.string("apiBase", "api_base", "baseUrl", "base_url")
    apiKeyEnv = fields.string("apiKeyEnv", "api_key_env")
    headers = Self.headers(fields)
    readSecrets(fields)
    sampling.temperature = fields.double("temperature", in: 0...10)
    sampling.topP = fields.double("topP", "top_p", in: 0...1)
    sampling.maxTokens = fields.int("maxTokens", "max_tokens", "max_completion_tokens", in: 1...Int.max)
    sampling.stop = fields.strings("stop") ?? []
    sampling.seed = fields.int("seed")
    sampling.n = fields.int("n", in: 1...128) ?? 1
    sampling.extra = fields.object("extra") ?? [:]
    // Another client's function of the same name is another model: answers are shared only where the client says so.
    cache = fields.bool("cache") ?? (client == nil)
    timeout = fields.double("timeout", in: 0.001...86_400)
    retries = fields.int("retries", "numRetries", "num_retries", in: 0...100) ?? (client == nil ? nil : 2)
    hedge = fields.bool("hedge")
    hedgeAfter = fields.double("hedgeAfter", "hedge_after", in: 0.001...86_400)
    if let price = fields.object("price") {
      let prices = FieldReader(price, path: fields.place("price"), problems: problems)
      inputPrice = prices.double("input", in: 0 ... .infinity)
      outputPrice = prices.double("output", in: 0 ... .infinity)
      prices.finish()
    }
    fields.finish()
    guard problems.problems.count == before else { return nil }
  }

  /// This configuration as a request would state it: read back, it gives an equal one.
  package var json: JSONObject {
    var object: JSONObject = ["model": .string(model)]
    if let client { object["client"] = .string(client) }
    if let apiBase { object["apiBase"] = .string(apiBase) }
    if let apiKeyEnv { object["apiKeyEnv"] = .string(apiKeyEnv) }
    if !headers.isEmpty {
      let sorted = headers.sorted { $0.key < $1.key }
      object["headers"] = .object(JSONObject(sorted.map { ($0.key, ["env": .string($0.value)]) }))
    }
    if let temperature = sampling.temperature { object["temperature"] = .double(temperature) }
    if let topP = sampling.topP { object["topP"] = .double(topP) }
    if let maxTokens = sampling.maxTokens { object["maxTokens"] = .int(maxTokens) }
    if !sampling.stop.isEmpty { object["stop"] = .array(sampling.stop.map(JSONValue.string)) }
    if let seed = sampling.seed { object["seed"] = .int(seed) }
    if sampling.n != 1 { object["n"] = .int(sampling.n) }
    if !sampling.extra.isEmpty { object["extra"] = .object(sampling.extra) }
    object["cache"] = .bool(cache)
    if let timeout { object["timeout"] = .double(timeout) }
    if let retries { object["retries"] = .int(retries) }
    if let hedge { object["hedge"] = .bool(hedge) }
    if let hedgeAfter { object["hedgeAfter"] = .double(hedgeAfter) }
    if inputPrice != nil || outputPrice != nil {
      object["price"] = ["input": JSONValue(inputPrice), "output": JSONValue(outputPrice)]
    }
    return object
  }
}
