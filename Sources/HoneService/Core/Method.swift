package import Failures
package import JSON
package import Programs
package import Schema

/// One method of the service, declared once: what it takes, what it gives, and what does it. Dispatch, `initialize`, the
/// OpenRPC document, completion in editors and the tools of agents derive from the declarations.
package struct Method: Sendable {
  package var name: String
  package var summary: String
  /// The parameters, by name: the members of the request's type.
  package var parameters: [Schema.Field]
  package var result: JSONValue
  /// Parameters of a call that the documentation shows.
  package var example: JSONObject?
  /// Whether progress is reported and the work can be cancelled with something kept.
  package var isLong: Bool
  /// Whether the web page may call it: nothing that opens a file, spends money or runs for long.
  package var isForPages: Bool
  private var run: Body<FieldReader>

  /// What does the work of a method.
  package typealias Body<Request> =
    @Sendable (_ service: Service, _ request: Request, _ environment: CallEnvironment) async throws(HoneError) -> JSONValue

  /// A method whose request says everything by itself: it is read whole, with all problems at once, before `run` begins.
  package init<Request: SchemaObject>(
    _ name: String, _ summary: String, takes: Request.Type, result: JSONValue, example: JSONObject? = nil,
    isLong: Bool = false, isForPages: Bool = false, run: @escaping Body<Request>
  ) {
    self.init(name, summary, Request.self, result, example, isLong, isForPages) {
      service, fields, environment throws(HoneError) in
      let request = Request.taken(from: fields)
      try fields.problems.check("Invalid params for \(name)")
      return try await run(service, request, environment)
    }
  }

  /// A method whose request names things that have to be looked up before it is known to be right: programs, data sets,
  /// metrics. `run` notes what is wrong with them beside what is noted already.
  init<Request: SchemaObject>(
    _ name: String, _ summary: String, resolving: Request.Type, result: JSONValue, example: JSONObject? = nil,
    isLong: Bool = false, isForPages: Bool = false,
    run: @escaping @Sendable (Request, RequestParts) async throws(HoneError) -> JSONValue
  ) {
    self.init(name, summary, Request.self, result, example, isLong, isForPages) {
      service, fields, environment throws(HoneError) in
      try await run(Request.known(from: fields), RequestParts(service, name, fields, environment))
    }
  }

  private init<Request: SchemaObject>(
    _ name: String, _ summary: String, _ request: Request.Type, _ result: JSONValue, _ example: JSONObject?,
    _ isLong: Bool, _ isForPages: Bool,
    run: @escaping Body<FieldReader>
  ) {
    self.name = name
    self.summary = summary
    parameters = Request.fields
    self.result = result
    self.example = example
    self.isLong = isLong
    self.isForPages = isForPages
    self.run = run
  }

  /// Does the method's work for one request.
  package func callAsFunction(
    _ service: Service, _ request: FieldReader, _ environment: CallEnvironment
  ) async throws(HoneError) -> JSONValue {
    try await run(service, request, environment)
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
