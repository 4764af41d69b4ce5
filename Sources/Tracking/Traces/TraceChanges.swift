package import Failures
import GRDB
package import Traces

extension TrackingStore {
  /// Removes traces with their spans and assessments; those of other experiments and unknown ones are passed over.
  ///
  /// - Returns: how many there were.
  package func deleteTraces(_ ids: [TraceID], experimentID: String) async throws(HoneError) -> Int {
    try await write { db in
      let experiment = try Self.experimentNumber(db, experimentID)
      var count = 0
      for id in ids {
        let sequence = try Int64.fetchOne(
          db.cachedStatement(sql: "SELECT seq FROM traces WHERE id = ? AND experiment = ?"),
          arguments: [id.data, experiment])
        guard let sequence else { continue }
        try Self.deleteTrace(sequence, db)
        count += 1
      }
      return count
    }
  }

  /// Removes the oldest traces of an experiment that began no later than some time.
  ///
  /// - Parameter latest: milliseconds since 1970.
  /// - Returns: how many there were.
  package func deleteTraces(
    experimentID: String, latest: Int, limit: Int = .max
  ) async throws(HoneError) -> Int {
    try await write { db in
      let experiment = try Self.experimentNumber(db, experimentID)
      let sequences = try Int64.fetchAll(
        db.cachedStatement(
          sql: """
            SELECT seq FROM traces WHERE experiment = ? AND start_ns / 1000000 <= ? ORDER BY start_ns LIMIT ?
            """), arguments: [experiment, latest, limit])
      for sequence in sequences { try Self.deleteTrace(sequence, db) }
      return sequences.count
    }
  }

  /// Removes a trace with all that belongs to it.
  static func deleteTrace(_ sequence: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO progress VALUES ('lastTrace', ?)
        ON CONFLICT DO UPDATE SET value = excluded.value WHERE value < excluded.value
        """
    ).execute(arguments: [sequence])
    try db.cachedStatement(sql: "DELETE FROM assessments WHERE trace = (SELECT id FROM traces WHERE seq = ?)")
      .execute(arguments: [sequence])
    try db.cachedStatement(sql: "DELETE FROM span_chunks WHERE id >= ? AND id < ?")
      .execute(arguments: [sequence << 20, (sequence + 1) << 20])
    try db.cachedStatement(sql: "DELETE FROM trace_tags WHERE trace = ?").execute(arguments: [sequence])
    try db.cachedStatement(sql: "DELETE FROM traces WHERE seq = ?").execute(arguments: [sequence])
  }

  /// Says of traces that a run caused them.
  ///
  /// - Throws: `notFound` for an unknown run or trace.
  package func linkTraces(_ ids: [TraceID], run: String) async throws(HoneError) {
    try await write { db in
      guard try Self.runSequence(db, run) != nil else { throw notFound("run", run) }
      for id in ids {
        try db.cachedStatement(sql: "UPDATE traces SET run_id = ? WHERE id = ?").execute(arguments: [run, id.data])
        guard db.changesCount > 0 else { throw notFound("trace", id.description) }
      }
    }
  }

  /// Traces without their spans, in the order asked for; unknown ones are left out.
  package func traces(_ ids: [TraceID]) async throws(HoneError) -> [TraceInfo] {
    try await read { db in
      let sequences = try ids.compactMap { try Self.traceRow(db, $0)?.sequence }
      return try Self.traceInfos(db, sequences)
    }
  }
}
