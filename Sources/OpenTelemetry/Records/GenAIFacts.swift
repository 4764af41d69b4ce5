import JSON
package import Schema

/// Attributes of a span in the names of OpenTelemetry's semantic conventions for generative AI.
///
/// Source: opentelemetry.io, "Semantic conventions for generative AI systems" (Development; names as of 1.42 and its
/// successor repository). Names that have moved are written in the newer form only.
struct GenAIFacts: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("gen_ai.operation.name", \.operationName),
    Member("gen_ai.tool.name", \.toolName),
    Member("gen_ai.agent.name", \.agentName),
    Member("gen_ai.provider.name", \.providerName),
    Member("gen_ai.request.model", \.requestModel),
    Member("gen_ai.request.temperature", \.settings.temperature),
    Member("gen_ai.request.top_p", \.settings.topP),
    Member("gen_ai.request.max_tokens", \.settings.maxTokens),
    Member("gen_ai.request.seed", \.settings.seed),
    Member("gen_ai.request.stop_sequences", \.settings.stop),
    Member("gen_ai.request.choice.count", \.settings.n),
    Member("gen_ai.usage.input_tokens", \.inputTokens),
    Member("gen_ai.usage.output_tokens", \.outputTokens),
    Member("gen_ai.system_instructions", \.systemInstructions),
    Member("gen_ai.input.messages", \.inputMessages),
    Member("gen_ai.output.messages", \.outputMessages),
    Member("gen_ai.prompt.version", \.promptVersion),
  ]
  var operationName: String?
  var toolName: String?
  var agentName: String?
  var providerName: String?
  var requestModel: String?
  var settings = CallSettings()
  var inputTokens: Int?
  var outputTokens: Int?
  /// Messages and their parts, as JSON text.
  var systemInstructions: String?
  var inputMessages: String?
  var outputMessages: String?
  var promptVersion: String?
}

/// A model's settings in one call, as a span holds them.
struct CallSettings: Sendable {
  var temperature = JSONValue.null
  var topP = JSONValue.null
  var maxTokens = JSONValue.null
  var seed = JSONValue.null
  var stop = JSONValue.null
  var n = JSONValue.null
}

/// What a model call's span says in its attributes.
struct ChatModelFacts: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("model", \.model),
    Member("temperature", \.settings.temperature),
    Member("top_p", \.settings.topP),
    Member("max_tokens", \.settings.maxTokens),
    Member("seed", \.settings.seed),
    Member("stop", \.settings.stop),
    Member("n", \.settings.n),
    Member("mlflow.chat.tokenUsage", \.usage),
  ]
  var model: String?
  var settings = CallSettings()
  var usage: TokenCounts?
}

/// Tokens as MLflow counts them.
package struct TokenCounts: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("input_tokens", \.inputTokens), Member("output_tokens", \.outputTokens),
    Member("total_tokens", \.totalTokens),
  ]
  package var inputTokens: Int?
  package var outputTokens: Int?
  package var totalTokens: Int?

  package init() {}
}

/// A message of a chat as a span holds it.
struct ChatMessageFacts: ForeignRecord {
  static let members: [Member<Self>] = [Member("role", \.role), Member("content", \.content)]
  var role = "user"
  var content = JSONValue.null

  init() {}

  init(_ role: String, _ content: JSONValue) {
    self.role = role
    self.content = content
  }

  /// The message in the conventions' form.
  var message: JSONValue { ["role": .string(role), "parts": [part]] }
  var part: JSONValue { ["type": "text", "content": content] }
}

/// The event of an evaluation's result.
struct GenAIEvaluation: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("gen_ai.evaluation.name", \.name),
    Member("gen_ai.evaluation.score.value", \.score),
    Member("gen_ai.evaluation.score.label", \.label),
    Member("gen_ai.evaluation.explanation", \.explanation),
    Member("error.type", \.error),
  ]
  var name = ""
  var score: Double?
  var label: String?
  var explanation: String?
  var error: String?
}
