import Failures
import JSON
import Schema
import Traces
import Tracking

extension Method {
  static let listTraces = Method(
    "listTraces", "Lists traces, in MLflow's filter language, newest first unless ordered otherwise.",
    [
      Parameter("experiment", Shape.string, "An experiment's name; all experiments unless given."),
      Parameter("runId", Shape.string, "Only traces of this run."),
      Parameter("filter", Shape.string, "Such as status = 'ERROR' or span.name LIKE '%parse%'."),
      Parameter("orderBy", Shape.array(Shape.string), "Such as [\"execution_time DESC\"]."),
      Parameter("maxResults", Shape.integer, "How many a page has; 100 unless said, 1000 at most."),
      Parameter("pageToken", Shape.string, "The nextPageToken of the page before."),
    ],
    result: Shape.object(["traces": Shape.array(Shape.reference("TraceInfo")), "nextPageToken": Shape.optionalString]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "maxResults": 5],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let name = fields.string("experiment")
    let runID = fields.string("runId")
    let filter = fields.string("filter") ?? ""
    let orderBy = fields.strings("orderBy") ?? []
    let maxResults = fields.int("maxResults", in: 1...1000) ?? 100
    let pageToken = fields.string("pageToken")
    try fields.check("listTraces")
    let store = try await service.store()
    var ids: [String]?
    if let name { ids = [try await known(store, name).id] }
    let page = try await store.searchTraces(
      experimentIDs: ids, runID: runID, filter: filter, orderBy: orderBy, maxResults: maxResults, pageToken: pageToken)
    return ["traces": .array(page.items.map { .object($0.json) }), "nextPageToken": JSONValue(page.nextPageToken)]
  }

  static let getTrace = Method(
    "getTrace", "One trace: what it was, and its spans in the order they began.",
    [
      Parameter("traceId", required: true, Shape.string, "tr- and 32 hexadecimal digits."),
      Parameter("spanId", Shape.string, "Only this span, whole."),
      Parameter(
        "bodies", Shape.boolean,
        "Whether spans have inputs, outputs, attributes and events; yes unless said. Without, a model's call keeps its tokens and cost."),
      Parameter("maxSpans", Shape.integer, "How many spans a page has; 1000 unless said."),
      Parameter("pageToken", Shape.string, "The nextPageToken of the page before."),
    ],
    result: Shape.object([
      "info": Shape.reference("TraceInfo"), "spans": Shape.array(Shape.reference("Span")),
      "nextPageToken": Shape.optionalString,
    ]),
    example: ["traceId": "tr-0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let text = fields.requiredString("traceId")
    let spanText = fields.string("spanId")
    let bodies = fields.bool("bodies") ?? true
    let maxSpans = fields.int("maxSpans", in: 1...10_000) ?? 1000
    let pageToken = fields.string("pageToken")
    let id = text.flatMap { TraceID($0) }
    if text != nil, id == nil {
      fields.problems.add("traceId", "A trace's id is tr- and 32 hexadecimal digits.")
    }
    let spanID = spanText.flatMap { SpanID($0) }
    if spanText != nil, spanID == nil { fields.problems.add("spanId", "A span's id has 16 hexadecimal digits.") }
    try fields.check("getTrace")
    guard let id else { throw HoneError(.internalError, "The trace's id was read without a problem, but is not there.") }
    let store = try await service.store()
    let info = try await store.trace(id)
    if let spanID {
      let span = try await store.span(spanID, of: id)
      return ["info": .object(info.json), "spans": [.object(span.json)], "nextPageToken": .null]
    }
    let page = try await store.spans(
      of: id, bodies: bodies, maxResults: maxSpans, pageToken: pageToken)
    return [
      "info": .object(info.json), "spans": .array(page.items.map { .object(bodies ? $0.json : $0.outlineJSON) }),
      "nextPageToken": JSONValue(page.nextPageToken),
    ]
  }

  static let logFeedback = Method(
    "logFeedback", "Adds a person's or a program's judgement to a trace.",
    [
      Parameter("traceId", required: true, Shape.string, "tr- and 32 hexadecimal digits."),
      Parameter("name", required: true, Shape.string, "What is judged."),
      Parameter("value", required: true, [:], "The judgement: any JSON."),
      Parameter("rationale", Shape.string, "Why."),
      Parameter("source", ["enum": ["HUMAN", "CODE", "LLM_JUDGE"]], "Who judges; HUMAN unless said."),
    ],
    result: Shape.object(["assessment": Shape.anyObject]),
    example: ["traceId": "tr-0123456789abcdef0123456789abcdef", "name": "helpful", "value": true],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let text = fields.requiredString("traceId")
    let name = fields.requiredString("name")
    let value = fields.value("value")
    let rationale = fields.string("rationale")
    let source = fields.choice("source", of: ["HUMAN", "CODE", "LLM_JUDGE"]).flatMap(Assessment.Source.init) ?? .human
    if value == nil { fields.problems.add("value", "This member is required: any JSON but null.") }
    let id = text.flatMap { TraceID($0) }
    if text != nil, id == nil { fields.problems.add("traceId", "A trace's id is tr- and 32 hexadecimal digits.") }
    try fields.check("logFeedback")
    guard let id, let name, let value else {
      throw HoneError(.internalError, "The request was read without a problem, but not whole.")
    }
    let store = try await service.store()
    let stored = try await store.addAssessment(
      Assessment(name: name, value: value, rationale: rationale, source: source), to: id)
    return ["assessment": .object(stored.json)]
  }
}
