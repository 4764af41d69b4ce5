import Compression
import Failures
package import HTTPResponses
import HTTPTypes
package import Hummingbird
import JSON
import Tracking

/// `POST /v1/traces`: OpenTelemetry's exporters, MLflow's among them.
package enum ExportRoute {
  private static let limit = 64 << 20

  package static func add(to router: Router<BasicRequestContext>, backend: WebBackend) {
    router.post("/v1/traces") { request, _ in
      let isJSON = request.mediaType == "application/json"
      guard isJSON || request.mediaType == "application/x-protobuf" else {
        throw WebFailure(
          .unsupportedMediaType, "BAD_REQUEST", "Send OTLP as application/x-protobuf or application/json.")
      }
      let experiment = request.header("x-mlflow-experiment-id") ?? "0"
      let run = request.header("x-mlflow-run-id")
      let bytes = try unpacked(try await request.bytes(upTo: limit), request.headers[.contentEncoding])
      let export = isJSON ? try ExportRequest(json: bytes) : try ExportRequest(protobuf: bytes)
      let batches = try SpanTranslation.batches(export, experimentID: experiment, runID: run)
      try await backend.madeStore().addSpans(batches)
      if isJSON { return Response.json([:]) }
      return Response(status: .ok, headers: [.contentType: "application/x-protobuf"])
    }
  }

  private static func unpacked(_ bytes: [UInt8], _ encoding: String?) throws -> [UInt8] {
    switch encoding?.lowercased() {
    case nil, "", "identity": bytes
    case "gzip", "deflate": try inflated(bytes, format: .gzipOrZlib, limit: limit)
    case let other?:
      throw WebFailure(
        .unsupportedMediaType, "BAD_REQUEST", "Bodies may be compressed with gzip or deflate, not with \(other).")
    }
  }
}
