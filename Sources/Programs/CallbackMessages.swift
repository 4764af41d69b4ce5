package import JSON
package import Messages
package import Schema

/// A question to one of a client's functions, as it is sent.
package protocol CallbackQuestion: ResultObject {
  static var kind: CallbackKind { get }
  /// Members that differ each time and do not make it another question.
  static var passing: [String] { get }
  /// Which of the client's functions is asked.
  var name: String { get }
}

extension CallbackQuestion {
  package static var passing: [String] { [] }
}

extension Member where Owner: CallbackQuestion {
  fileprivate static func function(_ path: MemberPath<Owner, String>) -> Self {
    Member("name", path, isAlwaysWritten: true, "Which of the client's functions is asked.")
  }
}

/// `metric/score`.
package struct ScoreQuestion: CallbackQuestion {
  package static let kind = CallbackKind.metrics
  package static let members: [Member<Self>] = [
    .function(\.name),
    Member("example", \.example, isAlwaysWritten: true, "The row of the data set."),
    Member("prediction", \.prediction, isAlwaysWritten: true, "The program's outputs."),
    Member(
      "trace", \.trace, isAlwaysWritten: true, as: Schema(.array(Schema(.named("PredictorStep")))).orNull,
      "The steps of the execution while demos are bootstrapped, else null."),
    Member("options", \.options, "The options that the request gave the metric."),
  ]
  package var name = ""
  package var example: JSONObject = [:]
  package var prediction: JSONObject = [:]
  package var trace: [StepRecord]?
  package var options: JSONObject?

  package init() {}
}

/// One predictor's part of an execution.
package struct StepRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("predictor", \.predictor, isAlwaysWritten: true, "The predictor's name."),
    Member("inputs", \.inputs, isAlwaysWritten: true, "What it was given."),
    Member("outputs", \.outputs, isAlwaysWritten: true, "What it gave."),
  ]
  package static let summary = "One predictor's part of an execution."

  package var predictor = ""
  package var inputs: JSONObject = [:]
  package var outputs: JSONObject = [:]

  package init() {}

  package init(_ step: PredictorStep, predictor: String) {
    self.predictor = predictor
    inputs = step.inputs
    outputs = step.outputs
  }
}

/// `languageModel/complete`.
package struct CompletionQuestion: CallbackQuestion {
  package static let kind = CallbackKind.languageModels
  package static let members: [Member<Self>] = [
    .function(\.name),
    Member(
      "messages", \.messages, isAlwaysWritten: true, as: Schema(.array(Schema(.named("ChatMessage")))),
      "The chat so far."),
    Member("options", \.options, isAlwaysWritten: true, "Settings of the call, such as temperature."),
  ]
  package var name = ""
  package var messages: [ChatMessageRecord] = []
  package var options: JSONObject = [:]

  package init() {}
}

/// One message of a chat, as it is sent.
package struct ChatMessageRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("role", \.role, isAlwaysWritten: true, "Who speaks: system, user or assistant."),
    Member("content", \.content, isAlwaysWritten: true, "What is said."),
  ]
  package static let summary = "One message of a chat."

  package enum Role: String, SchemaChoice { case system, user, assistant }

  package var role = Role.user
  package var content = ""

  package init() {}

  package init(_ message: ChatMessage) {
    role = Role(rawValue: message.role.rawValue) ?? .user
    content = message.content
  }
}

/// `tool/call`.
package struct ToolQuestion: CallbackQuestion {
  package static let kind = CallbackKind.tools
  package static let members: [Member<Self>] = [
    .function(\.name),
    Member("args", \.args, isAlwaysWritten: true, as: .anyObject, "The arguments by name, as the model wrote them."),
  ]
  package var name = ""
  package var args = JSONValue.null

  package init() {}
}

/// What `tool/call` is answered with.
package struct ToolAnswer: ResultObject {
  package static let members: [Member<Self>] = [
    Member("result", \.result, isAlwaysWritten: true, "What the tool gave.")
  ]
  package var result = JSONValue.null

  package init() {}
  package init(_ result: JSONValue) { self.result = result }
}

/// `program/forward`.
package struct ForwardQuestion: CallbackQuestion {
  package static let kind = CallbackKind.programs
  package static let passing = ["executionId"]
  package static let members: [Member<Self>] = [
    .function(\.name),
    Member("executionId", \.executionID, isAlwaysWritten: true, "What predict names, to run a predictor within it."),
    Member("inputs", \.inputs, isAlwaysWritten: true, "The program's inputs."),
  ]
  package var name = ""
  package var executionID = ""
  package var inputs: JSONObject = [:]

  package init() {}
}

/// What `program/forward` is answered with.
package struct ForwardAnswer: ResultObject {
  package static let members: [Member<Self>] = [
    Member("outputs", \.outputs, isAlwaysWritten: true, "The program's outputs.")
  ]
  package var outputs: JSONObject = [:]

  package init() {}
  package init(_ outputs: JSONObject) { self.outputs = outputs }
}

/// Which functions a client serves, as `initialize` tells it.
package struct CallbackList: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member(CallbackKind.metrics.rawValue, \.metrics, as: names, "Names of metrics."),
    Member(CallbackKind.languageModels.rawValue, \.languageModels, as: names, "Names of language models."),
    Member(CallbackKind.tools.rawValue, \.tools, as: names, "Names of tools."),
    Member(CallbackKind.programs.rawValue, \.programs, as: names, "Names of programs."),
  ]
  private static let names = Schema(.array(Schema(.string)))
  package static let summary = "Which functions a client serves, by name. A kind that is left out is trusted."

  private var metrics: [JSONValue]?
  private var languageModels: [JSONValue]?
  private var tools: [JSONValue]?
  private var programs: [JSONValue]?

  package init() {}

  package subscript(kind: CallbackKind) -> [String]? {
    let names =
      switch kind {
      case .metrics: metrics
      case .languageModels: languageModels
      case .tools: tools
      case .programs: programs
      }
    return names?.compactMap(\.stringValue)
  }
}
