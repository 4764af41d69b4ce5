import Foundation
import JSON
import OpenTelemetry
import RunFiles
import Schema
import Traces

/// A span in the form of `traces/get`: ids in base64, names in snake case, typed values.
struct MLflowSpan: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("trace_id", \.traceID), Member("span_id", \.spanID), Member("parent_span_id", \.parentSpanID),
    Member("name", \.name), Member("start_time_unix_nano", \.start), Member("end_time_unix_nano", \.end),
    Member("attributes", \.attributes, isAlwaysWritten: true), Member("events", \.events), Member("status", \.status),
  ]
  var traceID = ""
  var spanID = ""
  var parentSpanID: String?
  var name: String?
  var start: WideNumber?
  var end: WideNumber?
  var attributes = SnakeAttributes()
  var events: [Event] = []
  var status = Status()

  struct Event: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("time_unix_nano", \.time), Member("name", \.name),
      Member("attributes", \.attributes, isAlwaysWritten: true),
    ]
    var time: WideNumber?
    var name: String?
    var attributes = SnakeAttributes()

    init() {}
  }

  struct Status: ForeignRecord {
    static let members: [Member<Self>] = [Member("message", \.message), Member("code", \.code)]
    var message: String?
    var code = StatusCode.unset

    init() {}
  }

  enum StatusCode: String, SchemaChoice {
    case unset = "STATUS_CODE_UNSET"
    case ok = "STATUS_CODE_OK"
    case error = "STATUS_CODE_ERROR"
  }

  init() {}

  init(_ span: Span, of trace: TraceID) {
    traceID = trace.base64
    spanID = span.id.base64
    parentSpanID = span.parent?.base64
    name = span.name
    start = WideNumber(span.start)
    if span.status != .inProgress || span.end > span.start { end = WideNumber(span.end) }
    attributes = SnakeAttributes(span.mlflowAttributes(of: trace))
    events = span.events.map { happened in
      var event = Event()
      event.time = WideNumber(happened.time)
      event.name = happened.name
      event.attributes = SnakeAttributes(happened.attributes)
      return event
    }
    status = Status(span.status)
  }

  /// The span; nil for one without an id, a name or a time.
  var span: Span? {
    guard let id = SpanID(base64: spanID), let name, let start = start?.value else { return nil }
    let given = attributes.object
    return Span(
      id: id, parent: parentSpanID.flatMap { SpanID(base64: $0) }, name: name,
      kind: SpanKind(rawValue: given[SpanKey.type]?.stringValue ?? SpanKind.unknown.rawValue),
      start: start, end: end?.value ?? start, inputs: SpanPayload(line: given[SpanKey.inputs]),
      outputs: SpanPayload(line: given[SpanKey.outputs]), attributes: given.filter { !SpanKey.all.contains($0) },
      events: events.compactMap { event in
        event.name.map {
          SpanEvent(name: $0, time: event.time?.value ?? start, attributes: event.attributes.object)
        }
      },
      status: status.code == .error ? .error(status.message ?? "") : .ok)
  }
}

extension MLflowSpan.Status {
  init(_ status: TraceStatus) {
    switch status {
    case .ok: code = .ok
    case .inProgress: code = .unset
    case .error(let message):
      code = .error
      self.message = message
    }
  }
}

extension Span {
  /// All attributes of a span in MLflow's eyes.
  func mlflowAttributes(of trace: TraceID) -> JSONObject {
    var all = JSONObject()
    all.append(SpanKey.request, .string(trace.description))
    all.append(SpanKey.type, .string(kind.rawValue))
    if let inputs = inputs.json { all.append(SpanKey.inputs, inputs) }
    if let outputs = outputs.json { all.append(SpanKey.outputs, outputs) }
    for (key, value) in attributes where all[key] == nil { all.append(key, value) }
    return all
  }
}

extension TraceID {
  var base64: String {
    var words = (high.bigEndian, low.bigEndian)
    return withUnsafeBytes(of: &words) { Data($0).base64EncodedString() }
  }
}

extension SpanID {
  var base64: String {
    var word = value.bigEndian
    return withUnsafeBytes(of: &word) { Data($0).base64EncodedString() }
  }

  init?(base64 text: String) {
    guard let data = Data(base64Encoded: text), data.count == 8 else { return nil }
    self.init(data.reduce(0) { $0 << 8 | UInt64($1) })
  }
}
