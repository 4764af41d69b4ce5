import Failures
import JSON
import Jobs
import Schema

/// What LSP's requests and notifications of an editor say, as far as it is read here: each fills some of these.
///
/// Source: microsoft.github.io, "Language Server Protocol Specification" 3.17.
struct EditorParams: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("textDocument", \.textDocument), Member("contentChanges", \.contentChanges), Member("position", \.position),
    Member("context", \.context), Member("command", \.command), Member("arguments", \.arguments),
    Member("workDoneToken", \.workDoneToken), Member("partialResultToken", \.partialResultToken),
    Member("token", \.token), Member("capabilities", \.capabilities),
  ]
  var textDocument = Item()
  var contentChanges: [Change] = []
  var position: TextPosition?
  var context = Context()
  var command = ""
  var arguments = JSONValue.null
  var workDoneToken: ProgressToken?
  var partialResultToken: ProgressToken?
  /// Of `window/workDoneProgress/cancel`.
  var token: ProgressToken?
  /// Of `initialize`.
  var capabilities = ClientCapabilities()

  /// `TextDocumentItem`, or an identifier of one.
  struct Item: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("uri", \.uri), Member("languageId", \.language), Member("version", \.version), Member("text", \.text),
    ]
    var uri: String?
    var language: String?
    var version: Int?
    var text: String?
  }

  /// A part of a text replaced, or all of it where there is no range.
  struct Change: ForeignRecord {
    static let members: [Member<Self>] = [Member("range", \.range), Member("text", \.text)]
    var range: TextRange?
    var text = ""
  }

  /// What code actions are asked for.
  struct Context: ForeignRecord {
    static let members: [Member<Self>] = [Member("only", \.only), Member("diagnostics", \.diagnostics)]
    var only: [String]?
    var diagnostics: [JSONValue] = []
  }
}

/// What an editor can do that concerns us.
struct ClientCapabilities: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("window", \.window), Member("workspace", \.workspace), Member("textDocument", \.textDocument),
  ]
  private var window = Window()
  private var workspace = Workspace()
  private var textDocument = TextDocument()

  init() {}

  var workDoneProgress: Bool { window.workDoneProgress }
  var applyEdit: Bool { workspace.applyEdit }
  var refreshesCodeLenses: Bool { workspace.codeLens.refreshSupport }
  /// Whether hovers may be Markdown.
  var takesMarkdown: Bool {
    let formats = textDocument.hover.contentFormat
    return formats.isEmpty || formats.contains("markdown")
  }

  private struct Window: ForeignRecord {
    static let members: [Member<Self>] = [Member("workDoneProgress", \.workDoneProgress)]
    var workDoneProgress = false
  }

  private struct Workspace: ForeignRecord {
    static let members: [Member<Self>] = [Member("applyEdit", \.applyEdit), Member("codeLens", \.codeLens)]
    var applyEdit = false
    var codeLens = CodeLens()
  }

  private struct CodeLens: ForeignRecord {
    static let members: [Member<Self>] = [Member("refreshSupport", \.refreshSupport)]
    var refreshSupport = false
  }

  private struct TextDocument: ForeignRecord {
    static let members: [Member<Self>] = [Member("hover", \.hover)]
    var hover = Hover()
  }

  private struct Hover: ForeignRecord {
    static let members: [Member<Self>] = [Member("contentFormat", \.contentFormat)]
    var contentFormat: [String] = []
  }
}

/// LSP's `Diagnostic`.
struct Diagnostic: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("range", \.range), Member("severity", \.severity), Member("source", \.source), Member("code", \.code),
    Member("message", \.message), Member("data", \.data),
  ]
  var range: TextRange?
  var severity: Int?
  var source: String?
  var code: String?
  var message = ""
  /// The problem that it tells, for whoever mends it.
  var data = ProblemData()

  struct ProblemData: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("path", \.path), Member("got", \.got), Member("allowed", \.allowed), Member("suggestion", \.suggestion),
      Member("isAboutName", \.isAboutName),
    ]
    var path: String?
    var got: String?
    var allowed: [String] = []
    var suggestion: String?
    var isAboutName: Bool?
  }

  init() {}

  init(_ finding: Finding, in source: SourceText) {
    let problem = finding.problem
    range = source.range(finding.range)
    severity = finding.severity.rawValue
    self.source = "hone"
    code = finding.code
    message = problem.message + (problem.suggestion.map { " Did you mean \"\($0)\"?" } ?? "")
    data.path = problem.path
    data.got = problem.got
    data.allowed = problem.allowed
    data.suggestion = problem.suggestion
    data.isAboutName = problem.isAboutName ? true : nil
  }
}

/// LSP's `WorkspaceEdit` of one text.
struct WorkspaceEdit {
  let uri: String
  let range: TextRange
  let text: String

  var json: JSONValue {
    let change: JSONValue = ["range": range.jsonValue, "newText": .string(text)]
    return ["changes": .object([uri: [change]])]
  }
}
