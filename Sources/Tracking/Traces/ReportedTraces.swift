package import Failures
import Foundation
import GRDB
package import JSON
package import Messages
package import Traces

/// Spans of one trace as a client's exporter sends them: some or all of them, in any order.
package struct SpanBatch: Sendable {
  package var traceID: TraceID
  package var experimentID: String
  package var runID: String?
  package var spans: [Span]

  package init(traceID: TraceID, experimentID: String, runID: String? = nil, spans: [Span]) {
    self.traceID = traceID
    self.experimentID = experimentID
    self.runID = runID
    self.spans = spans
  }
}

/// A client's own account of a trace as a whole, without its spans.
package struct TraceReport: Sendable {
  package var id: TraceID
  package var experimentID: String
  package var runID: String?
  package var name: String?
  package var status: TraceStatus
  /// Nanoseconds since 1970, UTC, known to the millisecond.
  package var start: Int
  package var duration: Int?
  package var requestPreview: String?
  package var responsePreview: String?
  /// Nil where the spans tell it.
  package var usage: TokenUsage?
  package var cost: Double?
  package var metadata: JSONObject
  package var tags: [KeyValue]

  package init(
    id: TraceID, experimentID: String, runID: String? = nil, name: String? = nil, status: TraceStatus, start: Int,
    duration: Int? = nil, requestPreview: String? = nil, responsePreview: String? = nil, usage: TokenUsage? = nil,
    cost: Double? = nil, metadata: JSONObject = [:], tags: [KeyValue] = []
  ) {
    self.id = id
    self.experimentID = experimentID
    self.runID = runID
    self.name = name
    self.status = status
    self.start = start
    self.duration = duration
    self.requestPreview = requestPreview
    self.responsePreview = responsePreview
    self.usage = usage
    self.cost = cost
    self.metadata = metadata
    self.tags = tags
  }
}

/// Traces that clients send over the network: their spans and the account of the whole come apart, in any order.
///
/// Spans that come before their root are kept loose, as they came. The root's coming folds all of them into the form
/// that a trace of Hone's own has. What comes later is folded in, too, unless the trace is so large that this would cost
/// more than to sort when it is read.
extension TrackingStore {
  /// The number of the first row of `span_chunks` that holds loose spans.
  static let firstLooseChunk: Int64 = 1 << 19
  /// How many spans a trace may have so that all of them are sorted again when the root comes, or when more come later.
  private static let foldLimit = 50_000
  private static let refoldLimit = 2_000

  /// Stores spans; one that is there already is replaced.
  ///
  /// - Throws: `notFound` for an unknown experiment.
  package func addSpans(_ batches: [SpanBatch]) async throws(HoneError) {
    try await write { [texts] db in
      for batch in batches where !batch.spans.isEmpty { try Self.add(batch, texts, db) }
    }
  }

  /// Stores what a client says of a trace as a whole, which counts more than what its spans say.
  ///
  /// - Throws: `notFound` for an unknown experiment; `invalidParams` for a tag without a key.
  package func report(_ report: TraceReport) async throws(HoneError) -> TraceInfo {
    for tag in report.tags { try checkKey(tag.key, "tag") }
    return try await write { db in
      let experiment = try Self.experimentNumber(db, report.experimentID)
      let sequence = try Self.write(report, experiment, db)
      for tag in report.tags {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO trace_tags VALUES (?, ?, ?)")
          .execute(arguments: [sequence, tag.key, tag.value.storable])
      }
      return try Self.traceInfos(db, [sequence])[0]
    }
  }

  private static func write(_ report: TraceReport, _ experiment: Int, _ db: Database) throws -> Int64 {
    var error: String?
    if case .error(let message) = report.status { error = message }
    // The spans' times are exact; the account rounds them to milliseconds, and must not make them worse.
    try db.cachedStatement(
      sql: """
        INSERT INTO traces (seq, id, experiment, run_id, name, status, error, start_ns, duration_ns, span_count,
          input_tokens, output_tokens, cost, request, response, metadata, origin_ns, reported)
        VALUES (\(nextTraceSequence), ?1, ?2, ?3, ifnull(?4, ''), ?5, ?6, ?7, ifnull(?8, 0), 0, ifnull(?9, 0), ifnull(?10, 0), ?11, ?12, ?13, ?14, ?7, 1)
        ON CONFLICT (id) DO UPDATE SET experiment = ?2, run_id = ifnull(?3, run_id), name = ifnull(?4, name),
          status = ?5, error = ifnull(?6, CASE WHEN ?5 = 2 THEN error END),
          start_ns = CASE WHEN start_ns / 1000000 = ?7 / 1000000 THEN start_ns ELSE ?7 END,
          duration_ns = CASE WHEN ?8 IS NULL OR abs(duration_ns - ?8) < 1000000 THEN duration_ns ELSE ?8 END,
          input_tokens = ifnull(?9, input_tokens), output_tokens = ifnull(?10, output_tokens), cost = ifnull(?11, cost),
          request = ifnull(?12, request), response = ifnull(?13, response), metadata = ?14, reported = 1
        """
    ).execute(
      arguments: [
        report.id.data, experiment, report.runID, report.name?.storable, report.status.code, error?.storable,
        report.start, report.duration, report.usage?.inputTokens, report.usage?.outputTokens, report.cost,
        report.requestPreview?.storable, report.responsePreview?.storable, report.metadata.textUnlessEmpty,
      ])
    guard let row = try traceRow(db, report.id) else {
      throw HoneError(.internalError, "A trace vanished while it was written.")
    }
    return row.sequence
  }

