package import Failures
import GRDB
import Traces

/// The store's traces in the order in which they were first recorded: what follows them from outside.
extension TrackingStore {
  /// A trace and its place in that order.
  package struct RecordedTrace: Sendable {
    package var sequence: Int64
    package var info: TraceInfo
  }

  /// The traces recorded after a place, at most `limit` of them.
  package func traces(after sequence: Int64, limit: Int) async throws(HoneError) -> [RecordedTrace] {
    try await read { db in
      let sequences = try Int64.fetchAll(
        db.cachedStatement(sql: "SELECT seq FROM traces WHERE seq > ? ORDER BY seq LIMIT ?"),
        arguments: [sequence, limit])
      return try Self.recorded(db, sequences)
    }
  }

  /// The traces at these places; those that are gone are left out.
  package func traces(at sequences: [Int64]) async throws(HoneError) -> [RecordedTrace] {
    try await read { db in
      let present = try Int64.fetchAll(
        db.cachedStatement(
          sql: "SELECT seq FROM traces WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"),
        arguments: [jsonList(sequences)])
      return try Self.recorded(db, present)
    }
  }

  /// The place of the latest trace; 0 where there is none.
  package func lastTraceSequence() async throws(HoneError) -> Int64 {
    try await read { db in try Int64.fetchOne(db, sql: "SELECT max(seq) FROM traces") ?? 0 }
  }

  private static func recorded(_ db: Database, _ sequences: [Int64]) throws -> [RecordedTrace] {
    zip(sequences, try traceInfos(db, sequences)).map { RecordedTrace(sequence: $0, info: $1) }
  }
}
