import HTTPResponses
import JSON
import Traces
import Tracking

/// From OpenTelemetry's spans to the store's: what MLflow keeps as attributes (type, inputs, outputs) are fields here.
enum SpanTranslation {
  /// Times fit well into an `Int`, so that sums of two do as well.
  private static let latest: UInt64 = 1 << 62

  /// The spans of a request by trace, in the order the traces first stand.
  ///
  /// - Throws: `WebFailure` (400) for a span without ids.
  static func batches(_ request: ExportRequest, experimentID: String, runID: String?) throws -> [SpanBatch] {
    var batches: [SpanBatch] = []
    var places: [TraceID: Int] = [:]
    for resource in request.resources {
      // MLflow's own library sends values as they are; others send inputs and outputs as JSON in a string.
      let isTyped =
        resource.attributes["telemetry.sdk.name"] == "mlflow"
        && resource.attributes["telemetry.sdk.language"] == "python"
      for exported in resource.spans {
        guard let id = traceID(exported.traceID) else {
          throw WebFailure.invalid("A span's trace_id should have 16 bytes, not all zero.")
        }
        let span = try span(exported, isTyped: isTyped)
        if let place = places[id] {
          batches[place].spans.append(span)
        } else {
          places[id] = batches.count
          batches.append(SpanBatch(traceID: id, experimentID: experimentID, runID: runID, spans: [span]))
        }
      }
    }
    return batches
  }

  static func traceID(_ bytes: [UInt8]) -> TraceID? {
    guard bytes.count == 16, bytes.contains(where: { $0 != 0 }) else { return nil }
    return TraceID(high: number(bytes[..<8]), low: number(bytes[8...]))
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  static func span(_ exported: ExportedSpan, isTyped: Bool) throws -> Span {
    guard exported.spanID.count == 8, exported.parentID.isEmpty || exported.parentID.count == 8 else {
      throw WebFailure.invalid("A span's span_id should have 8 bytes, and its parent_span_id 8 or none.")
    }
    var attributes = exported.attributes
    let kind = plain(attributes[SpanKey.type])?.stringValue ?? operation(attributes)
    let inputs = payload(attributes[SpanKey.inputs], isTyped)
    let outputs = payload(attributes[SpanKey.outputs], isTyped)
    attributes = attributes.filter { !SpanKey.all.contains($0) }
    let start = Int(min(exported.start, latest))
    let end = Int(min(exported.end, latest))
    let status: TraceStatus =
      switch exported.statusCode {
      case 2: .error(exported.statusMessage)
      case 1: .ok
      default: end > 0 ? .ok : .inProgress
      }
    let parent = number(exported.parentID[...])
    return Span(
      id: SpanID(number(exported.spanID[...])), parent: exported.parentID.isEmpty || parent == 0 ? nil : SpanID(parent),
      name: exported.name, kind: SpanKind(rawValue: kind), start: start, end: max(start, end), inputs: inputs,
      outputs: outputs, attributes: attributes,
      events: exported.events.map {
        SpanEvent(name: $0.name, time: Int(min($0.time, latest)), attributes: $0.attributes)
      }, status: status)
  }

  /// A span's type where only OpenTelemetry's conventions for models tell it.
  private static func operation(_ attributes: JSONObject) -> String {
    switch attributes["gen_ai.operation.name"]?.stringValue {
    case "chat": "CHAT_MODEL"
    case "text_completion", "generate_content": "LLM"
    case "embeddings": "EMBEDDING"
    case "execute_tool": "TOOL"
    case "invoke_agent", "create_agent": "AGENT"
    default: "UNKNOWN"
    }
  }

  /// A value that may have come as a JSON string in a string.
  private static func plain(_ value: JSONValue?) -> JSONValue? {
    guard let text = value?.stringValue, text.utf8.first == UInt8(ascii: "\""),
      let inner = try? JSONReader.read(text, maximumValues: JSONReader.messageValues)
    else { return value }
    return inner
  }

  private static func payload(_ value: JSONValue?, _ isTyped: Bool) -> SpanPayload {
    guard let value else { return .none }
    if !isTyped, let text = value.stringValue,
      let inner = try? JSONReader.read(text, maximumValues: JSONReader.messageValues)
    {
      return .json(inner)
    }
    return .json(value)
  }
}
