package import Failures
package import JSON
package import Jobs
package import Schema

/// One method of the service, declared once: what it takes, what it gives, and what does it. Dispatch, `initialize`, the
/// OpenRPC document, completion in editors and the tools of agents derive from the declarations.
package struct Method: Sendable {
  package var name: String
  package var summary: String
  /// The parameters, by name: the members of the request's type.
  package var parameters: [Schema.Field]
  /// What it answers with.
  package var result: Schema
  /// Parameters of a call that the documentation shows.
  package var example: JSONObject?
  /// Whether progress is reported and the work can be cancelled with something kept.
  package var isLong: Bool
  /// Whether it only looks: nothing is changed by it, and no file made, not even a store.
  package var isReading: Bool
  /// Whether the web page may call it: nothing that opens a file, spends money or runs for long.
  package var isForPages: Bool
  private var run: @Sendable (Service, FieldReader, CallEnvironment) async throws(HoneError) -> JSONValue

  /// What does the work of a method.
  package typealias Body<Request, Result> =
    @Sendable (_ service: Service, _ request: Request, _ environment: CallEnvironment) async throws(HoneError) -> Result

  /// A method whose request says everything by itself: it is read whole, with all problems at once, before `run` begins.
  package init<Request: SchemaObject, Result: SchemaValue>(
    _ name: String, _ summary: String, takes: Request.Type, gives: Result.Type, example: JSONObject? = nil,
    isReading: Bool = false, isLong: Bool = false, isForPages: Bool = false, run: @escaping Body<Request, Result>
  ) {
    self.init(name, summary, Request.self, Result.self, example, isReading, isLong, isForPages) {
      service, fields, environment throws(HoneError) in
      let request = Request.taken(from: fields)
      try fields.problems.check("Invalid params for \(name)")
      return try await run(service, request, environment).jsonValue
    }
  }

  /// A method whose request names things that have to be looked up before it is known to be right: programs, data sets,
  /// metrics. `run` notes what is wrong with them beside what is noted already.
  ///
  /// Where the request is only checked, `run` may stop after that; what it gives is not used then.
  init<Request: SchemaObject, Result: SchemaValue>(
    _ name: String, _ summary: String, resolving: Request.Type, gives: Result.Type, example: JSONObject? = nil,
    isReading: Bool = false, isLong: Bool = false, isForPages: Bool = false,
    run: @escaping @Sendable (Request, RequestResolver) async throws(HoneError) -> Result?
  ) {
    self.init(name, summary, Request.self, Result.self, example, isReading, isLong, isForPages) {
      service, fields, environment throws(HoneError) in
      let resolver = RequestResolver(service.workspace, name, fields, environment)
      return try await run(Request.known(from: fields), resolver)?.jsonValue ?? .null
    }
  }

  private init<Request: SchemaObject, Result: SchemaValue>(
    _ name: String, _ summary: String, _ request: Request.Type, _ result: Result.Type, _ example: JSONObject?,
    _ isReading: Bool, _ isLong: Bool, _ isForPages: Bool,
    run: @escaping @Sendable (Service, FieldReader, CallEnvironment) async throws(HoneError) -> JSONValue
  ) {
    self.name = name
    self.summary = summary
    parameters = Request.fields
    self.result = Result.schema
    self.example = example
    self.isReading = isReading
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
