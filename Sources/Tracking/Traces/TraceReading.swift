package import Failures
import Foundation
import GRDB
import JSON
import Messages
package import Traces

extension TrackingStore {
  /// A trace without its spans.
  ///
  /// - Throws: `notFound`.
  package func trace(_ id: TraceID) async throws(HoneError) -> TraceInfo {
    try await read { db in
      guard let sequence = try Self.traceRow(db, id)?.sequence else { throw notFound("trace", id.description) }
      return try Self.traceInfos(db, [sequence])[0]
    }
  }

  /// The spans of a trace in the order they began, a page at a time: at most `maxResults` of them, and no
  /// more than fit in about `maxBytes` of JSON, but at least one.
  ///
  /// Without bodies, spans lack inputs, outputs and events, and of their attributes have `Span.outlineAttributes`.
  ///
  /// - Throws: `notFound`; `invalidParams` for a foreign token.
  package func spans(
    of id: TraceID, bodies: Bool = true, maxResults: Int = 10_000, maxBytes: Int = 8 << 20, pageToken: String? = nil
  ) async throws(HoneError) -> Page<Span> {
    try checkPageSize(maxResults, 100_000)
    let query = "spans \(id)"
    let first = try PageToken.offset(pageToken, query: query) ?? 0
    guard first >= 0 else { throw invalid("pageToken", "This is not a page token.", got: pageToken) }
    return try await read { [texts] db in
      guard let trace = try Self.traceRow(db, id) else { throw notFound("trace", id.description) }
      var page: [Span] = []
      var bytes = 0
      /// Whether the span still fits; the page is full otherwise.
      func take(_ span: Span) -> Bool {
        bytes += span.estimatedSize
        if !page.isEmpty, page.count == maxResults || bytes > maxBytes { return false }
        page.append(span)
        return true
      }
      if try Self.hasLooseSpans(db, trace) {
        let spans = try Self.allSpans(db, trace, texts, bodies: bodies)
        for index in min(first, spans.count)..<spans.count where !take(spans[index]) {
          return Page(items: page, nextPageToken: PageToken.offset(index, query: query))
        }
        return Page(items: page)
      }
      var index = first
      while index < trace.spanCount {
        let chunk = index / SpanEncoder.chunkSize
        guard let decoder = try Self.decoder(db, trace, chunk: chunk, texts) else { throw SpanDecoder.damage }
        let end = chunk * SpanEncoder.chunkSize + decoder.count
        guard index < end else { throw SpanDecoder.damage }
        while index < end {
          guard take(try decoder.span(index - chunk * SpanEncoder.chunkSize, body: bodies)) else {
            return Page(items: page, nextPageToken: PageToken.offset(index, query: query))
          }
          index += 1
        }
      }
      return Page(items: page)
    }
  }

  /// One span of a trace, whole.
  ///
  /// - Throws: `notFound`.
  package func span(_ spanID: SpanID, of id: TraceID) async throws(HoneError) -> Span {
    try await read { [texts] db in
      guard let trace = try Self.traceRow(db, id) else { throw notFound("trace", id.description) }
      let name = Data(spanID.description.utf8)
      let payloads = try Data.fetchCursor(
        db.cachedStatement(sql: "SELECT payload FROM span_chunks WHERE id >= ? AND id < ? ORDER BY id DESC"),
        arguments: [trace.sequence << 20, (trace.sequence + 1) << 20])
      while let payload = try payloads.next() {
        let text = try PackedSpans.unpacked(payload, texts.messages)
        // Looking for the id's bytes first spares reading the chunks that cannot have the span.
        guard Data(text).range(of: name) != nil else { continue }
        let decoder = try SpanDecoder(text: text, origin: trace.origin, shared: texts.messages)
        for index in 0..<decoder.count where decoder.id(index) == spanID.description {
          return try decoder.span(index)
        }
      }
      throw notFound("span", spanID.description)
    }
  }

  /// Sets a tag of a trace.
  ///
  /// - Throws: `notFound`; `invalidParams` for a bad key.
  package func setTraceTag(_ id: TraceID, _ key: String, _ value: String) async throws(HoneError) {
    try checkKey(key, "tag")
    try await write { db in
      guard let trace = try Self.traceRow(db, id) else { throw notFound("trace", id.description) }
      try db.execute(literal: "INSERT OR REPLACE INTO trace_tags VALUES (\(trace.sequence), \(key), \(value.storable))")
    }
  }

