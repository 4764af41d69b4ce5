import Evaluation
import Failures
import HoneService
import JSON
import Schema
import Statistics

/// `textDocument/codeAction`: the nearest name for one that is misspelt, and the commands for the file.
struct CodeActions: Sendable {
  let call: EditorCall
  let document: Document

  var json: JSONValue {
    let only = call.params.context.only
    func isWanted(_ kind: String) -> Bool {
      only?.contains { kind == $0 || kind.hasPrefix($0 + ".") } ?? true
    }
    var actions: [JSONValue] = []
    if isWanted("quickfix") {
      actions += call.params.context.diagnostics.compactMap(fix)
    }
    if isWanted("source") {
      actions += EditorCommand.forFiles(document.uri).map { command in
        ["title": .string(command.title), "kind": "source", "command": command.jsonValue]
      }
    }
    return .array(actions)
  }

  /// Puts the suggestion in the place of what it was made for.
  private func fix(_ diagnostic: JSONValue) -> JSONValue? {
    let told = Diagnostic(diagnostic)
    guard let suggestion = told.data.suggestion, let range = told.range else { return nil }
    let (start, end) = (range.start, range.end)
    let source = document.source
    let bytes = source.offset(of: start)..<max(source.offset(of: start), source.offset(of: end))
    // A whole token keeps its quotes; a part of one has none.
    let isToken = source.bytes[bytes].first == UInt8(ascii: "\"")
    let text = isToken ? JSONValue.string(suggestion).text() : suggestion
    return [
      "title": .string("Change to \(JSONValue.string(suggestion).text())"), "kind": "quickfix", "isPreferred": true,
      "diagnostics": [diagnostic],
      "edit": WorkspaceEdit(uri: document.uri, range: range, text: text).json,
    ]
  }
}

/// `textDocument/codeLens`: the commands above the program, and what it scored last.
struct CodeLenses: Sendable {
  let call: EditorCall
  let document: Document

  func json() async -> JSONValue {
    let tree = JSONTree(document.source.bytes)
    guard let root = tree.root, let members = root.members else { return [] }
    let place = members.first { $0.key == "program" }?.keyRange ?? root.range.lowerBound..<root.range.lowerBound
    let range = document.source.range(place)
    var commands = EditorCommand.forFiles(document.uri)
    if let path = document.path, let store = try? await call.service.store(),
      let run = try? await FileRuns(store: store, path: path).last(), let score = run.score
    {
      let text = scoreText(score, await store.interval(of: run))
      commands.append(OfferedCommand(title: "last: \(text)"))
    }
    return .array(commands.map { ["range": range.jsonValue, "command": $0.jsonValue] })
  }
}
