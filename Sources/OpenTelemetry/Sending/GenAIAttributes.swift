import Basics
import JSON
import Messages
import Traces

/// What a span says in the names of OpenTelemetry's semantic conventions for generative AI.
///
/// Source: opentelemetry.io, "Semantic conventions for generative AI systems" (Development; names as of 1.42 and its
/// successor repository). Names that have moved are written in the newer form only.
enum GenAIAttributes {
  /// Who provides a model, in the conventions' words, by the prefix under which it is asked for.
  private static let providers = [
    "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "cohere": "cohere", "gemini": "gcp.gemini",
    "mistral": "mistral_ai", "vertex_ai": "gcp.vertex_ai", "xai": "x_ai",
  ]

  /// A model's settings, by the names under which spans hold them.
  private static let settings = [
    ("temperature", "gen_ai.request.temperature"), ("top_p", "gen_ai.request.top_p"),
    ("max_tokens", "gen_ai.request.max_tokens"), ("seed", "gen_ai.request.seed"),
    ("stop", "gen_ai.request.stop_sequences"), ("n", "gen_ai.request.choice.count"),
  ]

  static func of(_ span: Span) -> JSONObject {
    switch span.kind {
    case .chatModel: chat(span)
    case .tool:
      [
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": .string(span.name.hasPrefix("Tool.") ? String(span.name.dropFirst(5)) : span.name),
      ]
    case .agent: ["gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": .string(span.name)]
    default: [:]
    }
  }

  private static func chat(_ span: Span) -> JSONObject {
    var result: JSONObject = ["gen_ai.operation.name": "chat"]
    if let name = span.attributes["model"]?.stringValue {
      let parts = name.split(separator: "/", maxSplits: 1)
      let prefix = String(parts[0])
      result["gen_ai.provider.name"] = .string(providers[prefix] ?? prefix)
      result["gen_ai.request.model"] = .string(parts.count == 2 ? String(parts[1]) : name)
    }
    for (name, convention) in settings {
      if let value = span.attributes[name], !value.isNull { result[convention] = value }
    }
    if let usage = span.attributes["mlflow.chat.tokenUsage"] {
      if let tokens = usage["input_tokens"] { result["gen_ai.usage.input_tokens"] = tokens }
      if let tokens = usage["output_tokens"] { result["gen_ai.usage.output_tokens"] = tokens }
    }
    if let messages = span.inputs.json?.arrayValue {
      let systems = messages.filter { $0["role"] == "system" }
      if !systems.isEmpty {
        result["gen_ai.system_instructions"] = text(systems.map { part($0["content"] ?? .null) })
      }
      result["gen_ai.input.messages"] = text(
        messages.filter { $0["role"] != "system" }.map { message($0["role"] ?? "user", $0["content"] ?? .null) })
    }
    if let completions = span.outputs.json?.arrayValue {
      result["gen_ai.output.messages"] = text(completions.map { message("assistant", $0) })
    }
    // A candidate is a version of the predictor's prompt: backends can group trials by it.
    if case .prompt(let prompt) = span.inputs, !prompt.shared.messages.isEmpty {
      result["gen_ai.prompt.version"] = .string(String(prompt.shared.digest.description.prefix(12)))
    }
    return result
  }

  private static func message(_ role: JSONValue, _ content: JSONValue) -> JSONValue {
    ["role": role, "parts": [part(content)]]
  }

  private static func part(_ content: JSONValue) -> JSONValue { ["type": "text", "content": content] }

  /// Structured values are sent as JSON text, which every backend takes.
  private static func text(_ values: [JSONValue]) -> JSONValue { .string(JSONValue.array(values).text()) }

  /// An assessment, made at a time in milliseconds since 1970, as the conventions' evaluation event.
  static func event(_ assessment: Assessment, created: Int) -> SpanEvent {
    var attributes: JSONObject = ["gen_ai.evaluation.name": .string(assessment.name)]
    switch assessment.value {
    case .bool(let isRight):
      attributes["gen_ai.evaluation.score.value"] = .double(isRight ? 1 : 0)
      attributes["gen_ai.evaluation.score.label"] = .string(isRight ? "pass" : "fail")
    case .null: break
    case .string(let label): attributes["gen_ai.evaluation.score.label"] = .string(label)
    case let value:
      if let number = value.doubleValue {
        attributes["gen_ai.evaluation.score.value"] = .double(number)
      } else {
        attributes["gen_ai.evaluation.score.label"] = .string(value.text())
      }
    }
    if let rationale = assessment.rationale { attributes["gen_ai.evaluation.explanation"] = .string(rationale) }
    if let error = assessment.error { attributes["error.type"] = .string(error) }
    return SpanEvent(name: "gen_ai.evaluation.result", time: created * 1_000_000, attributes: attributes)
  }
}
