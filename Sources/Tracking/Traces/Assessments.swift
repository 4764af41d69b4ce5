import Basics
package import Failures
import Foundation
import GRDB
package import JSON
package import Traces

extension TrackingStore {
  /// Adds an assessment to a trace, which may be stored later.
  ///
  /// - Parameter overrides: the id of an assessment of the same trace that no longer counts.
  /// - Throws: `invalidParams` for an empty name; `notFound` if there is none to override.
  @discardableResult
  package func addAssessment(
    _ assessment: Assessment, to trace: TraceID, span: SpanID? = nil, kind: StoredAssessment.Kind = .feedback,
    sourceID: String? = nil, overrides: String? = nil, created: Int? = nil, details: JSONObject = [:]
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
        assessment, trace: trace.data, span: span, kind: kind, sourceID: sourceID, overrides: old, created: created,
        details: details, db)
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
      let number = try Self.assessmentNumber(db, id, trace)
      // The one whose place it took counts again.
      try db.execute(
        literal: """
          UPDATE assessments SET valid = 1 WHERE trace = \(trace.data)
            AND id = (SELECT overrides FROM assessments WHERE id = \(number))
          """)
      try db.execute(literal: "DELETE FROM assessments WHERE id = \(number)")
    }
  }

  /// One assessment of a trace.
  ///
  /// - Throws: `notFound`.
  package func assessment(_ id: String, of trace: TraceID) async throws(HoneError) -> StoredAssessment {
    try await read { db in
      let number = try Self.assessmentNumber(db, id, trace)
      return try Self.assessments(db, sql: "SELECT * FROM assessments WHERE id = ?", arguments: [number])[0]
    }
  }

  /// Changes an assessment in its place.
  ///
  /// - Throws: `notFound`; `invalidParams` for an empty name.
  @discardableResult
  package func updateAssessment(
    _ id: String, of trace: TraceID, _ change: @escaping @Sendable (inout StoredAssessment) -> Void
  ) async throws(HoneError) -> StoredAssessment {
    try await write { db in
      let number = try Self.assessmentNumber(db, id, trace)
      let query = "SELECT * FROM assessments WHERE id = ?"
      var stored = try Self.assessments(db, sql: query, arguments: [number])[0]
      change(&stored)
      let assessment = stored.assessment
      guard !assessment.name.isEmpty else { throw invalid("name", "An assessment needs a name.") }
      try db.cachedStatement(
        sql: """
          UPDATE assessments SET name = ?, value = ?, number = ?, error = ?, rationale = ?, metadata = ?, details = ?,
            updated_ms = ? WHERE id = ?
          """
      ).execute(
        arguments: [
          assessment.name.storable, assessment.value.isNull ? nil : assessment.value.text(),
          assessment.value.plainNumber,
          assessment.error?.storable, assessment.rationale?.storable, assessment.metadata.textUnlessEmpty,
          stored.details.textUnlessEmpty, nowInMilliseconds(), number,
        ])
      return try Self.assessments(db, sql: query, arguments: [number])[0]
    }
  }

  /// Inserts assessments of an imported trace as they were. One whose id is taken here gets another one.
  static func insert(_ assessments: [StoredAssessment], of trace: TraceID, _ db: Database) throws {
    var numbers: [String: Int64] = [:]
    for stored in assessments {
      var number = assessmentNumber(stored.id)
      if let wanted = number, try !AssessmentNumber.isFree(wanted, db) { number = nil }
      let id = try insert(
        stored.assessment, trace: trace.data, span: stored.spanID, kind: stored.kind, sourceID: stored.sourceID,
        overrides: stored.overrides.flatMap { numbers[$0] ?? assessmentNumber($0) }, created: stored.created,
        details: stored.details, number: number, db)
      numbers[stored.id] = id
      try db.execute(
        literal: """
          UPDATE assessments SET updated_ms = \(stored.updated == stored.created ? nil : stored.updated),
            valid = \(stored.isValid) WHERE id = \(id)
          """)
    }
  }

  private static func assessmentNumber(_ db: Database, _ id: String, _ trace: TraceID) throws -> Int64 {
    let found = try assessmentNumber(id).flatMap { number in
      try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT id FROM assessments WHERE id = ? AND trace = ?"),
        arguments: [number, trace.data])
    }
    guard let found else { throw notFound("assessment", id) }
    return found
  }

  /// The id of the assessment in row `number`: `a-` and 32 hexadecimal digits, as MLflow writes them.
  private static func assessmentID(_ number: Int64) -> String {
    let digits = String(number, radix: 16)
    return "a-" + String(repeating: "0", count: max(0, 32 - digits.utf8.count)) + digits
  }

  private static func assessmentNumber(_ id: String) -> Int64? {
    guard id.utf8.count == 34, id.hasPrefix("a-") else { return nil }
    return Int64(id.dropFirst(2), radix: 16).flatMap { AssessmentNumber.foreign.contains($0) ? $0 : nil }
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
        sourceID: row["source_id"], created: row["created_ms"], updated: row["updated_ms"] ?? row["created_ms"],
        details: (row["details"] as String?).flatMap { try? JSONReader.read($0) }?.objectValue ?? [:],
        overrides: (row["overrides"] as Int64?).map(assessmentID), isValid: row["valid"])
    }
  }
}
