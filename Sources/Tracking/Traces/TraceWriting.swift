import Basics
package import Failures
import Foundation
import GRDB
import JSON
import Messages
import Synchronization
package import Traces

/// Counts the traces that were queued but not stored, for `TrackingStore.traceLosses`.
final class TraceTally: Sendable {
  let losses = Mutex(TraceLosses(count: 0, lastError: nil))
}

/// A trace as another store had it.
package struct ImportedTrace: Sendable {
  /// Without assessments, which have ids and times here.
  package var trace: Trace
  package var assessments: [StoredAssessment]
  package var tags: [KeyValue]
  /// Nanoseconds: since 1970, and from then on.
  package var start: Int
  package var duration: Int
  package var requestPreview: String?
  package var responsePreview: String?

  package init(
    _ trace: Trace, assessments: [StoredAssessment], tags: [KeyValue], start: Int, duration: Int,
    requestPreview: String?, responsePreview: String?
  ) {
    self.trace = trace
    self.assessments = assessments
    self.tags = tags
    self.start = start
    self.duration = duration
    self.requestPreview = requestPreview
    self.responsePreview = responsePreview
  }
}

/// A trace as rows, made on the recorder's side so that the writer only inserts.
private struct TraceRows: Sendable {
  var id: Data
  var experiment: Int?
  var runID: String?
  var name: String
  var status: Int
  var error: String?
  var start: Int
  var duration: Int
  var spanCount: Int
  var inputTokens: Int
  var outputTokens: Int
  var cost: Double?
  var request: String?
  var response: String?
  var metadata: String?
  var chunks: [(payload: Data, filter: Data)]
  var texts: [(messages: SharedMessages, content: Data?)]
  var assessments: [Assessment]
  var isRepeatable: Bool
}

extension TrackingStore: TraceSink {
  /// Queues a finished trace and returns; waits, rather than grow, while the queue is full.
  ///
  /// Traces are committed in groups with whatever else is written. One that cannot be stored is counted
  /// in `traceLosses`. A trace recorded again under its id takes the place of the first, unless it is repeatable and
  /// the first did not fail.
  package func record(_ trace: Trace) async {
    let (rows, digests) = encode(trace)
    let (texts, tally) = (texts, traceTally)
    let weight =
      rows.chunks.reduce(2000) { $0 + $1.payload.count + $1.filter.count }
      + rows.texts.reduce(0) { $0 + ($1.content?.count ?? 0) }
    await writer.enqueue(weight: weight) { db in
      try Self.insert(rows, db)
    } settle: { failure in
      if let failure {
        tally.losses.withLock { losses in
          losses.count += 1
          losses.lastError = failure.cause.map { "\(failure.message) (\($0))" } ?? failure.message
        }
      } else {
        texts.noteStored(digests)
      }
    }
  }

  /// Stores a trace of an import as it was, with the import's mark.
  ///
  /// - Throws: `invalidParams` if there is a trace of that id, or for a tag without a key; `storeUnavailable`.
  package func importTrace(_ trace: ImportedTrace, _ mark: ImportMark) async throws(HoneError) {
    for tag in trace.tags { try checkKey(tag.key, "tag") }
    let (rows, digests) = encode(trace.trace)
    try await write { db in
      if try Self.traceRow(db, trace.trace.id) != nil {
        throw invalid("traceId", "There is a trace of this id already.", got: trace.trace.id.description)
      }
      try Self.insert(rows, db)
      let sequence = try Int64.fetchOne(db, sql: "SELECT seq FROM traces WHERE id = ?", arguments: [rows.id])
      // The whole may have been told apart from the spans, whose times count from the first one's.
      try db.execute(
        literal: """
          UPDATE traces SET start_ns = \(trace.start), duration_ns = \(trace.duration), origin_ns = \(rows.start),
            request = \(trace.requestPreview?.storable), response = \(trace.responsePreview?.storable)
          WHERE seq = \(sequence)
          """)
      for tag in trace.tags + [KeyValue(ImportMark.tag, mark.value)] {
        try db.execute(
          literal: "INSERT OR REPLACE INTO trace_tags VALUES (\(sequence), \(tag.key), \(tag.value.storable))")
      }
      try Self.insert(trace.assessments, of: trace.trace.id, db)
    }
    texts.noteStored(digests)
  }

