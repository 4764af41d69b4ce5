package import JSON
import Schema
package import Traces
package import Tracking

/// Traces as an OTLP export request in JSON.
package enum OTLPSpans {
  /// - Parameter version: of this program, which the receiver is told.
  package static func request(_ traces: [(info: TraceInfo, spans: [Span])], version: String) -> JSONValue {
    var scope = OTLPExport.ScopeSpans()
    scope.scope.name = "hone"
    scope.scope.version = version
    scope.spans = traces.flatMap { trace in trace.spans.map { OTLPSpan($0, of: trace.info) } }
    var source = OTLPExport.ResourceSpans()
    source.resource.attributes = OTLPAttributes([
      "service.name": "hone", "service.version": .string(version), "telemetry.sdk.language": "swift",
      "telemetry.sdk.name": "hone",
    ])
    source.scopeSpans = [scope]
    var export = OTLPExport()
    export.resourceSpans = [source]
    return export.jsonValue
  }
}

extension OTLPSpan {
  init(_ span: Span, of trace: TraceInfo) {
    traceID = String(trace.id.description.dropFirst(3))
    spanID = span.id.description
    name = span.name
    kind = span.kind == .chatModel ? 3 : 1
    start = WideText(span.start)
    end = WideText(span.end)
    parentSpanID = span.parent?.description
    var facts = span.attributes.filter { $0 != "model" || span.kind != .chatModel }
    facts = facts.merging(GenAIAttributes.of(span))
    facts[SpanKey.request] = .string(trace.id.description)
    facts[SpanKey.type] = .string(span.kind.rawValue)
    if let inputs = span.inputs.json { facts[SpanKey.inputs] = inputs }
    if let outputs = span.outputs.json { facts[SpanKey.outputs] = outputs }
    var happened = span.events
    if span.parent == nil {
      if let run = trace.runID { facts["hone.run.id"] = .string(run) }
      for (key, value) in trace.metadata { facts["hone.\(key)"] = value }
      if let cost = trace.cost { facts["hone.cost"] = .double(cost) }
      happened += trace.assessments.filter(\.isValid).map { GenAIAttributes.event($0.assessment, created: $0.created) }
    }
    attributes = OTLPAttributes(facts)
    events = happened.map { event in
      var sent = Event()
      sent.time = WideText(event.time)
      sent.name = event.name
      sent.attributes = OTLPAttributes(event.attributes)
      return sent
    }
    switch span.status {
    case .ok: status = Status(code: 1)
    case .error(let message): status = Status(code: 2, message: message)
    case .inProgress: break
    }
  }
}
