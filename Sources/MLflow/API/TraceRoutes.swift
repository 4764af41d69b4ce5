import Failures
import HTTPResponses
import JSON
import OpenTelemetry
import Platform
import Schema
import Traces
import Tracking

/// Traces, version 3 of their API.
enum TraceRoutes {
  /// Routes whose paths mean the same in every version.
  static let all: [APIRoute] = [
    .search("/traces/search") { call, store in
      let page = try await search(call, experiments: try experiments(call), store)
      var object = JSONObject()
      object.appendUnlessEmpty("traces", page.items.map(\.apiJSON))
      object.appendToken(page.nextPageToken)
      return .object(object)
    },
    .get("/traces/get") { call, store in
      let id = try traceID(try call.requiredText("trace_id"))
      return ["trace": try await whole(store.trace(id), store)]
    },
    .get("/traces/batchGet", batch),
    .search("/traces/batchGet", batch),
    .search("/traces/batchGetInfos", batchInfos),
    .get("/traces/batchGetInfos", batchInfos),
    .patch("/traces/:trace/tags", setTag),
    .delete("/traces/:trace/tags") { call, store in
      try await store.deleteTraceTag(traceID(call.part("trace")), call.requiredText("key"))
      return [:]
    },
    .post("/traces/delete-traces") { call, store in
      let experiment = try call.requiredText("experiment_id")
      let ids = try call.texts("request_ids")
      if !ids.isEmpty {
        let count = try await store.deleteTraces(ids.compactMap { TraceID($0) }, experimentID: experiment)
        return ["traces_deleted": .int(count)]
      }
      guard let latest = try call.int("max_timestamp_millis") else {
        throw WebFailure.invalid("Either request_ids or max_timestamp_millis is needed.")
      }
      let limit = try call.int("max_traces", in: 1...Int.max) ?? .max
      return [
        "traces_deleted": .int(try await store.deleteTraces(experimentID: experiment, latest: latest, limit: limit))
      ]
    },
    .post("/traces/link-to-run") { call, store in
      let ids = try call.texts("trace_ids")
      guard ids.count <= 100 else { throw WebFailure.invalid("trace_ids: At most 100 traces are linked at once.") }
      try await store.linkTraces(ids.map { try traceID($0) }, run: call.runID())
      return [:]
    },
    .post("/traces/link-prompts") { call, store in
      let id = try traceID(try call.requiredText("trace_id"))
      try await store.setTraceTag(id, "mlflow.linkedPrompts", JSONValue.array(call.list("prompt_versions")).text())
      return [:]
    },
  ]

  /// Routes that version 2 uses for something else.
  static let current: [APIRoute] = [
    .post("/traces", start),
    .get("/traces/:trace") { call, store in
      ["trace": ["trace_info": try await store.trace(traceID(call.part("trace"))).apiJSON]]
    },
  ]

  static let start: APIRoute.Handler = { call, store in
    let given: GivenTrace = try call.record()
    guard let object = given.trace.info.objectValue else {
      throw WebFailure.invalid("Missing value for required parameter 'trace'.")
    }
    let info: MLflowTraceInfo = try APIRequest(object).record()
    var stored = try await store.report(TraceReport(info))
    // Whoever copies traces sends their assessments with them.
    for (index, assessment) in info.assessments.enumerated()
    where !stored.assessments.indices.contains(index) {
      try await AssessmentRoutes.add(assessment, to: stored.id, store)
    }
    stored = try await store.trace(stored.id)
    return ["trace": ["trace_info": stored.apiJSON]]
  }

  /// What starts a trace.
  private struct GivenTrace: ForeignRecord {
    static let members: [Member<Self>] = [Member("trace", \.trace)]
    var trace = Info()

    struct Info: ForeignRecord {
      static let members: [Member<Self>] = [Member("trace_info", \.info)]
      var info = JSONValue.null
    }
  }

  private static let setTag: APIRoute.Handler = { call, store in
    let id = try traceID(call.part("trace"))
    try await store.setTraceTag(id, call.requiredText("key"), call.text("value") ?? "")
    return [:]
  }

  private static let batch: APIRoute.Handler = { call, store in
    var traces: [JSONValue] = []
    for info in try await infos(call, store) { traces.append(try await whole(info, store)) }
    var object = JSONObject()
    object.appendUnlessEmpty("traces", traces)
    return .object(object)
  }

  private static let batchInfos: APIRoute.Handler = { call, store in
    var object = JSONObject()
    object.appendUnlessEmpty("trace_infos", try await infos(call, store).map(\.apiJSON))
    return .object(object)
  }

  private static func infos(_ call: APIRequest, _ store: TrackingStore) async throws -> [TraceInfo] {
    let ids = try call.texts("trace_ids")
    guard ids.count <= 500 else { throw WebFailure.invalid("trace_ids: At most 500 traces are given at once.") }
    let experiments = try call.texts("experiment_ids")
    let found = try await store.traces(ids.compactMap { TraceID($0) })
    return experiments.isEmpty ? found : found.filter { experiments.contains($0.experimentID ?? "0") }
  }

  /// A trace with all its spans.
  private static func whole(_ info: TraceInfo, _ store: TrackingStore) async throws -> JSONValue {
    let spans = try await allSpans(of: info.id, store)
    return await apart(where: spans.count > manySpans) {
      ["trace_info": info.apiJSON, "spans": .array(spans.map { MLflowSpan($0, of: info.id).jsonValue })]
    }
  }

  /// Beyond so many spans an answer takes long to put together.
  static let manySpans = 500

  static func allSpans(of id: TraceID, _ store: TrackingStore) async throws -> [Span] {
    var spans: [Span] = []
    var token: String?
    repeat {
      let page = try await store.spans(of: id, maxResults: 100_000, maxBytes: 256 << 20, pageToken: token)
      spans += page.items
      token = page.nextPageToken
    } while token != nil
    return spans
  }

  static func search(
    _ call: APIRequest, experiments: [String], _ store: TrackingStore
  ) async throws -> Page<TraceInfo> {
    try await store.searchTraces(
      experimentIDs: experiments, filter: call.text("filter") ?? "", orderBy: call.texts("order_by"),
      maxResults: call.int("max_results", in: 1...500) ?? 100, pageToken: call.pageToken())
  }

  private static func experiments(_ call: APIRequest) throws -> [String] {
    let locations = try call.list("locations").compactMap { MLflowTraceInfo.Location($0).experiment.id }
    let ids = try locations + call.texts("experiment_ids")
    // MLflow's page asks with an empty list where it has not chosen an experiment, and expects an empty answer.
    guard !ids.isEmpty || call.value("locations") != nil else {
      throw WebFailure.invalid("locations: At least one experiment is needed.")
    }
    return ids
  }

  static func traceID(_ text: String) throws -> TraceID {
    guard let id = TraceID(text) else { throw WebFailure.missing("Trace with ID '\(text.prefix(80))' not found.") }
    return id
  }
}