  private static func add(_ batch: SpanBatch, _ texts: SharedTexts, _ db: Database) throws {
    let experiment = try experimentNumber(db, batch.experimentID)
    let begin = batch.spans.map(\.start).min() ?? 0
    try db.cachedStatement(
      sql: """
        INSERT INTO traces (seq, id, experiment, run_id, name, status, start_ns, duration_ns, span_count, input_tokens,
          output_tokens, origin_ns)
        VALUES (\(nextTraceSequence), ?1, ?2, ?3, '', 0, ?4, 0, 0, 0, 0, ?4)
        ON CONFLICT (id) DO UPDATE SET run_id = ifnull(run_id, ?3), experiment = ifnull(experiment, ?2)
        """
    ).execute(arguments: [batch.traceID.data, experiment, batch.runID, begin])
    guard let trace = try traceRow(db, batch.traceID) else {
      throw HoneError(.internalError, "A trace vanished while it was written.")
    }
    let isFolded = try chunkExists(db, trace, 0)
    let hasRoot = batch.spans.contains { $0.parent == nil }
    let count = trace.spanCount + batch.spans.count
    if (hasRoot && count <= foldLimit) || (isFolded && count <= refoldLimit) {
      let known = try trace.spanCount == 0 ? [] : allSpans(db, trace, texts)
      try fold(merged(known + batch.spans), into: trace, db)
    } else {
      try addLoose(batch.spans, to: trace, db)
    }
  }

