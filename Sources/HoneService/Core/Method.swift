import Failures
package import JSON
package import Programs
import Schema

/// One method of the service, declared once: what it takes, what it gives, and what does it. Dispatch, `initialize` and
/// the OpenRPC document derive from the declarations.
package struct Method: Sendable {
  /// One parameter, by name.
  package struct Parameter: Sendable {
    package var name: String
    package var isRequired: Bool
    package var summary: String
    package var schema: JSONValue

    init(_ name: String, required: Bool = false, _ schema: JSONValue, _ summary: String) {
      self.name = name
      isRequired = required
      self.summary = summary
      self.schema = schema
    }
  }

  package var name: String
  package var summary: String
  package var parameters: [Parameter]
  package var result: JSONValue
  /// Parameters of a call that the documentation shows.
  package var example: JSONObject?
  /// Whether progress is reported and the work can be cancelled with something kept.
  package var isLong: Bool
  /// Whether the web page may call it: nothing that opens a file, spends money or runs for long.
  package var isForPages: Bool
  /// Reads its parameters through the reader (all problems at once), then works.
  var run: @Sendable (Service, FieldReader, CallEnvironment) async throws(HoneError) -> JSONValue

  init(
    _ name: String, _ summary: String, _ parameters: [Parameter], result: JSONValue, example: JSONObject? = nil,
    isLong: Bool = false, isForPages: Bool = false,
    run: @escaping @Sendable (Service, FieldReader, CallEnvironment) async throws(HoneError) -> JSONValue
  ) {
    self.name = name
    self.summary = summary
    self.parameters = parameters
    self.result = result
    self.example = example
    self.isLong = isLong
    self.isForPages = isForPages
    self.run = run
  }
}

/// What a call knows of its surroundings.
package struct CallEnvironment: Sendable {
  /// Who hears how far the work is; nobody where nil.
  package var progress: (any ProgressSink)?
  /// The directory from which relative paths in requests count.
  package var baseDirectory: String
  /// Whether the request is only read and checked: nothing is asked of a model, fetched, written or opened.
  var isCheck = false
  /// Data sets that were read before, for whoever checks one request again and again.
  var datasets: DatasetCache?
  /// The client that asked, as far as it can be asked in turn; nil: callbacks cannot be served.
  package var peer: (any CallbackPeer)?
  /// What that client said it serves.
  package var served = ServedCallbacks()
  /// The place of a `predict` within the execution that it names; taken when the call came, since places are numbered.
  package var place: HostExecution.Place?
  /// Whether the caller may name files of this machine; a page may not.
  package var opensFiles = true

  package init(progress: (any ProgressSink)? = nil, baseDirectory: String, peer: (any CallbackPeer)? = nil) {
    self.progress = progress
    self.baseDirectory = baseDirectory
    self.peer = peer
  }

  /// The surroundings of a call from the web page.
  static var page: CallEnvironment {
    var environment = CallEnvironment(baseDirectory: "")
    environment.opensFiles = false
    return environment
  }
}

/// Hears how far a long call is.
package protocol ProgressSink: Sendable {
  func begin(_ title: String)
  /// - Parameters:
  ///   - percentage: 0 to 100, never falling; nil while unknown.
  ///   - data: the same in figures (`trial`, `score`, `calls` …).
  func report(_ message: String, percentage: Int?, data: JSONObject)
  /// A finished trial or example.
  func partial(_ value: JSONObject)
  func end(_ message: String)
}
