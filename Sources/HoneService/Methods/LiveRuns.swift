import Failures
import JSON
import LanguageModels
import Schema

extension Method {
  static let watchRun = Method(
    "watchRun", "Follows a run of compile or evaluate: what has happened so far, then live; answers with its result.",
    takes: RunRequest.self,
    result: Shape.anyObject, example: ["runId": "0123456789abcdef0123456789abcdef"], isLong: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service, environment).watch(request.runId)
  }

  static let cancelRun = Method(
    "cancelRun", "Stops a run of compile or evaluate, also one of another process; answers with the best so far and the bill.",
    takes: RunRequest.self,
    result: Shape.anyObject, example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service, environment).cancel(request.runId)
  }

  static let resumeRun = Method(
    "resumeRun",
    "Goes on with a run that ended before its time: it is done again from the top, and answers it has paid for are not asked for twice.",
    takes: ResumeRunRequest.self,
    result: Shape.anyObject,
    example: ["runId": "0123456789abcdef0123456789abcdef", "budget": ["maxCalls": 2000]], isLong: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service, environment).resume(request)
  }
}

struct ResumeRunRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("runId", \.runId, isRequired: true, "The run's id. A finished run answers with its result."),
    Member("budget", \.budget, "Bounds in place of those it had, each for the whole run; null lifts all."),
    Member("concurrency", \.concurrency, in: 1...1024, "How many executions at once, from now on."),
    Member("detach", \.detach, "Answer at once and go on without the client."),
  ]
  var runId = ""
  var budget = Change<Budget.Limits>.none
  var concurrency: Int?
  var detach = false

  /// A run's kept parameters with what changes; a limit that is not named stays as it was.
  func applied(to kept: JSONObject) -> JSONObject {
    var params = kept
    if let concurrency { params["concurrency"] = .int(concurrency) }
    switch budget {
    case .none: break
    case .lift: params["budget"] = .null
    case .set(let limits): params["budget"] = .object((kept["budget"]?.objectValue ?? [:]).merging(limits.given))
    }
    return params
  }
}

/// What becomes of a value that is there already.
enum Change<Value: SchemaValue>: SchemaValue {
  case none
  case lift
  case set(Value)

  static var schema: Schema { Value.schema.orNull }

  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Change? {
    value.isNull ? .lift : Value.read(value, at: place, problems).map(Change.set)
  }

  var jsonValue: JSONValue { if case .set(let value) = self { value.jsonValue } else { .null } }
}
