package import Failures
import Foundation
import GRDB
import JSON
package import Traces

extension TrackingStore {
  /// Adds an assessment to a trace, which may be stored later.
  ///
  /// - Parameter overrides: the id of an assessment of the same trace that no longer counts.
  /// - Throws: `invalidParams` for an empty name; `notFound` if there is none to override.
  @discardableResult
  package func addAssessment(
    _ assessment: Assessment, to trace: TraceID, span: SpanID? = nil, kind: StoredAssessment.Kind = .feedback,
    sourceID: String? = nil, overrides: String? = nil
  ) async throws(HoneError) -> StoredAssessment {
    guard !assessment.name.isEmpty else { throw invalid("name", "An assessment needs a name.") }
    return try await write { db in
      var old: Int64?
      if let overrides {
        guard let number = Self.assessmentNumber(overrides) else { throw notFound("assessment", overrides) }
        try db.execute(
          literal: "UPDATE assessments SET valid = 0 WHERE id = \(number) AND trace = \(trace.data)")
        guard db.changesCount > 0 else { throw notFound("assessment", overrides) }
        old = number
      }
      let id = try Self.insert(
        assessment, trace: trace.data, span: span, kind: kind, sourceID: sourceID, overrides: old, db)
      return try Self.assessments(db, sql: "SELECT * FROM assessments WHERE id = ?", arguments: [id])[0]
    }
  }

  /// The assessments of a trace in the order they came, overridden ones included.
  package func assessments(of trace: TraceID) async throws(HoneError) -> [StoredAssessment] {
    try await read { db in
      try Self.assessments(
        db, sql: "SELECT * FROM assessments WHERE trace = ? ORDER BY id", arguments: [trace.data])
    }
  }

  /// - Throws: `notFound`.
  package func deleteAssessment(_ id: String, of trace: TraceID) async throws(HoneError) {
    try await write { db in
      guard let number = Self.assessmentNumber(id) else { throw notFound("assessment", id) }
      try db.execute(literal: "DELETE FROM assessments WHERE id = \(number) AND trace = \(trace.data)")
      guard db.changesCount > 0 else { throw notFound("assessment", id) }
    }
  }

  /// The id of the assessment in row `number`: `a-` and 32 hexadecimal digits, as MLflow writes them.
  private static func assessmentID(_ number: Int64) -> String {
    let digits = String(number, radix: 16)
    return "a-" + String(repeating: "0", count: max(0, 32 - digits.utf8.count)) + digits
  }

  private static func assessmentNumber(_ id: String) -> Int64? {
    guard id.utf8.count == 34, id.hasPrefix("a-") else { return nil }
    return Int64(id.dropFirst(2), radix: 16)
  }

  static func assessments(
    _ db: Database, sql: String, arguments: StatementArguments
  ) throws -> [StoredAssessment] {
    let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
    return try rows.map { row in
      guard let trace = TraceID(data: row["trace"]) else { throw SpanDecoder.damage }
      let value = try (row["value"] as String?).map { try JSONReader.read($0) } ?? .null
      let metadata = try (row["metadata"] as String?).map { try JSONReader.read($0) }
      return StoredAssessment(
        id: assessmentID(row["id"]), traceID: trace,
        spanID: (row["span"] as Int64?).map { SpanID(UInt64(bitPattern: $0)) },
        kind: StoredAssessment.Kind(rawValue: row["kind"]) ?? .feedback,
        assessment: Assessment(
          name: row["name"], value: value, rationale: row["rationale"], source: Assessment.Source(code: row["source"]),
          error: row["error"], metadata: metadata?.objectValue ?? [:]),
        sourceID: row["source_id"], created: row["created_ms"],
        overrides: (row["overrides"] as Int64?).map(assessmentID), isValid: row["valid"])
    }
  }
}