  /// - Throws: `notFound` if there is no such trace or tag.
  package func deleteTraceTag(_ id: TraceID, _ key: String) async throws(HoneError) {
    try await write { db in
      guard let trace = try Self.traceRow(db, id) else { throw notFound("trace", id.description) }
      try db.execute(literal: "DELETE FROM trace_tags WHERE trace = \(trace.sequence) AND key = \(key)")
      guard db.changesCount > 0 else { throw notFound("tag", key) }
    }
  }

  /// The traces that a run caused, the latest first, a page at a time.
  package func traces(
    run id: String, maxResults: Int = 100, pageToken: String? = nil
  ) async throws(HoneError) -> Page<TraceInfo> {
    try await searchTraces(runID: id, maxResults: maxResults, pageToken: pageToken)
  }

  // MARK: Rows

  struct TraceRow {
    var sequence: Int64
    /// From when the spans' times count.
    var origin: Int
    var spanCount: Int
  }

  static func traceRow(_ db: Database, _ id: TraceID) throws -> TraceRow? {
    let statement = try db.cachedStatement(
      sql: "SELECT seq, ifnull(origin_ns, start_ns), span_count FROM traces WHERE id = ?")
    return try Row.fetchOne(statement, arguments: [id.data]).map {
      TraceRow(sequence: $0[0], origin: $0[1], spanCount: $0[2])
    }
  }

  private static func decoder(
    _ db: Database, _ trace: TraceRow, chunk: Int, _ texts: SharedTexts
  ) throws -> SpanDecoder? {
    let statement = try db.cachedStatement(sql: "SELECT payload FROM span_chunks WHERE id = ?")
    guard let data = try Data.fetchOne(statement, arguments: [trace.sequence << 20 | Int64(chunk)]) else { return nil }
    return try SpanDecoder(data, origin: trace.origin, shared: texts.messages)
  }

  /// Traces by number, in the order asked for, in a fixed number of statements; touches no span.
  static func traceInfos(_ db: Database, _ sequences: [Int64]) throws -> [TraceInfo] {
    let list = jsonList(sequences)
    let statement = try db.cachedStatement(
      sql: """
        SELECT seq, id, name, experiment, run_id, status, error, start_ns, duration_ns, span_count, input_tokens,
          output_tokens, cost, request, response, metadata, reported
        FROM traces WHERE seq IN (SELECT value FROM json_each(?))
        """)
    let tags = try pairs(db, table: "trace_tags", owner: "trace", owners: sequences)
    let assessments = try assessments(
      db,
      sql: """
        SELECT * FROM assessments WHERE trace IN (SELECT id FROM traces WHERE seq IN (SELECT value FROM json_each(?)))
        ORDER BY id
        """, arguments: [list])
    let byTrace = Dictionary(grouping: assessments, by: \.traceID)
    var found: [Int64: TraceInfo] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [list])
    while let row = try rows.next() {
      guard let id = TraceID(data: row[1]) else { throw SpanDecoder.damage }
      let metadata = (row[15] as String?).flatMap { try? JSONReader.read($0) }
      found[row[0]] = TraceInfo(
        id: id, name: row[2], experimentID: (row[3] as Int?).map(String.init), runID: row[4],
        status: TraceStatus(code: row[5], error: row[6]), start: row[7], end: (row[7] as Int) + (row[8] as Int),
        spanCount: row[9], usage: TokenUsage(inputTokens: row[10], outputTokens: row[11]), cost: row[12],
        requestPreview: row[13], responsePreview: row[14], assessments: byTrace[id] ?? [], tags: tags[row[0]] ?? [],
        metadata: metadata?.objectValue ?? [:], isReported: row[16])
    }
    return sequences.compactMap { found[$0] }
  }
}

extension SpanDecoder {
  /// The id of a span as it is written, without decoding the span.
  func id(_ index: Int) -> String? { raw(index)?[0]?.stringValue }
}

extension Span {
  /// About how many bytes its JSON has.
  var estimatedSize: Int {
    var size = 250 + name.utf8.count + JSONValue.object(attributes).estimatedSize
    size += (inputs.json?.estimatedSize ?? 0) + (outputs.json?.estimatedSize ?? 0)
    for event in events { size += 60 + event.name.utf8.count + JSONValue.object(event.attributes).estimatedSize }
    return size
  }
}

extension JSONValue {
  /// About how many bytes its text has.
  var estimatedSize: Int {
    switch self {
    case .null, .bool: 5
    case .int, .double: 12
    case .number(let token): token.utf8.count
    case .string(let text): text.utf8.count + 2
    case .array(let elements): elements.reduce(2) { $0 + $1.estimatedSize + 1 }
    case .object(let object): object.reduce(2) { $0 + $1.key.utf8.count + 4 + $1.value.estimatedSize }
    }
  }
}