  private static func addLoose(_ spans: [Span], to trace: TraceRow, _ db: Database) throws {
    let first = trace.sequence << 20 | firstLooseChunk
    let last = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT max(id) FROM span_chunks WHERE id >= ? AND id < ?"),
      arguments: [first, (trace.sequence + 1) << 20])
    let next = last.map { $0 + 1 } ?? first
    guard next + Int64(spans.count / SpanEncoder.chunkSize) < (trace.sequence + 1) << 20 else {
      throw invalid("spans", "The trace comes in too many pieces.", remedy: "Send more spans at once.")
    }
    for (index, start) in stride(from: 0, to: spans.count, by: SpanEncoder.chunkSize).enumerated() {
      let slice = spans[start..<min(start + SpanEncoder.chunkSize, spans.count)]
      try insert(try PackedSpans.pack(slice, origin: trace.origin), at: next + Int64(index), db)
    }
    try db.cachedStatement(sql: "UPDATE traces SET span_count = span_count + ? WHERE seq = ?")
      .execute(arguments: [spans.count, trace.sequence])
  }

  private static func fold(_ spans: [Span], into trace: TraceRow, _ db: Database) throws {
    try db.cachedStatement(sql: "DELETE FROM span_chunks WHERE id >= ? AND id < ?")
      .execute(arguments: [trace.sequence << 20, (trace.sequence + 1) << 20])
    for (index, start) in stride(from: 0, to: spans.count, by: SpanEncoder.chunkSize).enumerated() {
      let slice = spans[start..<min(start + SpanEncoder.chunkSize, spans.count)]
      try insert(try PackedSpans.pack(slice, origin: trace.origin), at: trace.sequence << 20 | Int64(index), db)
    }
    let summary = SpanSummary(spans)
    // Whatever the account of the whole says, once it has come, stays; but its times are rounded to milliseconds.
    try db.cachedStatement(
      sql: """
        UPDATE traces SET span_count = ?2,
          name = CASE WHEN reported AND name <> '' THEN name ELSE ?3 END,
          status = CASE WHEN reported THEN status ELSE ?4 END,
          error = CASE WHEN reported AND status <> 2 THEN error ELSE ifnull(error, ?5) END,
          start_ns = CASE WHEN reported AND start_ns / 1000000 <> ?6 / 1000000 THEN start_ns ELSE ?6 END,
          duration_ns = CASE WHEN reported AND duration_ns > 0 AND abs(duration_ns - ?7) >= 1000000 THEN duration_ns
            ELSE ?7 END,
          request = CASE WHEN reported THEN ifnull(request, ?8) ELSE ?8 END,
          response = CASE WHEN reported THEN ifnull(response, ?9) ELSE ?9 END,
          input_tokens = CASE WHEN reported AND input_tokens + output_tokens > 0 THEN input_tokens ELSE ?10 END,
          output_tokens = CASE WHEN reported AND input_tokens + output_tokens > 0 THEN output_tokens ELSE ?11 END,
          cost = CASE WHEN reported THEN ifnull(cost, ?12) ELSE ?12 END
        WHERE seq = ?1
        """
    ).execute(
      arguments: [
        trace.sequence, spans.count, summary.name.storable, summary.status.code, summary.error?.storable, summary.start,
        summary.duration, summary.request?.storable, summary.response?.storable, summary.usage.inputTokens,
        summary.usage.outputTokens, summary.cost,
      ])
  }

  private static func insert(_ row: PackedSpans.Row, at id: Int64, _ db: Database) throws {
    try insert(row.payload, filter: Data(row.filter.bytes), at: id, db)
    for text in row.texts { try SharedTexts.keep(text.digest, SharedTexts.content(text.messages), db) }
  }

  private static func chunkExists(_ db: Database, _ trace: TraceRow, _ chunk: Int64) throws -> Bool {
    try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM span_chunks WHERE id = ?)"),
      arguments: [trace.sequence << 20 | chunk]) == true
  }

  /// Whether spans lie as they came, in no order.
  static func hasLooseSpans(_ db: Database, _ trace: TraceRow) throws -> Bool {
    try chunkExists(db, trace, firstLooseChunk)
  }

  /// All spans of a trace in the order they began, loose ones among them.
  static func allSpans(
    _ db: Database, _ trace: TraceRow, _ texts: SharedTexts, bodies: Bool = true
  ) throws -> [Span] {
    var spans: [Span] = []
    let statement = try db.cachedStatement(sql: "SELECT payload FROM span_chunks WHERE id >= ? AND id < ? ORDER BY id")
    let payloads = try Data.fetchCursor(
      statement, arguments: [trace.sequence << 20, (trace.sequence + 1) << 20])
    while let payload = try payloads.next() {
      // A text that this very transaction brought is not yet to be seen by other connections.
      let decoder = try SpanDecoder(payload, origin: trace.origin) { digest in
        try texts.messages(digest, in: db)
      }
      for index in 0..<decoder.count { spans.append(try decoder.span(index, body: bodies)) }
    }
    return merged(spans)
  }

  /// Each span once, the later one where an id came twice, in the order they began, the root before others.
  private static func merged(_ spans: [Span]) -> [Span] {
    var places: [SpanID: Int] = [:]
    var result: [Span] = []
    for span in spans {
      if let place = places[span.id] {
        result[place] = span
      } else {
        places[span.id] = result.count
        result.append(span)
      }
    }
    return result.enumerated().sorted { a, b in
      if (a.element.parent == nil) != (b.element.parent == nil) { return a.element.parent == nil }
      return (a.element.start, b.element.end, a.offset) < (b.element.start, a.element.end, b.offset)
    }.map(\.element)
  }
}

/// What spans say of their trace as a whole.
struct SpanSummary {
  var name = ""
  var status = TraceStatus.inProgress
  var error: String?
  var start = 0
  var duration = 0
  var request: String?
  var response: String?
  var usage = TokenUsage()
  var cost: Double?

  init(_ spans: [Span]) {
    guard let root = spans.first else { return }
    name = root.name
    status = root.status
    if case .error(let message) = root.status { error = message }
    start = root.start
    duration = max(0, root.end - root.start)
    request = TrackingStore.preview(root.inputs)
    response = TrackingStore.preview(root.outputs)
    // A span that sums up those below it is counted in their place.
    if let whole = Self.usage(root) {
      usage = whole
    } else {
      for span in spans { if let part = Self.usage(span) { usage += part } }
    }
    let costs = spans.compactMap { $0.attributes["mlflow.llm.cost"]?["total_cost"]?.doubleValue }
    if !costs.isEmpty { cost = costs.reduce(0, +) }
  }

  /// The tokens that a span counts, in MLflow's words or OpenTelemetry's.
  private static func usage(_ span: Span) -> TokenUsage? {
    let object = span.attributes["mlflow.chat.tokenUsage"]
    let input = object?["input_tokens"] ?? span.attributes["gen_ai.usage.input_tokens"]
    let output = object?["output_tokens"] ?? span.attributes["gen_ai.usage.output_tokens"]
    guard input != nil || output != nil else { return nil }
    return TokenUsage(inputTokens: bounded(input), outputTokens: bounded(output))
  }

  /// A count that others can be added to.
  private static func bounded(_ value: JSONValue?) -> Int { min(max(0, value?.intValue ?? 0), 1 << 40) }
}
