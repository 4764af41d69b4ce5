import Basics
import JSON
import Messages
import Schema
import Traces

/// What a span says in the names of OpenTelemetry's semantic conventions for generative AI (`GenAIFacts`).
enum GenAIAttributes {
  /// Who provides a model, in the conventions' words, by the prefix under which it is asked for.
  private static let providers = [
    "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "cohere": "cohere", "gemini": "gcp.gemini",
    "mistral": "mistral_ai", "vertex_ai": "gcp.vertex_ai", "xai": "x_ai",
  ]

  static func of(_ span: Span) -> JSONObject {
    var facts = GenAIFacts()
    switch span.kind {
    case .chatModel: facts = chat(span)
    case .tool:
      facts.operationName = "execute_tool"
      facts.toolName = span.name.hasPrefix("Tool.") ? String(span.name.dropFirst(5)) : span.name
    case .agent:
      facts.operationName = "invoke_agent"
      facts.agentName = span.name
    default: break
    }
    return facts.jsonObject
  }

  private static func chat(_ span: Span) -> GenAIFacts {
    let call = ChatModelFacts(.object(span.attributes))
    var facts = GenAIFacts()
    facts.operationName = "chat"
    if let name = call.model {
      let parts = name.split(separator: "/", maxSplits: 1)
      let prefix = String(parts[0])
      facts.providerName = providers[prefix] ?? prefix
      facts.requestModel = parts.count == 2 ? String(parts[1]) : name
    }
    facts.settings = call.settings
    facts.inputTokens = call.usage?.inputTokens
    facts.outputTokens = call.usage?.outputTokens
    if let messages = span.inputs.json?.arrayValue?.map({ ChatMessageFacts($0) }) {
      let systems = messages.filter { $0.role == "system" }
      if !systems.isEmpty { facts.systemInstructions = text(systems.map(\.part)) }
      facts.inputMessages = text(messages.filter { $0.role != "system" }.map(\.message))
    }
    if let completions = span.outputs.json?.arrayValue {
      facts.outputMessages = text(completions.map { ChatMessageFacts("assistant", $0).message })
    }
    // A candidate is a version of the predictor's prompt: backends can group trials by it.
    if case .prompt(let prompt) = span.inputs, !prompt.shared.messages.isEmpty {
      facts.promptVersion = String(prompt.shared.digest.description.prefix(12))
    }
    return facts
  }

  /// Structured values are sent as JSON text, which every backend takes.
  private static func text(_ values: [JSONValue]) -> String { JSONValue.array(values).text() }

  /// An assessment, made at a time in milliseconds since 1970, as the conventions' evaluation event.
  static func event(_ assessment: Assessment, created: Int) -> SpanEvent {
    var result = GenAIEvaluation()
    result.name = assessment.name
    switch assessment.value {
    case .bool(let isRight):
      result.score = isRight ? 1 : 0
      result.label = isRight ? "pass" : "fail"
    case .null: break
    case .string(let label): result.label = label
    case let value:
      result.score = value.doubleValue
      if result.score == nil { result.label = value.text() }
    }
    result.explanation = assessment.rationale
    result.error = assessment.error
    return SpanEvent(
      name: "gen_ai.evaluation.result", time: created * 1_000_000, attributes: result.jsonObject)
  }
}
