import JSON

/// A message that a client gets unasked, or may send without an answer: what OpenRPC has no words for.
struct ProtocolMessage: Sendable {
  var name: String
  var summary: String
  var params: JSONObject
  var required: [String] = []
  /// For what is answered: the answer's schema.
  var result: JSONValue?
  /// Parameters, and the answer where there is one.
  var example: (params: JSONValue, result: JSONValue?)

  var json: JSONValue {
    var object: JSONObject = [
      "name": .string(name), "summary": .string(summary), "params": Shape.object(params, required: required),
    ]
    if let result { object["result"] = result }
    var pair: JSONObject = ["params": example.params]
    if let result = example.result { pair["result"] = result }
    object["examples"] = [.object(pair)]
    return .object(object)
  }
}

extension ProtocolMessage {
  /// Requests from the service to the client.
  static let callbacks: [ProtocolMessage] = [
    ProtocolMessage(
      name: "metric/score", summary: "Scores one prediction: the metric {\"client\": name}.",
      params: [
        "name": Shape.string, "example": Shape.anyObject, "prediction": Shape.anyObject,
        "trace": ["anyOf": [Shape.array(Shape.reference("PredictorStep")), ["type": "null"]]],
        "options": Shape.anyObject,
      ],
      required: ["name", "example", "prediction", "trace"], result: Shape.reference("MetricAnswer"),
      example: (
        [
          "name": "exact", "example": ["question": "2 + 2?", "answer": "4"], "prediction": ["answer": "4"],
          "trace": .null,
        ],
        ["score": 1, "feedback": "right"]
      )),
    ProtocolMessage(
      name: "languageModel/complete", summary: "Completes a chat: the model {\"client\": name}.",
      params: [
        "name": Shape.string, "messages": Shape.array(Shape.reference("ChatMessage")), "options": Shape.anyObject,
      ],
      required: ["name", "messages", "options"], result: Shape.reference("CompletionAnswer"),
      example: (
        ["name": "mine", "messages": [["role": "user", "content": "Hello"]], "options": ["temperature": 0.7]],
        ["text": "Hello to you", "usage": ["inputTokens": 9, "outputTokens": 4]]
      )),
    ProtocolMessage(
      name: "tool/call", summary: "Calls a tool of a ReAct program. An error is shown to the model as what came of it.",
      params: ["name": Shape.string, "args": Shape.anyObject], required: ["name", "args"],
      result: Shape.object(["result": [:]], required: ["result"]),
      example: (["name": "add", "args": ["a": 2, "b": 2]], ["result": 4])),
    ProtocolMessage(
      name: "program/forward",
      summary:
        "Runs a host program once. Until it is answered, predict {executionId, predictor, inputs} runs its predictors.",
      params: ["name": Shape.string, "executionId": Shape.string, "inputs": Shape.anyObject],
      required: ["name", "executionId", "inputs"],
      result: Shape.object(["outputs": Shape.anyObject], required: ["outputs"]),
      example: (
        ["name": "Answerer", "executionId": "0123456789abcdef0123456789abcdef", "inputs": ["question": "2 + 2?"]],
        ["outputs": ["answer": "4"]]
      )),
  ]

  /// Notifications from the service to the client.
  static let fromService: [ProtocolMessage] = [
    ProtocolMessage(
      name: "$/progress",
      summary:
        "How far a request is that has a workDoneToken (begin, report, end), or a finished example or trial of one "
        + "that has a partialResultToken.",
      params: ["token": ["type": ["string", "integer"]], "value": Shape.reference("Progress")],
      required: ["token", "value"],
      example: (
        [
          "token": "t1",
          "value": ["kind": "report", "message": "search, trial 3, best 61.0, 214 calls", "percentage": 40],
        ], nil
      )),
    ProtocolMessage(
      name: "$/cancelRequest",
      summary: "The service no longer waits for the callback of that id: its request was "
        + "cancelled, or its time is up.",
      params: ["id": Shape.integer], required: ["id"], example: (["id": 1_000_000_000], nil)),
  ]

  /// Notifications from the client to the service.
  static let fromClient: [ProtocolMessage] = [
    ProtocolMessage(
      name: "$/cancelRequest",
      summary: "Ends a request, which is then answered with -32800; what it had finished stays tracked.",
      params: ["id": ["type": ["string", "integer"]]], required: ["id"], example: (["id": 1], nil)),
    ProtocolMessage(
      name: "initialized", summary: "LSP's; taken and passed over.", params: [:], example: ([:], nil)),
    ProtocolMessage(
      name: "exit", summary: "Ends the process: with status 0 after shutdown, else 1.", params: [:], example: ([:], nil)
    ),
  ]
}
