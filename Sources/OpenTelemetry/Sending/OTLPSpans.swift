package import JSON
package import Traces
package import Tracking

/// Traces as an OTLP export request in JSON.
///
/// Source: opentelemetry.io, "OTLP Specification" 1.9, JSON Protobuf Encoding: ids in hexadecimal, 64-bit integers as
/// strings, enumerations as numbers.
package enum OTLPSpans {
  /// - Parameter version: of this program, which the receiver is told.
  package static func request(_ traces: [(info: TraceInfo, spans: [Span])], version: String) -> JSONValue {
    let resource = attributes([
      "service.name": "hone", "service.version": .string(version), "telemetry.sdk.language": "swift",
      "telemetry.sdk.name": "hone",
    ])
    let spans = traces.flatMap { trace in trace.spans.map { span($0, of: trace.info) } }
    return [
      "resourceSpans": [
        [
          "resource": ["attributes": resource],
          "scopeSpans": [["scope": ["name": "hone", "version": .string(version)], "spans": .array(spans)]],
        ]
      ]
    ]
  }

  private static func span(_ span: Span, of trace: TraceInfo) -> JSONValue {
    var facts = span.attributes.filter { $0 != "model" || span.kind != .chatModel }
    facts = facts.merging(GenAIAttributes.of(span))
    facts["mlflow.traceRequestId"] = .string(trace.id.description)
    facts["mlflow.spanType"] = .string(span.kind.rawValue)
    if let inputs = span.inputs.json { facts["mlflow.spanInputs"] = inputs }
    if let outputs = span.outputs.json { facts["mlflow.spanOutputs"] = outputs }
    var events = span.events
    if span.parent == nil {
      if let run = trace.runID { facts["hone.run.id"] = .string(run) }
      for (key, value) in trace.metadata { facts["hone.\(key)"] = value }
      if let cost = trace.cost { facts["hone.cost"] = .double(cost) }
      events += trace.assessments.filter(\.isValid).map { GenAIAttributes.event($0.assessment, created: $0.created) }
    }
    var object: JSONObject = [
      "traceId": .string(String(trace.id.description.dropFirst(3))), "spanId": .string(span.id.description),
      "name": .string(span.name),
      // A model call leaves the process (3, client); the rest stays in it (1, internal).
      "kind": .int(span.kind == .chatModel ? 3 : 1),
      "startTimeUnixNano": .string(String(span.start)), "endTimeUnixNano": .string(String(span.end)),
      "attributes": attributes(facts),
    ]
    if let parent = span.parent { object["parentSpanId"] = .string(parent.description) }
    if !events.isEmpty {
      object["events"] = .array(
        events.map { event in
          [
            "timeUnixNano": .string(String(event.time)), "name": .string(event.name),
            "attributes": attributes(event.attributes),
          ]
        })
    }
    switch span.status {
    case .ok: object["status"] = ["code": 1]
    case .error(let message): object["status"] = ["code": 2, "message": .string(message)]
    case .inProgress: break
    }
    return .object(object)
  }

  static func attributes(_ object: JSONObject) -> JSONValue {
    .array(
      object.compactMap { key, value in
        value.isNull ? nil : ["key": .string(key), "value": anyValue(value)]
      })
  }

  /// A value in the protocol's typed form.
  static func anyValue(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null: [:]
    case .bool(let flag): ["boolValue": .bool(flag)]
    case .int(let number): ["intValue": .string(String(number))]
    case .double(let number) where !number.isFinite:
      ["doubleValue": JSONValue(numberOrText: number)]
    case .double, .number: ["doubleValue": .double(value.doubleValue ?? 0)]
    case .string(let text): ["stringValue": .string(text)]
    case .array(let elements): ["arrayValue": ["values": .array(elements.map(anyValue))]]
    case .object(let object):
      [
        "kvlistValue": [
          "values": .array(object.map { key, value in ["key": .string(key), "value": anyValue(value)] })
        ]
      ]
    }
  }
}
