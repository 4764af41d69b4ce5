import HTTPResponses
import JSON
import OpenTelemetry
import Platform
import Traces
import Tracking

/// `get-trace-artifact`: a trace as the file that clients of old wrote, each attribute as JSON text.
enum TraceFile {
  static let routes: [APIRoute] = [
    .get("/get-trace-artifact") { call, store in
      let id = try TraceRoutes.traceID(call.requiredText("request_id"))
      guard try call.text("path") == nil else {
        throw WebFailure.missing("Hone keeps no attachments of traces.")
      }
      _ = try await store.trace(id)
      let spans = try await TraceRoutes.allSpans(of: id, store)
      return await apart(where: spans.count > TraceRoutes.manySpans) {
        ["spans": .array(spans.map { json($0, of: id) })]
      }
    }
  ]

  private static func json(_ span: Span, of trace: TraceID) -> JSONValue {
    let status = MLflowSpan.Status(span.status)
    return [
      "trace_id": .string(trace.base64), "span_id": .string(span.id.base64),
      "parent_span_id": JSONValue(span.parent?.base64), "name": .string(span.name),
      "start_time_unix_nano": .int(span.start), "end_time_unix_nano": .int(span.end),
      "attributes": texts(span.mlflowAttributes(of: trace)),
      "events": .array(
        span.events.map { event in
          ["name": .string(event.name), "time_unix_nano": .int(event.time), "attributes": .object(event.attributes)]
        }), "status": ["code": .string(status.code.rawValue), "message": .string(status.message ?? "")],
    ]
  }

  private static func texts(_ attributes: JSONObject) -> JSONValue {
    .object(JSONObject(attributes.map { ($0.key, .string($0.value.text())) }))
  }
}
