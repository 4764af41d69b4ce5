import JSON
import Schema

/// An export request in JSON: resources, each with its spans by instrumentation scope.
///
/// Source: opentelemetry.io, "OTLP Specification" 1.9, JSON Protobuf Encoding: ids in hexadecimal, 64-bit integers as
/// text, enumerations as numbers. Names in snake case are read, too.
struct OTLPExport: ForeignRecord {
  static let members: [Member<Self>] = [Member("resourceSpans", \.resourceSpans)]
  var resourceSpans: [ResourceSpans] = []

  struct ResourceSpans: ForeignRecord {
    static let members: [Member<Self>] = [Member("resource", \.resource), Member("scopeSpans", \.scopeSpans)]
    var resource = Resource()
    var scopeSpans: [ScopeSpans] = []
  }

  struct Resource: ForeignRecord {
    static let members: [Member<Self>] = [Member("attributes", \.attributes)]
    var attributes = OTLPAttributes()
  }

  struct ScopeSpans: ForeignRecord {
    static let members: [Member<Self>] = [Member("scope", \.scope), Member("spans", \.spans, isAlwaysWritten: true)]
    var scope = Scope()
    var spans: [OTLPSpan] = []
  }

  struct Scope: ForeignRecord {
    static let members: [Member<Self>] = [Member("name", \.name), Member("version", \.version)]
    var name: String?
    var version: String?
  }
}

/// A span of an export request in JSON.
struct OTLPSpan: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("traceId", \.traceID), Member("spanId", \.spanID), Member("name", \.name), Member("kind", \.kind),
    Member("startTimeUnixNano", \.start), Member("endTimeUnixNano", \.end),
    Member("attributes", \.attributes, isAlwaysWritten: true), Member("parentSpanId", \.parentSpanID),
    Member("events", \.events), Member("status", \.status),
  ]
  var traceID = ""
  var spanID = ""
  var name = ""
  /// 1 for what stays in the process, 3 for a call of a server.
  var kind: Int?
  /// Nanoseconds since 1970; 0 where it is not known.
  var start: WideText = 0
  var end: WideText = 0
  var attributes = OTLPAttributes()
  var parentSpanID: String?
  var events: [Event] = []
  var status: Status?

  struct Event: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("timeUnixNano", \.time), Member("name", \.name), Member("attributes", \.attributes, isAlwaysWritten: true),
    ]
    var time: WideText = 0
    var name = ""
    var attributes = OTLPAttributes()
  }

  struct Status: ForeignRecord {
    static let members: [Member<Self>] = [Member("code", \.code), Member("message", \.message)]
    /// A number, or its name in the protobuf's declaration.
    var code = JSONValue.null
    var message: String?
  }
}
