import JSON

/// JSON Schemas (2020-12) of the shapes that results and callbacks share; those of requests are made from their
/// declarations (`Catalog.shapes`).
enum Shape {
  static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }
  static func array(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }
  static func object(_ properties: JSONObject, required: [String] = []) -> JSONValue {
    var schema: JSONObject = ["type": "object", "properties": .object(properties)]
    if !required.isEmpty { schema["required"] = .array(required.map(JSONValue.string)) }
    return .object(schema)
  }
  static let string: JSONValue = ["type": "string"]
  static let integer: JSONValue = ["type": "integer"]
  static let number: JSONValue = ["type": "number"]
  static let boolean: JSONValue = ["type": "boolean"]
  static let anyObject: JSONValue = ["type": "object"]
  static let optionalString: JSONValue = ["type": ["string", "null"]]

  static let all: JSONObject = [
    "Tool": object(
      ["name": string, "description": string, "args": anyObject, "timeout": number], required: ["name"]),
    "Signature": [
      "description": "\"in1, in2: type -> out\", or its fields one by one.",
      "anyOf": [
        string,
        object([
          "inputs": array(["type": ["string", "object"]]), "outputs": array(["type": ["string", "object"]]),
          "instructions": string,
        ]),
      ],
    ],
    "MetricAnswer": [
      "description": "What metric/score is answered with: a score, or a score with feedback.",
      "anyOf": [
        number, boolean,
        object(["score": ["type": ["number", "boolean"]], "feedback": optionalString], required: ["score"]),
      ],
    ],
    "CompletionAnswer": [
      "description": "What languageModel/complete is answered with; a chat completion of OpenAI's is one.",
      "anyOf": [
        string,
        object(
          ["text": string, "finishReason": string, "model": string, "usage": reference("TokenCount")],
          required: ["text"]),
        object(
          [
            "choices": array([
              "anyOf": [
                string, object(["text": string, "finish_reason": string], required: ["text"]),
                object(["message": object(["content": string]), "finish_reason": string], required: ["message"]),
              ]
            ]),
            "model": string, "usage": reference("TokenCount"),
          ], required: ["choices"]),
      ],
    ],
    "TokenCount": object([
      "inputTokens": integer, "outputTokens": integer, "prompt_tokens": integer, "completion_tokens": integer,
    ]),
    "ChatMessage": object(
      ["role": ["enum": ["system", "user", "assistant"]], "content": string], required: ["role", "content"]),
    "PredictorStep": object(
      ["predictor": string, "inputs": anyObject, "outputs": anyObject], required: ["predictor", "inputs", "outputs"]),
    "ServedCallbacks": [
      "description": "Which functions a client serves, by name. A kind that is left out is trusted.",
      "type": "object",
      "properties": [
        "metrics": array(string), "languageModels": array(string), "tools": array(string), "programs": array(string),
      ],
    ],
    "Progress": object([
      "kind": ["enum": ["begin", "report", "end"]], "title": string, "message": string, "percentage": integer,
      "cancellable": boolean, "data": anyObject, "example": reference("ExampleResult"), "trial": reference("Trial"),
    ]),
    "State": ["type": "object", "description": "A program's state in the JSON that DSPy's save() writes."],
  ]
}