  /// How many recorded traces were lost, and why.
  package var traceLosses: TraceLosses { traceTally.losses.withLock { $0 } }

  private func encode(_ trace: Trace) -> (rows: TraceRows, newDigests: [ContentDigest]) {
    let start = trace.spans.first?.start ?? wallClock()
    let end = trace.spans.first?.end ?? start
    var shared: [SharedMessages] = []
    var chunks: [(payload: Data, filter: Data)] = []
    for first in stride(from: 0, to: trace.spans.count, by: SpanEncoder.chunkSize) {
      let slice = trace.spans[first..<min(first + SpanEncoder.chunkSize, trace.spans.count)]
      let chunk = SpanEncoder.encode(slice, origin: start)
      chunks.append((Data(chunk.payload), Data(chunk.filter().bytes)))
      shared += chunk.shared
    }
    var error: String?
    if case .error(let message) = trace.status { error = message }
    let rows = TraceRows(
      id: trace.id.data, experiment: trace.experimentID.flatMap { Int($0) }, runID: trace.runID,
      name: trace.name.storable,
      status: trace.status.code, error: error?.storable, start: start, duration: max(0, end - start),
      spanCount: trace.spans.count, inputTokens: trace.usage.inputTokens, outputTokens: trace.usage.outputTokens,
      cost: trace.cost, request: trace.spans.first.flatMap { Self.preview($0.inputs) },
      response: trace.spans.first.flatMap { Self.preview($0.outputs) },
      metadata: trace.metadata.textUnlessEmpty, chunks: chunks,
      // What is known to be stored is made ready only where it is gone after all.
      texts: shared.map { ($0, texts.isStored($0.digest) ? nil : SharedTexts.content($0.messages)) },
      assessments: trace.assessments, isRepeatable: trace.isRepeatable)
    return (rows, rows.texts.filter { $0.content != nil }.map(\.messages.digest))
  }

  /// A payload as JSON text, cut to 1000 characters.
  static func preview(_ payload: SpanPayload) -> String? {
    guard let text = payload.json?.text() else { return nil }
    return text.utf8.count <= 1000 || text.count <= 1000 ? text : String(text.prefix(1000))
  }

  private static func insert(_ rows: TraceRows, _ db: Database) throws {
    let arguments: StatementArguments = [
      rows.id, rows.experiment, rows.runID, rows.name, rows.status, rows.error, rows.start, rows.duration,
      rows.spanCount, rows.inputTokens, rows.outputTokens, rows.cost, rows.request, rows.response, rows.metadata,
    ]
    let insertion = try db.cachedStatement(
      sql: """
        INSERT INTO traces (seq, id, experiment, run_id, name, status, error, start_ns, duration_ns, span_count,
          input_tokens, output_tokens, cost, request, response, metadata)
        VALUES (\(nextTraceSequence), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """)
    insertion.setUncheckedArguments(arguments)
    try insertion.execute()
    let isNew = db.changesCount > 0
    let newSequence = db.lastInsertedRowID
    if !isNew, rows.isRepeatable {
      let status = try Int.fetchOne(
        db.cachedStatement(sql: "SELECT status FROM traces WHERE id = ?"), arguments: [rows.id])
      if status == TraceStatus.ok.code { return }
      // What the metric said of the failed one goes with it; what people said stays.
      try db.execute(
        sql: "DELETE FROM assessments WHERE trace = ? AND source = ?",
        arguments: [rows.id, Assessment.Source.code.code])
    }
    let sequence = isNew ? newSequence : try replace(rows.id, arguments, db)
    for (index, chunk) in rows.chunks.enumerated() {
      try insert(chunk.payload, filter: chunk.filter, at: sequence << 20 | Int64(index), db)
    }
    for (messages, content) in rows.texts {
      try SharedTexts.keep(messages.digest, content ?? SharedTexts.content(messages.messages), db)
    }
    for assessment in rows.assessments { try insert(assessment, trace: rows.id, db) }
  }

