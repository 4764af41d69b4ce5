import Failures
package import HoneService
package import JSON
package import JSONRPC
import Jobs
import Platform
import Schema
import Synchronization

/// A program file that is open in an editor, as it was at one moment.
struct Document: Sendable {
  let uri: String
  /// On disk; nil for one that has no place there yet.
  let path: String?
  var version: Int?
  var source: SourceText
  /// Grows with each change.
  var generation = 0

  /// The file's name without the directories.
  var name: String { String((path ?? uri).split(separator: "/").last ?? "") }
}

/// One editor at the other end of a connection: its open program files, and what LSP lets it ask of them.
///
/// Changes are applied in the order in which they come; everything else works on the document as it was when asked.
package final class Editor: SessionExtension {
  private struct State {
    var documents: [String: Document] = [:]
    var checks: [String: Task<Void, Never>] = [:]
    var generations = 0
    var client = ClientCapabilities()
  }

  let service: Service
  let requests: CancellableRequests
  let datasets = DatasetCache()
  /// How long a document must rest before it is checked.
  private let pause: Duration
  private let state = Mutex(State())

  package static var capabilities: JSONObject { EditorMethod.capabilities }

  package convenience init(service: Service, requests: CancellableRequests) {
    self.init(service: service, requests: requests, pause: .milliseconds(200))
  }

  init(service: Service, requests: CancellableRequests, pause: Duration) {
    self.service = service
    self.requests = requests
    self.pause = pause
  }

  /// What the client said of itself.
  var client: ClientCapabilities { state.withLock { $0.client } }

  package func begin(_ params: JSONObject) {
    state.withLock { $0.client = EditorParams(.object(params)).capabilities }
  }

  // MARK: Requests

  /// How a request of an editor is answered; nil for a method that is none of theirs.
  package func plan(_ request: IncomingRequest, baseDirectory: String) -> RequestPlan? {
    guard let method = EditorMethod.all.first(where: { $0.name == request.method }) else { return nil }
    let params = EditorParams(.object(request.params))
    let call = EditorCall(
      editor: self, params: params,
      document: params.textDocument.uri.flatMap { uri in state.withLock { $0.documents[uri] } },
      connection: request.connection, baseDirectory: baseDirectory)
    let named = params.textDocument.uri ?? (try? CommandArguments(arguments: params.arguments).optionalURI()) ?? ""
    let length = state.withLock { $0.documents[named]?.source.bytes.count } ?? 0
    return .work { try await apart(where: length > ComputationThreads.longText) { try await method.run(call) } }
  }

  /// The document of a URI: as it is in the editor where it is open there, else as it is on disk.
  ///
  /// - Throws: `notFound` if it is neither open nor readable.
  func document(_ uri: String) throws(HoneError) -> Document {
    if let open = state.withLock({ $0.documents[uri] }) { return open }
    guard let path = ProgramFile.path(ofURI: uri), let bytes = readFile(path) else {
      throw HoneError(
        .notFound, "The document \(uri) is not open, and there is no such file.",
        remedy: "Open it, or name a file: URI that can be read.")
    }
    return Document(uri: uri, path: path, source: SourceText(bytes: bytes))
  }

  // MARK: Notifications

  /// Whether the notification was an editor's.
  package func receive(_ notification: IncomingNotification, baseDirectory: String) -> Bool {
    let params = EditorParams(.object(notification.params))
    let item = params.textDocument
    let uri = item.uri ?? ""
    switch notification.method {
    case "textDocument/didOpen":
      guard uri.hasSuffix(ProgramFile.suffix) || item.language == "hone" else { return true }
      let source = SourceText(item.text ?? "")
      let document = Document(
        uri: uri, path: ProgramFile.path(ofURI: uri), version: item.version, source: source)
      keep(document)
      check(uri, after: .zero, notification.connection, baseDirectory)
    case "textDocument/didChange":
      guard var document = state.withLock({ $0.documents[uri] }) else { return true }
      document.version = item.version
      for change in params.contentChanges { document.source = document.source.applying(change) }
      keep(document)
      check(uri, after: pause, notification.connection, baseDirectory)
    case "textDocument/didSave":
      check(uri, after: .zero, notification.connection, baseDirectory)
    case "textDocument/didClose":
      let (document, task) = state.withLock {
        ($0.documents.removeValue(forKey: uri), $0.checks.removeValue(forKey: uri))
      }
      task?.cancel()
      if document != nil { publish([], uri: uri, version: nil, notification.connection) }
    case "window/workDoneProgress/cancel":
      if let token = params.token { requests.cancel(token: token) }
    case "initialized", "$/setTrace", "workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles": break
    default: return false
    }
    return true
  }

  /// Forgets everything: the connection is closed.
  package func end() {
    let tasks = state.withLock { state in
      defer { state = State() }
      return state.checks.values
    }
    for task in tasks { task.cancel() }
  }

  private func keep(_ document: Document) {
    state.withLock { state in
      state.generations += 1
      var document = document
      document.generation = state.generations
      state.documents[document.uri] = document
    }
  }

  // MARK: Checking

  /// Checks every open document again: runs, files or models may have changed.
  func checkAll(_ connection: Connection, baseDirectory: String) {
    for uri in state.withLock({ Array($0.documents.keys) }) { check(uri, after: .zero, connection, baseDirectory) }
  }

  private func check(_ uri: String, after pause: Duration, _ connection: Connection, _ baseDirectory: String) {
    // A long text, and data sets, take their time.
    let task = Task(executorPreference: ComputationThreads.data) { [self] in
      if pause > .zero { guard (try? await Task.sleep(for: pause)) != nil else { return } }
      guard let document = state.withLock({ $0.documents[uri] }) else { return }
      let directory = document.path.map(ProgramFile.directory) ?? baseDirectory
      let findings = await FileCheck(service: service, directory: directory, datasets: datasets)
        .findings(in: document.source)
      let diagnostics = findings.map { Diagnostic($0, in: document.source) }
      state.withLock { state in
        // A newer text is checked by itself; what was found in the older one must not come after that.
        guard state.documents[uri]?.generation == document.generation else { return }
        publish(diagnostics, uri: uri, version: document.version, connection)
      }
    }
    let earlier = state.withLock { state in
      guard state.documents[uri] != nil else { return Optional(task) }
      defer { state.checks[uri] = task }
      return state.checks[uri]
    }
    earlier?.cancel()
  }

  private func publish(_ diagnostics: [Diagnostic], uri: String, version: Int?, _ connection: Connection) {
    var params: JSONObject = ["uri": .string(uri)]
    if let version { params.append("version", .int(version)) }
    params.append("diagnostics", diagnostics.jsonValue)
    connection.notify("textDocument/publishDiagnostics", params)
  }
}
