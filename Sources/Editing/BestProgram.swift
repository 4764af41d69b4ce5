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
    var isApplied = false
    if call.editor.client.applyEdit {
      let label = JSONValue.string("Load the best program of \(run.info.name)")
      let reply = try? await call.connection.request(
        "workspace/applyEdit", ["label": label, "edit": edit.json], timeout: .seconds(30))
      isApplied = AppliedEdit(reply).applied
    }
    return [
      "runId": .string(run.id), "score": JSONValue(run.score), "applied": .bool(isApplied), "edit": edit.json,
    ]
  }

  /// The program as a file states it: its structure in the file's own words where they still say it, and the state.
  private static func value(of program: Program, in members: JSONObject) -> JSONValue {
    let stated = members["program"] ?? .null
    var structure = ProgramMembers.known(from: FieldReader(stated.objectValue ?? [:], problems: ProblemList()))
    if stated.stringValue != nil { structure.asked.signature = stated }
    if structure.asked.signature != nil { structure.asked.module = program.module.className }
    let read = Module.read(.object(structure.given), path: "program", problems: ProblemList())
    let isSame = read?.describes(program.module) == true
    // The structure stands beside the state, which therefore says nothing of it.
    let state = StateFile.encode(program, hasStructure: false)
    return .object((isSame ? structure.given : program.module.json).merging(["state": .object(state)]))
  }

  /// One change of the document: the value of its member `program`.
  private static func edit(_ document: Document, _ program: JSONValue) -> WorkspaceEdit {
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
    return WorkspaceEdit(uri: document.uri, range: source.range(range), text: text)
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
    let named = ComparedReference(.object(what))
    var stated = named.program ?? .object(what)
    var module: String?
    var directory = call.baseDirectory
    if let uri = named.uri {
      let document = try call.editor.document(uri)
      let file = ComparedReference(.object(try document.members()))
      stated = file.program ?? .null
      module = file.module
      directory = call.directory(of: document)
      title = document.name
    } else {
      title = named.run.map { "run \($0)" } ?? named.path ?? named.artifactURI ?? "program"
    }
    let resolver = RequestResolver(
      call.service.workspace, "hone.loadBest", FieldReader([:], problems: ProblemList()),
      CallEnvironment(baseDirectory: directory))
    let resolved = try resolver.whole(
      try await resolver.program(stated.isNull ? nil : Stated(value: stated), module: module))
    text = ProgramText.whole(resolved.program)
  }
}

/// Members by which a program is named that is to be compared.
private struct ComparedReference: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("uri", \.uri), Member("run", \.run), Member("path", \.path), Member("artifactUri", \.artifactURI),
    Member("program", \.program), Member("module", \.module),
  ]
  var uri: String?
  var run: String?
  var path: String?
  var artifactURI: String?
  var program: JSONValue?
  var module: String?
}

/// What `workspace/applyEdit` is answered with.
private struct AppliedEdit: ForeignRecord {
  static let members: [Member<Self>] = [Member("applied", \.applied)]
  var applied = false
}
