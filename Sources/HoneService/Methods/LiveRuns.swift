import Failures
import JSON
import Jobs
import Schema

extension Method {
  package static let watchRun = Method(
    "watchRun", "Follows a run of compile or evaluate: what has happened so far, then live; answers with its result.",
    takes: RunRequest.self, gives: JSONObject.self,
    example: ["runId": "0123456789abcdef0123456789abcdef"], isReading: true, isLong: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service.workspace, environment).watch(request.runId)
  }

  package static let cancelRun = Method(
    "cancelRun",
    "Stops a run of compile or evaluate, also one of another process; answers with the best so far and the bill.",
    takes: RunRequest.self, gives: JSONObject.self,
    example: ["runId": "0123456789abcdef0123456789abcdef"], isForPages: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service.workspace, environment).cancel(request.runId)
  }

  static let resumeRun = Method(
    "resumeRun",
    "Continues a run that ended early: it starts over and reuses every answer that it has paid for.",
    takes: ResumeRunRequest.self, gives: JSONObject.self,
    example: ["runId": "0123456789abcdef0123456789abcdef", "budget": ["maxCalls": 2000]], isLong: true
  ) { service, request, environment throws(HoneError) in
    try await RunControl(service.workspace, environment).resume(request)
  }
}

/// The id of one run, and nothing else.
struct RunRequest: SchemaObject {
  static let members: [Member<Self>] = [.runID(\.runId)]
  var runId = ""
}
