import Failures
import HoneService
import JSON
import JSONRPC
import Schema

/// A command that an editor can have executed, declared once: `initialize` lists them, code actions and lenses offer
/// those that are about a file.
struct EditorCommand: Sendable {
  let name: String
  /// What it is called where a file's commands are offered; nil for one that is not.
  let title: String?
  let run: @Sendable (EditorCall, CommandArguments) async throws -> JSONValue

  static let all: [EditorCommand] = [
    EditorCommand(name: "hone.evaluate", title: "Evaluate") { try await FileWork.run(.evaluate, $0, $1) },
    EditorCommand(name: "hone.compile", title: "Compile") { try await FileWork.run(.compile, $0, $1) },
    EditorCommand(name: "hone.loadBest", title: "Load the best program") { try await BestProgram.load($0, $1) },
    EditorCommand(name: "hone.estimate", title: nil) { try await FileWork.estimate($0, $1) },
    EditorCommand(name: "hone.watch", title: nil) { try await FileWork.watch($0, $1) },
    EditorCommand(name: "hone.cancel", title: nil) { call, arguments in
      if let run = arguments.run { return try await FileWork.cancel(run, call) }
      let file = try arguments.optionalURI().map { ProgramFile.path(ofURI: $0) ?? $0 }
      return ["cancelled": .int(call.editor.requests.cancel(file: file))]
    },
    EditorCommand(name: "hone.forgetKeys", title: nil) { try await KeyPermission.forget($0, $1) },
    EditorCommand(name: "hone.runs", title: nil) { try await RunTree.json($0, $1) },
    EditorCommand(name: "hone.trace", title: nil) { try await TraceOutline.json($0, $1) },
    EditorCommand(name: "hone.programText", title: nil) { call, arguments in
      try await ComparedProgram(arguments.value, call).json
    },
    EditorCommand(name: "hone.diff", title: nil) { call, arguments in
      let compared = try arguments.compared()
      let left = try await ComparedProgram(compared.left, call)
      let right = try await ComparedProgram(compared.right, call)
      let diff = TextDiff.unified(left.text, right.text, leftTitle: left.title, rightTitle: right.title)
      return ["left": left.json, "right": right.json, "diff": .string(diff)]
    },
  ]

  /// Those that are offered for a file.
  static func forFiles(_ uri: String) -> [OfferedCommand] {
    all.compactMap { command in
      command.title.map { OfferedCommand(title: $0, command: command.name, arguments: [["uri": .string(uri)]]) }
    }
  }

  /// Does what `workspace/executeCommand` asks.
  static func run(_ call: EditorCall) async throws -> JSONValue {
    let name = call.params.command
    guard let command = all.first(where: { $0.name == name }) else {
      let names = all.map(\.name)
      throw HoneError(
        .invalidParams, "There is no command \"\(name)\".",
        problems: [
          Problem(
            path: "command", message: "There is no command \"\(name)\".", got: name, allowed: names,
            suggestion: nearest(to: name, among: names))
        ])
    }
    return try await command.run(call, CommandArguments(arguments: call.params.arguments))
  }
}

/// LSP's `Command`; one without a name is only shown.
struct OfferedCommand: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("title", \.title), Member("command", \.command), Member("arguments", \.arguments),
  ]
  var title = ""
  var command = ""
  var arguments: [JSONValue] = []
}

/// The arguments of a command: one object, or a file's URI and, for some, an id behind it.
struct CommandArguments: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("uri", \.givenURI), Member("run", \.givenRun), Member("runId", \.runID), Member("traceId", \.traceID),
    Member("index", \.index), Member("limit", \.limit), Member("onlyFile", \.onlyFile),
    Member("experiment", \.experiment), Member("left", \.left), Member("right", \.right),
  ]
  private var givenURI = JSONValue.null
  private var givenRun: String?
  private var runID: String?
  var traceID: String?
  /// Which of a run's traces.
  var index = 0
  /// How many runs at most.
  var limit = 50
  var onlyFile = false
  var experiment: String?
  private var left = JSONValue.null
  private var right = JSONValue.null
  /// All members.
  private(set) var value: JSONObject = [:]

  init() {}

  init(arguments: JSONValue) {
    let first = arguments[0] ?? arguments
    var value = first.objectValue ?? [:]
    if first.stringValue != nil {
      value.append("uri", first)
      if let run = arguments[1], run.stringValue != nil { value.append("run", run) }
    }
    self.init(.object(value))
    self.value = value
  }

  func optionalURI() throws(HoneError) -> String? {
    if givenURI.isNull { return nil }
    guard let text = givenURI.stringValue else { throw Self.wrong("uri", "a document's URI") }
    return text
  }

  func uri() throws(HoneError) -> String {
    guard let uri = try optionalURI() else { throw Self.wrong("uri", "the URI of a program file") }
    return uri
  }

  /// The id of the run that is meant, where one is named.
  var run: String? { givenRun ?? runID }

  /// The two programs that are compared.
  func compared() throws(HoneError) -> (left: JSONObject, right: JSONObject) {
    (try Self.program(left, "left"), try Self.program(right, "right"))
  }

  /// A program: a string of one, or an object that names it.
  private static func program(_ value: JSONValue, _ name: String) throws(HoneError) -> JSONObject {
    switch value {
    case .object(let object): return object
    case .string: return ["program": value]
    default: throw wrong(name, "{\"uri\"}, {\"run\"}, {\"path\"} or a program")
    }
  }

  private static func wrong(_ name: String, _ expected: String) -> HoneError {
    let message = "The command needs \(expected) as its argument's member \"\(name)\"."
    return HoneError(.invalidParams, message, problems: [Problem(path: "arguments[0].\(name)", message: message)])
  }
}
