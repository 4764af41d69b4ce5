import Failures
import HoneService
import JSON
import JSONRPC

/// A request that LSP lets an editor make of a server, declared once: the dispatch and the capabilities that
/// `initialize` announces derive from the declarations.
struct EditorMethod: Sendable {
  let name: String
  /// The member of `capabilities` that announces it.
  let capability: (name: String, value: JSONValue)
  let run: @Sendable (EditorCall) async throws -> JSONValue

  static let all: [EditorMethod] = [
    EditorMethod(name: "textDocument/hover", capability: ("hoverProvider", true)) { call in
      guard let document = call.document else { return .null }
      return await Hover(call: call, document: document).json()
    },
    EditorMethod(
      name: "textDocument/completion",
      capability: ("completionProvider", ["triggerCharacters": ["\"", ":", "{", ",", " "]])
    ) { call in
      guard let document = call.document else { return [] }
      return try await Completion(call: call, document: document).items()
    },
    EditorMethod(
      name: "textDocument/codeAction", capability: ("codeActionProvider", ["codeActionKinds": ["quickfix", "source"]])
    ) { call in
      guard let document = call.document else { return [] }
      return CodeActions(call: call, document: document).json
    },
    EditorMethod(name: "textDocument/codeLens", capability: ("codeLensProvider", [:])) { call in
      guard let document = call.document else { return [] }
      return await CodeLenses(call: call, document: document).json()
    },
    EditorMethod(
      name: "workspace/executeCommand",
      capability: ("executeCommandProvider", ["commands": .array(EditorCommand.all.map { .string($0.name) })])
    ) { call in
      try await EditorCommand.run(call)
    },
  ]

  /// LSP's part of what `initialize` answers as `capabilities`.
  static var capabilities: JSONObject {
    var object: JSONObject = [
      "positionEncoding": "utf-16",
      "textDocumentSync": ["openClose": true, "change": 2, "save": ["includeText": false]],
    ]
    for method in all { object.append(method.capability.name, method.capability.value) }
    return object
  }
}

/// One request of an editor, with the document it names as that was when the request came.
struct EditorCall: Sendable {
  let editor: Editor
  let params: EditorParams
  let document: Document?
  let connection: Connection
  /// From where paths count that belong to no document.
  let baseDirectory: String

  var service: Service { editor.service }

  /// From where a document's relative paths count.
  func directory(of document: Document) -> String {
    document.path.map(ProgramFile.directory) ?? baseDirectory
  }

  func check(_ document: Document) -> FileCheck {
    FileCheck(service: service, directory: directory(of: document), datasets: editor.datasets)
  }
}
