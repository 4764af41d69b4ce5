import JSON
import Traces
import Tracking

/// Version 2 of the traces' API, which older clients speak, and newer ones where they have nothing else.
enum LegacyTraceRoutes {
  static let all: [APIRoute] = [
    .post("/traces") { call, store in
      if call.object["trace"] != nil { return try await TraceRoutes.start(call, store) }
      let experiment = try call.requiredText("experiment_id")
      let report = try report(call, TraceID.random(), experiment, start: call.int("timestamp_ms") ?? 0)
      return ["trace_info": try await store.report(report).legacyJSON]
    },
    .patch("/traces/:trace") { call, store in
      let known = try await store.trace(TraceRoutes.traceID(call.part("trace")))
      let start = known.start / 1_000_000
      var report = try report(call, known.id, known.experimentID ?? "0", start: start)
      report.status = TraceReport.status(try call.text("status"))
      if let end = try call.int("timestamp_ms") { report.duration = max(0, min(end - start, 1 << 40)) * 1_000_000 }
      report.metadata = known.metadata.merging(report.metadata)
      return ["trace_info": try await store.report(report).legacyJSON]
    },
    .get("/traces/:trace") { call, store in
      ["trace": ["trace_info": try await store.trace(TraceRoutes.traceID(call.part("trace"))).apiJSON]]
    },
    .get("/traces/:trace/info") { call, store in
      ["trace_info": try await store.trace(TraceRoutes.traceID(call.part("trace"))).legacyJSON]
    },
    .get("/traces") { call, store in
      let page = try await TraceRoutes.search(call, experiments: try call.texts("experiment_ids"), store)
      var object = JSONObject()
      object.appendUnlessEmpty("traces", page.items.map(\.legacyJSON))
      object.appendToken(page.nextPageToken)
      return .object(object)
    },
  ]

  private static func report(
    _ call: APIRequest, _ id: TraceID, _ experiment: String, start: Int
  ) throws -> TraceReport {
    var metadata = JSONObject()
    for pair in try call.pairs("request_metadata") { metadata[pair.key] = .string(pair.value) }
    let tags = try call.pairs("tags")
    var report = TraceReport(
      id: id, experimentID: experiment, name: tags.value(of: TraceKey.name), status: .inProgress,
      start: min(max(0, start), 1 << 42) * 1_000_000,
      requestPreview: metadata[TraceKey.inputs]?.stringValue, responsePreview: metadata[TraceKey.outputs]?.stringValue,
      tags: tags.filter { ![TraceKey.name, TraceKey.spansLocation, TraceKey.location].contains($0.key) })
    report.take(metadata)
    return report
  }
}
