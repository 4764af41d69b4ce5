package import Failures
package import JSON
package import Messages

/// What decides a completion besides the prompt. Nil means: what the endpoint does by itself.
package struct SamplingOptions: Sendable, Hashable {
  package var temperature: Double?
  package var topP: Double?
  /// The most tokens to generate.
  package var maxTokens: Int?
  package var stop: [String] = []
  package var seed: Int?
  /// How many completions to return.
  package var n: Int = 1
  /// A strict JSON Schema that the reply is to satisfy, where the endpoint can see to that.
  package var schema: JSONValue?
  /// Members passed into the request body as they are (`reasoning_effort`, `response_format` …).
  package var extra: JSONObject = [:]

  package init() {}

  /// The options that are set, under the wire's names; also how they are shown and stored.
  package var json: JSONObject {
    var object = JSONObject()
    if let temperature { object["temperature"] = .double(temperature) }
    if let topP { object["top_p"] = .double(topP) }
    if let maxTokens { object["max_tokens"] = .int(maxTokens) }
    if !stop.isEmpty { object["stop"] = .array(stop.map(JSONValue.string)) }
    if let seed { object["seed"] = .int(seed) }
    if n != 1 { object["n"] = .int(n) }
    if let schema {
      object["response_format"] = [
        "type": "json_schema", "json_schema": ["name": "outputs", "strict": true, "schema": schema],
      ]
    }
    return object.merging(extra)
  }
}

/// One request to a model, complete and independent of who asks.
package struct ModelRequest: Sendable {
  package var prompt: Prompt
  package var options: SamplingOptions
  /// Tells otherwise equal requests apart, as `CallContext.rollout` does. Never sent to an endpoint.
  package var rollout: Int

  package init(prompt: Prompt, options: SamplingOptions = SamplingOptions(), rollout: Int = 0) {
    self.prompt = prompt
    self.options = options
    self.rollout = rollout
  }
}

/// Whether, and when, a failed attempt is worth another.
package enum RetryAdvice: Sendable, Hashable {
  /// The same request would fail again (bad key, bad request).
  case never
  /// Try again after a growing, jittered pause.
  case backOff
  /// The endpoint named the pause, in seconds, before which it will not answer.
  case after(Double)
  /// The endpoint does not know a member of the request, which the next one leaves out: try again at once.
  case adapted
}

/// What is known of the tokens that a failed request took.
package enum Spending: Sendable, Hashable {
  /// None: it was not sent, or the endpoint refused it with a status that costs nothing.
  case nothing
  /// It was sent, and nobody said what the endpoint made of it.
  case unknown
  /// As the endpoint counted them, and the US dollars that it told, if it did.
  case counted(TokenUsage, cost: Double? = nil)
}

/// Why one attempt at a completion failed.
package struct ModelFailure: Error, Sendable {
  package var error: HoneError
  package var retry: RetryAdvice
  package var spent: Spending

  package init(_ error: HoneError, retry: RetryAdvice, spent: Spending = .unknown) {
    self.error = error
    self.retry = retry
    self.spent = spent
  }
}

/// Something that completes chats: an HTTP endpoint, the simulated model, a client's callback.
///
/// It makes one attempt. Retries, the limiter, caching, budgets and accounting are done around it by
/// `ModelClient`.
package protocol LanguageModel: Sendable {
  /// What makes two models answer alike: provider, endpoint and model name. Part of every cache key.
  var identity: String { get }
  /// Which limiter this model's calls pass through: the endpoint without the model's name.
  var endpoint: String { get }

  /// Whether the endpoint works on calls independently of each other, so that one whose answer is unusually late is
  /// stuck, not waiting its turn: it may be given up early, or asked for twice.
  var isElastic: Bool { get }

  /// Whether it answers the same request alike for ever, at no cost: no answer of it is worth waiting for the disk.
  var isReproducible: Bool { get }

  /// What is known of its support for schemas; nil where schemas are not passed on.
  var schemaSupport: LearnedSchemaSupport? { get }

  /// Whether the endpoint gives one completion a request, so that each of several takes a request of its own.
  var splitsChoices: Bool { get }

  /// One attempt. Cancelling the task aborts it at once.
  ///
  /// The error's kind is one of `languageModelUnavailable`, `rateLimited`, `authentication`,
  /// `languageModelRejected`, `contextWindowExceeded`, `malformedReply`, `timeout`, `cancelled`.
  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply
}

extension LanguageModel {
  package var isElastic: Bool { false }
  package var isReproducible: Bool { false }
  package var schemaSupport: LearnedSchemaSupport? { nil }
  package var splitsChoices: Bool { false }
}
