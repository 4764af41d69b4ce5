package import Failures
import Foundation
import GRDB
import Traces

/// Filters for the traces that a Hone without them recorded: made in steps, the latest traces first, by whichever process
/// has the store open for a while. Until then searches read these traces.
extension TrackingStore {
  /// How many traces one step looks at.
  private static let step = 50

  /// Makes the filters of the next traces that lack them.
  ///
  /// - Returns: up to which number traces still lack them; nil where none does.
  package func fillSpanFilters() async throws(HoneError) -> Int64? {
    guard try await unfilteredTraces() != nil else { return nil }
    return try await write { [texts] db in
      guard let place = try Self.unfiltered(db) else { return nil }
      let sequences = try Int64.fetchAll(
        db.cachedStatement(sql: "SELECT seq FROM traces WHERE seq <= ? ORDER BY seq DESC LIMIT ?"),
        arguments: [place, Self.step])
      for sequence in sequences { try Self.fillFilters(of: sequence, texts, db) }
      guard let last = sequences.last, sequences.count == Self.step else {
        try db.execute(sql: "DELETE FROM progress WHERE name = 'unfiltered'")
        return nil
      }
      try db.execute(sql: "UPDATE progress SET value = ? WHERE name = 'unfiltered'", arguments: [last - 1])
      return last - 1
    }
  }

  /// Up to which number traces may lack filters; nil where none does.
  package func unfilteredTraces() async throws(HoneError) -> Int64? {
    try await read { db in try Self.unfiltered(db) }
  }

  private static func unfiltered(_ db: Database) throws -> Int64? {
    try Int64.fetchOne(db.cachedStatement(sql: "SELECT value FROM progress WHERE name = 'unfiltered'"))
  }

  private static func fillFilters(of sequence: Int64, _ texts: SharedTexts, _ db: Database) throws {
    let rows = try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT c.id, c.payload FROM span_chunks c LEFT JOIN span_filters f ON f.id = c.id
          WHERE c.id >= ? AND c.id < ? AND f.id IS NULL
          """), arguments: [sequence << 20, (sequence + 1) << 20])
    guard !rows.isEmpty else { return }
    let origin = try Int.fetchOne(
      db.cachedStatement(sql: "SELECT ifnull(origin_ns, start_ns) FROM traces WHERE seq = ?"), arguments: [sequence])
    var filters: [(id: Int64, filter: SpanFilter)] = []
    for row in rows {
      let payload: Data = row[1]
      // A damaged trace is not made worse: searches read it, and say that it is damaged.
      guard let decoder = try? SpanDecoder(payload, origin: origin ?? 0, shared: { try texts.messages($0, in: db) }),
        let spans = try? (0..<decoder.count).map({ try decoder.span($0) })
      else { return }
      let chunk = SpanEncoder.encode(spans[...], origin: origin ?? 0)
      filters.append((row[0], chunk.filter(dictionary: PackedSpans.dictionary(payload))))
    }
    for (id, filter) in filters {
      try db.cachedStatement(sql: "INSERT INTO span_filters VALUES (?, ?)").execute(arguments: [id, filter.bytes.data])
    }
  }
}

extension [UInt8] {
  fileprivate var data: Data { Data(self) }
}
