import Failures
package import JSON
import Jobs
package import Schema
package import Traces
package import Tracking

extension Method {
  static let listTraces = Method(
    "listTraces", "Lists traces, in MLflow's filter language, newest first unless ordered otherwise.",
    takes: ListTracesRequest.self, gives: ListTracesResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef", "maxResults": 5], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var ids: [String]?
    if let name = request.experiment { ids = [try await known(store, name).id] }
    let page = try await store.searchTraces(
      experimentIDs: ids, runID: request.runId, filter: request.filter, orderBy: request.orderBy,
      maxResults: request.maxResults, pageToken: request.pageToken)
    var result = ListTracesResult()
    result.traces = page.items.map(TraceRecord.init)
    result.nextPageToken = page.nextPageToken
    return result
  }

  static let getTrace = Method(
    "getTrace", "One trace: what it was, and its spans in the order they began.",
    takes: GetTraceRequest.self, gives: GetTraceResult.self,
    example: ["traceId": "tr-0123456789abcdef0123456789abcdef"], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let id = request.traceId
    let store = try await service.store()
    var result = GetTraceResult()
    result.info = TraceRecord(try await store.trace(id))
    if let spanID = request.spanId {
      result.spans = [SpanRecord(try await store.span(spanID, of: id))]
      return result
    }
    let page = try await store.spans(
      of: id, bodies: request.bodies, maxResults: request.maxSpans, pageToken: request.pageToken)
    result.spans = page.items.map { SpanRecord($0, hasBody: request.bodies) }
    result.nextPageToken = page.nextPageToken
    return result
  }

  static let logFeedback = Method(
    "logFeedback", "Adds a person's or a program's judgement to a trace.",
    takes: LogFeedbackRequest.self, gives: LogFeedbackResult.self,
    example: ["traceId": "tr-0123456789abcdef0123456789abcdef", "name": "helpful", "value": true], isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    var result = LogFeedbackResult()
    result.assessment = AssessmentRecord(
      try await store.addAssessment(
        Assessment(name: request.name, value: request.value, rationale: request.rationale, source: request.source),
        to: request.traceId))
    return result
  }
}

/// A page of traces.
package struct ListTracesResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("traces", \.traces, isAlwaysWritten: true, as: Schema(.array(Schema(.named("TraceInfo")))), "The traces."),
    Member("nextPageToken", \.nextPageToken, isAlwaysWritten: true, "Asks for the next page; null on the last."),
  ]
  package var traces: [TraceRecord] = []
  package var nextPageToken: String?

  package init() {}
}

/// A trace with its spans, or a page of them.
package struct GetTraceResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("info", \.info, isAlwaysWritten: true, as: Schema(.named("TraceInfo")), "Everything but the spans."),
    Member(
      "spans", \.spans, isAlwaysWritten: true, as: Schema(.array(Schema(.named("Span")))), "In the order they began."),
    Member("nextPageToken", \.nextPageToken, isAlwaysWritten: true, "Asks for the next page; null on the last."),
  ]
  package var info = TraceRecord()
  package var spans: [SpanRecord] = []
  package var nextPageToken: String?

  package init() {}
}

/// The judgement as it is kept.
package struct LogFeedbackResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("assessment", \.assessment, isAlwaysWritten: true, "The judgement as it is kept.")
  ]
  package var assessment = AssessmentRecord()

  package init() {}
}

struct ListTracesRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experiment", \.experiment, "An experiment's name; all experiments by default."),
    Member("runId", \.runId, "Only traces of this run."),
    Member("filter", \.filter, "Such as status = 'ERROR' or span.name LIKE '%parse%'."),
    Member("orderBy", \.orderBy, "Such as [\"execution_time DESC\"]."),
    .maxResults(\.maxResults),
    .pageToken(\.pageToken),
  ]
  var experiment: String?
  var runId: String?
  var filter = ""
  var orderBy: [String] = []
  var maxResults = 100
  var pageToken: String?
}

struct GetTraceRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("traceId", \.traceId, isRequired: true, "tr- and 32 hexadecimal digits."),
    Member("spanId", \.spanId, "Only this span, whole."),
    Member(
      "bodies", \.bodies,
      "Whether spans have inputs, outputs, attributes and events. Without, a model's call keeps its tokens and cost."),
    Member("maxSpans", \.maxSpans, in: 1...10_000, "How many spans a page has."),
    .pageToken(\.pageToken),
  ]
  var traceId = TraceID(high: 0, low: 0)
  var spanId: SpanID?
  var bodies = true
  var maxSpans = 1000
  var pageToken: String?
}

struct LogFeedbackRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("traceId", \.traceId, isRequired: true, "tr- and 32 hexadecimal digits."),
    Member("name", \.name, isRequired: true, "What is judged."),
    Member("value", \.value, isRequired: true, "The judgement: any JSON but null."),
    Member("rationale", \.rationale, "Why."),
    Member("source", \.source, "Who judges."),
  ]
  var traceId = TraceID(high: 0, low: 0)
  var name = ""
  var value = JSONValue.null
  var rationale: String?
  var source = Assessment.Source.human
}

extension Assessment.Source: SchemaChoice {
  package static var allCases: [Assessment.Source] { [.human, .code, .judge] }
}

extension TraceID: SchemaValue {
  package static var schema: Schema { Schema(.string) }
  package var jsonValue: JSONValue { .string(description) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> TraceID? {
    guard let text = String.read(value, at: place, problems) else { return nil }
    if let id = TraceID(text) { return id }
    problems.add(place, "A trace's id is tr- and 32 hexadecimal digits.")
    return nil
  }
}

extension SpanID: SchemaValue {
  package static var schema: Schema { Schema(.string) }
  package var jsonValue: JSONValue { .string(description) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> SpanID? {
    guard let text = String.read(value, at: place, problems) else { return nil }
    if let id = SpanID(text) { return id }
    problems.add(place, "A span's id has 16 hexadecimal digits.")
    return nil
  }
}
