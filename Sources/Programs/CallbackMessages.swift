package import Failures
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

/// `optimizer/propose`.
package struct ProposalQuestion: CallbackQuestion {
  package static let kind = CallbackKind.proposers
  package static let members: [Member<Self>] = [
    .function(\.name),
    Member(
      "kind", \.wanted, isAlwaysWritten: true,
      "What is to be written: a whole instruction, or one rule to add to it."),
    Member("predictor", \.predictor, isAlwaysWritten: true, "The predictor's name."),
    Member("signature", \.signature, isAlwaysWritten: true, "What the predictor is given and has to give."),
    Member("instruction", \.instruction, isAlwaysWritten: true, "The instruction in use now."),
    Member("rows", \.rows, isAlwaysWritten: true, "Rows, and what came of them."),
    Member("rejected", \.rejected, isAlwaysWritten: true, "Texts that were tried and did not help."),
    Member("limit", \.limit, isAlwaysWritten: true, "The most characters that the text may have."),
  ]
  package enum Wanted: String, SchemaChoice { case instruction, rule }

  package var name = ""
  package var wanted = Wanted.instruction
  package var predictor = ""
  package var signature = ""
  package var instruction = ""
  package var rows: [ProposalRow] = []
  package var rejected: [String] = []
  package var limit = 0

  package init() {}
}

/// A row that a proposer is shown.
package struct ProposalRow: ResultObject {
  package static let members: [Member<Self>] = [
    Member("example", \.example, isAlwaysWritten: true, "The row of the data set."),
    Member("inputs", \.inputs, "What the predictor was given; left out where it did not run."),
    Member("outputs", \.outputs, "What the predictor gave."),
    Member("prediction", \.prediction, isAlwaysWritten: true, "The program's outputs."),
    Member("score", \.score, isAlwaysWritten: true, "What the metric gave; null where something failed."),
    Member("feedback", \.feedback, "What the metric said of the predictor, else of the row."),
    Member("error", \.error, "What failed."),
  ]
  package static let summary = "A row that a proposer is shown."

  package var example: JSONObject = [:]
  package var inputs: JSONObject?
  package var outputs: JSONObject?
  package var prediction: JSONObject = [:]
  package var score: Double?
  package var feedback: String?
  package var error: String?

  package init() {}
}

/// What `optimizer/propose` is answered with, if not with the text alone.
package struct ProposalAnswer: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("text", \.text, isRequired: true, "The instruction, or the rule.")
  ]
  package static let shape = Schema(
    .either([Schema(.string), schema]), "The text, alone or as an object; null where there is none."
  ).orNull

  package var text = ""

  package init() {}

  /// The text of an answer; nil where the client has none.
  ///
  /// - Throws: what the callback says of an answer that is something else.
  package static func text(of answer: JSONValue, to question: Callback) throws(HoneError) -> String? {
    if answer.isNull { return nil }
    if let text = answer.stringValue { return text }
    guard let text = answer.objectValue?["text"]?.stringValue else {
      throw question.nonsense(answer, expected: "a text, {\"text\"} or null")
    }
    return text
  }
}

/// Which functions a client serves, as `initialize` tells it.
package struct CallbackList: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member(CallbackKind.metrics.rawValue, \.metrics, as: names, "Names of metrics."),
    Member(CallbackKind.languageModels.rawValue, \.languageModels, as: names, "Names of language models."),
    Member(CallbackKind.tools.rawValue, \.tools, as: names, "Names of tools."),
    Member(CallbackKind.programs.rawValue, \.programs, as: names, "Names of programs."),
    Member(CallbackKind.proposers.rawValue, \.proposers, as: names, "Names of proposers."),
  ]
  private static let names = Schema(.array(Schema(.string)))
  package static let summary = "Which functions a client serves, by name. A kind that is left out is trusted."

  private var metrics: [JSONValue]?
  private var languageModels: [JSONValue]?
  private var tools: [JSONValue]?
  private var programs: [JSONValue]?
  private var proposers: [JSONValue]?

  package init() {}

  package subscript(kind: CallbackKind) -> [String]? {
    let names =
      switch kind {
      case .metrics: metrics
      case .languageModels: languageModels
      case .tools: tools
      case .programs: programs
      case .proposers: proposers
      }
    return names?.compactMap(\.stringValue)
  }
}