  /// Writes a row of spans, and the filter that speaks for it.
  static func insert(_ payload: Data, filter: Data, at id: Int64, _ db: Database) throws {
    for (table, content) in [("span_chunks", payload), ("span_filters", filter)] {
      let statement = try db.cachedStatement(sql: "INSERT OR REPLACE INTO \(table) VALUES (?, ?)")
      statement.setUncheckedArguments([id, content])
      try statement.execute()
    }
  }

  /// The number of the next trace. None is given twice, though traces go: those who follow the store from outside know by
  /// it what is new.
  static let nextTraceSequence = """
    (SELECT max(ifnull((SELECT max(seq) FROM traces), 0),
      ifnull((SELECT value FROM progress WHERE name = 'lastTrace'), 0)) + 1)
    """

  /// Puts new columns in the place of an earlier trace of this id, and drops its spans.
  private static func replace(_ id: Data, _ arguments: StatementArguments, _ db: Database) throws -> Int64 {
    try db.cachedStatement(
      sql: """
        UPDATE traces SET experiment = ?2, run_id = ?3, name = ?4, status = ?5, error = ?6, start_ns = ?7,
          duration_ns = ?8, span_count = ?9, input_tokens = ?10, output_tokens = ?11, cost = ?12, request = ?13,
          response = ?14, metadata = ?15
        WHERE id = ?1
        """
    ).execute(arguments: arguments)
    guard let sequence = try Int64.fetchOne(db, sql: "SELECT seq FROM traces WHERE id = ?", arguments: [id]) else {
      throw HoneError(.internalError, "A trace vanished while it was replaced.")
    }
    try db.execute(
      sql: "DELETE FROM span_chunks WHERE id >= ? AND id < ?", arguments: [sequence << 20, (sequence + 1) << 20])
    return sequence
  }

  @discardableResult
  static func insert(
    _ assessment: Assessment, trace: Data, span: SpanID? = nil, kind: StoredAssessment.Kind = .feedback,
    sourceID: String? = nil, overrides: Int64? = nil, created: Int? = nil, details: JSONObject = [:],
    number: Int64? = nil, _ db: Database
  ) throws -> Int64 {
    let number = try number ?? AssessmentNumber.next(db)
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO assessments (id, trace, span, kind, name, value, number, error, rationale, metadata, source, source_id,
          created_ms, overrides, details)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    statement.setUncheckedArguments([
      number, trace, span.map { Int64(bitPattern: $0.value) }, kind.rawValue, assessment.name.storable,
      assessment.value.isNull ? nil : assessment.value.text(), assessment.value.plainNumber, assessment.error?.storable,
      assessment.rationale?.storable, assessment.metadata.textUnlessEmpty, assessment.source.code, sourceID,
      created ?? nowInMilliseconds(), overrides, details.textUnlessEmpty,
    ])
    try statement.execute()
    return number
  }
}

extension JSONValue {
  /// The number that this is. Booleans take part in no comparison of numbers.
  var plainNumber: Double? {
    switch self {
    case .int, .double, .number: doubleValue
    default: nil
    }
  }
}

extension JSONObject {
  /// The object as JSON text; nil if it has no member.
  var textUnlessEmpty: String? { isEmpty ? nil : JSONValue.object(self).text() }
}

extension TraceStatus {
  var code: Int {
    switch self {
    case .inProgress: 0
    case .ok: 1
    case .error: 2
    }
  }

  package init(code: Int, error: String?) {
    self =
      switch code {
      case 0: .inProgress
      case 1: .ok
      default: .error(error ?? "")
      }
  }
}

extension Assessment.Source {
  private static let all: [Assessment.Source] = [.code, .human, .judge]

  /// The number under which the store keeps it.
  var code: Int { Self.all.firstIndex(of: self) ?? 0 }
  init(code: Int) { self = Self.all.indices.contains(code) ? Self.all[code] : .code }
}
