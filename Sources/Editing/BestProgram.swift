import Failures
import HoneService
import JSON
import JSONRPC
import Jobs
import Programs
import Schema
import Tracking

/// `hone.loadBest`: puts the best program that was found for a file into the file.
enum BestProgram {
  static func load(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let document = try call.editor.document(try arguments.uri())
    let store = try await call.service.store()
    let run: Run
    if let id = arguments.run {
      run = try await store.run(id)
    } else if let path = document.path, let best = try await FileRuns(store: store, path: path).best() {
      run = best
    } else {
      throw HoneError(
        .notFound, "No compile of \(document.name) has found a program yet.",
        remedy: "Run hone.compile on it first, or name a run.")
    }
    let resolver = RequestResolver(
      call.service.workspace, "hone.loadBest", FieldReader([:], problems: ProblemList()),
      CallEnvironment(baseDirectory: call.directory(of: document)))
    let program = try resolver.whole(
      try await resolver.program(Stated(value: ["run": .string(run.id)]), module: nil)
    ).program
    let edit = edit(document, value(of: program, in: try document.members()))
    var answer: JSONObject = [
      "runId": .string(run.id), "score": JSONValue(run.score), "applied": false, "edit": edit,
    ]
    if call.editor.client.applyEdit {
      let label = JSONValue.string("Load the best program of \(run.info.name)")
      let reply = try? await call.connection.request(
        "workspace/applyEdit", ["label": label, "edit": edit], timeout: .seconds(30))
      answer["applied"] = .bool(reply?["applied"] == true)
    }
    return .object(answer)
  }

  /// The program as a file states it: its structure in the file's own words where they still say it, and the state.
  private static func value(of program: Program, in members: JSONObject) -> JSONValue {
    var structure = members["program"]?.objectValue ?? [:]
    if let signature = members["program"]?.stringValue { structure = ["signature": .string(signature)] }
    structure = structure.filter { ["module", "signature", "steps", "outputs"].contains($0) }
    if structure["signature"] != nil { structure["module"] = .string(program.module.className) }
    let read = Module.read(.object(structure), path: "program", problems: ProblemList())
    if read?.describes(program.module) != true { structure = program.module.json }
    var state = StateFile.encode(program)
    // The structure stands beside the state.
    state["metadata"] = ["dependency_versions": [:]]
    structure["state"] = .object(state)
    return .object(structure)
  }

  /// One change of the document: the value of its member `program`.
  private static func edit(_ document: Document, _ program: JSONValue) -> JSONValue {
    let source = document.source
    let tree = JSONTree(source.bytes)
    let member = tree.root?.members?.last { $0.key == "program" }
    let range: Range<Int>
    var text: String
    if let member, let value = member.value {
      range = value.range
      let indentation = source.indentation(at: member.keyRange.lowerBound)
      text = program.text(.indented).replacing("\n", with: "\n" + indentation)
    } else {
      let start = (tree.root?.range.lowerBound ?? 0) + 1
      range = start..<start
      text = "\n  \"program\": " + program.text(.indented).replacing("\n", with: "\n  ")
      if tree.root?.members?.isEmpty == false { text += "," }
    }
    let change: JSONValue = ["range": source.range(range), "newText": .string(text)]
    return ["changes": .object(JSONObject([(document.uri, JSONValue.array([change]))]))]
  }
}

extension Module {
  /// Whether the other module has the same predictors with the same fields, whatever their instructions.
  fileprivate func describes(_ other: Module) -> Bool {
    let (own, others) = (predictors, other.predictors)
    return className == other.className && own.count == others.count
      && zip(own, others).allSatisfy { $0.name == $1.name && $0.signature.text == $1.signature.text }
  }
}

/// A program to be compared or shown as text.
struct ComparedProgram: Sendable {
  let title: String
  let text: String

  var json: JSONValue { ["title": .string(title), "text": .string(text)] }

  /// - Parameter what: `{"uri"}` of a program file, `{"run"}`, `{"path"}`, another reference, or a program's object.
  init(_ what: JSONObject, _ call: EditorCall) async throws {
    var request: JSONObject = ["program": .object(what)]
    var directory = call.baseDirectory
    if let uri = what["uri"]?.stringValue {
      let document = try call.editor.document(uri)
      request = try document.members().filter { $0 == "program" || $0 == "module" }
      directory = call.directory(of: document)
      title = document.name
    } else if let run = what["run"]?.stringValue {
      title = "run \(run)"
    } else {
      title = what["path"]?.stringValue ?? what["artifactUri"]?.stringValue ?? "program"
      if let program = what["program"] { request = ["program": program] }
    }
    let resolver = RequestResolver(
      call.service.workspace, "hone.loadBest", FieldReader([:], problems: ProblemList()),
      CallEnvironment(baseDirectory: directory))
    let resolved = try resolver.whole(
      try await resolver.program(
        request["program"].map { Stated(value: $0) }, module: request["module"]?.stringValue))
    text = ProgramText.whole(resolved.program)
  }
}
