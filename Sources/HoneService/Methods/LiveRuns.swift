import Failures
import JSON
import LanguageModels
import Schema

extension Method {
  static let watchRun = Method(
    "watchRun", "Follows a run of compile or evaluate: what has happened so far, then live; answers with its result.",
    [Parameter("runId", required: true, Shape.string, "The run's id; its process may be another, or gone.")],
    result: Shape.anyObject, example: ["runId": "0123456789abcdef0123456789abcdef"], isLong: true
  ) { service, fields, environment throws(HoneError) in
    let id = fields.requiredString("runId")
    try fields.check("watchRun")
    return try await RunControl(service, environment).watch(id ?? "")
  }

  static let cancelRun = Method(
    "cancelRun", "Stops a run of compile or evaluate, also one of another process; answers with the best so far and the bill.",
    [Parameter("runId", required: true, Shape.string, "The run's id.")],
    result: Shape.anyObject, example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, fields, environment throws(HoneError) in
    let id = fields.requiredString("runId")
    try fields.check("cancelRun")
    return try await RunControl(service, environment).cancel(id ?? "")
  }

  static let resumeRun = Method(
    "resumeRun",
    "Goes on with a run that ended before its time: it is done again from the top, and answers it has paid for are not asked for twice.",
    [
      Parameter("runId", required: true, Shape.string, "The run's id. A finished run answers with its result."),
      Parameter("budget", Shape.reference("Budget"), "Bounds in place of those it had, each for the whole run; null lifts all."),
      Parameter("concurrency", Shape.integer, "How many executions at once, from now on."),
      Parameter("detach", Shape.boolean, "Answer at once and go on without the client."),
    ],
    result: Shape.anyObject,
    example: ["runId": "0123456789abcdef0123456789abcdef", "budget": ["maxCalls": 2000]], isLong: true
  ) { service, fields, environment throws(HoneError) in
    let id = fields.requiredString("runId")
    var changes: JSONObject = [:]
    // A null says something here: no bounds.
    if let budget = fields.value("budget") ?? fields.object["budget"] {
      _ = Budget(budget, path: "budget", problems: fields.problems)
      changes["budget"] = budget
    }
    if let concurrency = fields.int("concurrency", in: 1...1024) { changes["concurrency"] = .int(concurrency) }
    let isDetached = fields.bool("detach") ?? false
    try fields.check("resumeRun")
    return try await RunControl(service, environment).resume(id ?? "", changes, isDetached: isDetached)
  }
}
