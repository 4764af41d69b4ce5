import Failures
package import JSON
package import Schema

/// Which model is asked, and how: the `lm`, `promptModel` and `teacher` of a request.
///
/// Either a name (`"openai/gpt-4o-mini"`) or an object. Holds the *names* of the environment variables that have the
/// key and the headers' values, never these themselves: a configuration may be stored and shown as it is.
package struct ModelConfiguration: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member("model", \.model, isAlwaysWritten: true, "provider/model, such as openai/gpt-4o-mini; or simulated."),
    Member("client", \.client, "A model of the client that asks, called back for each request."),
    Member(
      "apiBase", \.apiBase, also: ["baseUrl", "base_url"], "The endpoint's base URL, without /chat/completions."),
    Member(
      "apiKeyEnv", \.apiKeyEnv, mayHoldSecret: true,
      "The environment variable of the service that holds the key; by default the provider's usual one."),
    Member(
      "headers", \.headers, also: ["extra_headers", "extraHeaders"],
      "Further headers of requests, each as {\"env\": VARIABLE}: the service's environment holds the value."),
    Member("temperature", \.sampling.temperature, in: 0...10, "How freely the model chooses its words."),
    Member("topP", \.sampling.topP, in: 0...1, "Restricts the choice to the likeliest words."),
    Member(
      "maxTokens", \.sampling.maxTokens, also: ["max_completion_tokens"], in: 1...Int.max,
      "How many tokens a reply may have."),
    Member("stop", \.sampling.stop, "Texts at which a reply ends."),
    Member("seed", \.sampling.seed, "Asks the endpoint for reproducible replies."),
    Member("n", \.sampling.n, in: 1...128, "How many completions a request asks for."),
    Member("extra", \.sampling.extra, "Further members of the request to the endpoint."),
    Member("cache", \.cache, isAlwaysWritten: true, "Whether an equal request is answered from the store."),
    Member(
      "timeout", \.timeout, in: 0.001...86_400,
      "Seconds that a request may take; by default derived from the model's usual times."),
    Member(
      "retries", \.retries, also: ["numRetries", "num_retries"], in: 0...100,
      "How many retries follow a failed attempt; by default it depends on the kind of failure."),
    Member(
      "maxWait", \.maxWait, in: 0...604_800,
      "Seconds that a call waits for an endpoint that asks for pauses, all of them together; 600 by default. One that asks for more pauses the run."
    ),
    Member(
      "hedge", \.hedge,
      "Whether a request whose answer is unusually late is sent a second time; by default only where the endpoint allows it."
    ),
    Member(
      "hedgeAfter", \.hedgeAfter, in: 0.001...86_400,
      "Seconds after which an answer is late; by default derived from the model's usual times."),
    Member("price", \.price, "US dollars per million tokens, where Hone does not know them."),
  ]

  /// US dollars per million tokens.
  package struct Price: SchemaObject, Hashable {
    package static let members: [Member<Self>] = [
      Member("input", \.input, in: 0 ... .infinity, "US dollars per million input tokens."),
      Member("output", \.output, in: 0 ... .infinity, "US dollars per million output tokens."),
    ]

    package var input: Double?
    package var output: Double?

    package init() {}

    package init(input: Double? = nil, output: Double? = nil) {
      self.input = input
      self.output = output
    }
  }

  /// As `provider/model`; `simulated`; or any name where `apiBase` is given.
  package var model = ""
  /// A client's callback in place of an endpoint.
  package var client: String?
  package var apiBase: String?
  package var apiKeyEnv: String?
  package var headers = HeaderVariables()
  package var sampling = SamplingOptions()
  package var cache = true
  package var timeout: Double?
  package var retries: Int?
  package var maxWait: Double?
  package var hedge: Bool?
  package var hedgeAfter: Double?
  package var price: Price?

  package init() {}
  package init(model: String) { self.model = model }

  package static let simulated = ModelConfiguration(model: "simulated")
  package var isSimulated: Bool { model == "simulated" }

  package static var schema: Schema {
    Schema(.named("LanguageModel"), "a model such as \"openai/gpt-4o-mini\", or \"simulated\" to try things offline")
  }

  /// What stands under that name.
  package static var shape: Schema {
    var name = Schema(.string, "provider/model")
    name.examples = ["openai/gpt-4o-mini", "simulated"]
    return Schema(
      .either([name, Schema(.object(fields))]),
      "provider/model, an object, or a function of the client's; \"simulated\" is the embedded simulation.")
  }

  /// Reads the `lm` of a request; notes every problem and then returns nil.
  package init?(_ value: JSONValue, path: String, problems: ProblemList) {
    guard let read = Self.read(value, at: path, problems) else { return nil }
    self = read
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> ModelConfiguration? {
    guard let name = value.stringValue else {
      return FieldReader(value, path: place, problems: problems).flatMap { read($0) }
    }
    if name.isEmpty {
      problems.add(place, "The model's name is empty.")
      return nil
    }
    return ModelConfiguration(model: name)
  }

  package mutating func settle(_ fields: FieldReader) {
    if let client {
      if !fields.gives("model") { model = "client/\(client)" }
      // Another client's function of the same name is another model: answers are shared only where the client says so.
      if !fields.gives("cache") { cache = false }
      retries = retries ?? 2
    } else if model.isEmpty {
      fields.problems.add(fields.place("model"), "This member is required (a string).")
    }
    noteSecrets(fields)
  }

  /// This configuration as a request would state it: read back, it gives an equal one.
  package var json: JSONObject { given }
}
