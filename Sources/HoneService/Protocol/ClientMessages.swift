import Evaluation
import JSON
import Jobs
import Programs
import Schema

/// A message that a client gets unasked, or may send without an answer: what OpenRPC has no words for.
struct ProtocolMessage: Sendable {
  var name: String
  var summary: String
  var params: Schema
  /// Of one that is answered.
  var result: Schema?
  var example: Example

  /// Parameters, and the answer where there is one.
  struct Example: Sendable {
    var params: JSONValue
    var result: JSONValue?
  }

  init(_ name: String, _ summary: String, takes params: Schema, gives result: Schema? = nil, example: Example) {
    self.name = name
    self.summary = summary
    self.params = params
    self.result = result
    self.example = example
  }

  var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "summary": .string(summary), "params": params.json]
    if let result { object.append("result", result.json) }
    var pair: JSONObject = ["params": example.params]
    if let result = example.result { pair.append("result", result) }
    object.append("examples", [.object(pair)])
    return .object(object)
  }
}

extension ProtocolMessage {
  private init<Question: CallbackQuestion>(
    _ question: Question.Type, _ summary: String, gives result: Schema, example: Example
  ) {
    self.init(Question.kind.method, summary, takes: Question.schema, gives: result, example: example)
  }

  /// Requests from the service to the client.
  static let callbacks: [ProtocolMessage] = [
    ProtocolMessage(
      ScoreQuestion.self, "Scores one prediction: the metric {\"client\": name}.",
      gives: Schema(.named("MetricAnswer")),
      example: Example(
        params: [
          "name": "exact", "example": ["question": "2 + 2?", "answer": "4"], "prediction": ["answer": "4"],
          "trace": .null,
        ], result: ["score": 1, "feedback": "right"])),
    ProtocolMessage(
      CompletionQuestion.self, "Completes a chat: the model {\"client\": name}.",
      gives: Schema(.named("CompletionAnswer")),
      example: Example(
        params: [
          "name": "mine", "messages": [["role": "user", "content": "Hello"]], "options": ["temperature": 0.7],
        ], result: ["text": "Hello to you", "usage": ["inputTokens": 9, "outputTokens": 4]])),
    ProtocolMessage(
      ToolQuestion.self,
      "Calls a tool of a ReAct program. An error is shown to the model as what came of it.",
      gives: ToolAnswer.schema,
      example: Example(params: ["name": "add", "args": ["a": 2, "b": 2]], result: ["result": 4])),
    ProtocolMessage(
      ForwardQuestion.self,
      "Runs a host program once. Until it is answered, predict {executionId, predictor, inputs} runs its predictors.",
      gives: ForwardAnswer.schema,
      example: Example(
        params: [
          "name": "Answerer", "executionId": "0123456789abcdef0123456789abcdef", "inputs": ["question": "2 + 2?"],
        ], result: ["outputs": ["answer": "4"]])),
    ProtocolMessage(
      ProposalQuestion.self,
      "Writes an instruction or a rule in place of the prompt model: an optimizer's \"proposer\": {\"client\": name}.",
      gives: Schema(.named("ProposalAnswer")),
      example: Example(
        params: [
          "name": "rewrite", "kind": "instruction", "predictor": "predict", "signature": "question -> answer",
          "instruction": "Answer the question.",
          "rows": [
            [
              "example": ["question": "2 + 2?", "answer": "4"], "inputs": ["question": "2 + 2?"],
              "outputs": ["answer": "four"], "prediction": ["answer": "four"], "score": 0,
              "feedback": "Expected 4, but got four",
            ]
          ], "rejected": [], "limit": 8000,
        ], result: "Answer with a number in digits.")),
  ]

  /// Notifications from the service to the client.
  static let fromService: [ProtocolMessage] = [
    ProtocolMessage(
      "$/progress",
      "The progress of a request with a workDoneToken (begin, report, end), or a finished example or trial of one "
        + "that has a partialResultToken.",
      takes: ProgressParams.schema,
      example: Example(params: [
        "token": "t1",
        "value": ["kind": "report", "message": "search, trial 3, best 61.0, 214 calls", "percentage": 40],
      ])),
    ProtocolMessage(
      "$/cancelRequest",
      "The service no longer waits for the callback with that id: its request was cancelled or timed out.",
      takes: Cancellation.schema, example: Example(params: ["id": 1_000_000_000])),
  ]

  /// Notifications from the client to the service.
  static let fromClient: [ProtocolMessage] = [
    ProtocolMessage(
      "$/cancelRequest", "Ends a request, which is then answered with -32800; what it had finished stays tracked.",
      takes: Cancellation.schema, example: Example(params: ["id": 1])),
    ProtocolMessage(
      "initialized", "LSP's; accepted and ignored.", takes: NoMembers.schema, example: Example(params: [:])),
    ProtocolMessage(
      "exit", "Ends the process: with status 0 after shutdown, else 1.", takes: NoMembers.schema,
      example: Example(params: [:])),
  ]
}

/// The parameters of `$/cancelRequest`.
private struct Cancellation: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("id", \.id, isRequired: true, "The id of the request that is cancelled.")
  ]
  var id: ProgressToken?
}
