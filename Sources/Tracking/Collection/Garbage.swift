import Basics
package import Failures
import Foundation
import GRDB

/// What a collection removes besides deleted runs and what only they refer to.
package struct CollectionTerms: Sendable {
  /// Answers kept before that time go, in milliseconds since 1970; none where nil.
  package var answersBefore: Int?

  package init(answersBefore: Int? = nil) { self.answersBefore = answersBefore }

  /// - Parameter answersOlderThan: days.
  package init(answersOlderThan: Double?) {
    answersBefore = answersOlderThan.map { nowInMilliseconds() - Int($0 * 86_400_000) }
  }
}

/// What is garbage, in SQL.
enum Garbage {
  /// The deleted runs that may go, by number, and how many stay.
  ///
  /// A run under way stays, and so does one that a tag of a run names that stays: a parent, or a best candidate.
  static func runs(_ db: Database) throws -> (doomed: [Int64], kept: Int) {
    let deleted = try Int64.fetchAll(db, sql: "SELECT seq FROM runs WHERE deleted_ms IS NOT NULL ORDER BY seq")
    guard !deleted.isEmpty else { return ([], 0) }
    let kept = try Set(
      Int64.fetchAll(
        db,
        sql: """
          WITH RECURSIVE staying (seq) AS (
            SELECT seq FROM runs WHERE deleted_ms IS NULL
            UNION SELECT value FROM json_each(?)
            UNION SELECT r.seq FROM staying s JOIN run_tags g ON g.run = s.seq AND length(g.value) = 32
              JOIN runs r ON r.id = g.value AND r.deleted_ms IS NOT NULL
          )
          SELECT seq FROM staying
          """, arguments: [jsonList(try TrackingStore.heldRuns(db))]))
    let doomed = deleted.filter { !kept.contains($0) }
    return (doomed, deleted.count - doomed.count)
  }

  /// Whether a run is still garbage, some time after `runs` named it: it may have been restored, or one that names it.
  static func isDoomed(_ run: Int64, held: [Int64], _ db: Database) throws -> Bool {
    try !held.contains(run)
      && Bool.fetchOne(
        db.cachedStatement(
          sql: """
            SELECT deleted_ms IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM runs c WHERE c.parent = r.id AND c.deleted_ms IS NULL)
              AND NOT EXISTS (SELECT 1 FROM runs p JOIN run_tags g ON g.run = p.seq
                WHERE p.id = r.parent AND p.deleted_ms IS NULL AND g.value = r.id)
            FROM runs r WHERE seq = ?
            """), arguments: [run]) == true
  }

  /// Deleted models that no run which stays names.
  static let models = """
    SELECT seq, id, experiment FROM models m WHERE deleted AND NOT EXISTS (
      SELECT 1 FROM outputs o JOIN runs r ON r.seq = o.run WHERE o.model = m.id AND r.deleted_ms IS NULL)
    """

  /// Data sets that no run uses.
  static let datasets = "SELECT id FROM datasets WHERE id NOT IN (SELECT dataset FROM inputs)"

  /// Sets of rows that no request refers to, but for those that one is about to refer to.
  static let rowSets = """
    SELECT id FROM row_sets s WHERE used_ms < (unixepoch() - 60) * 1000
      AND NOT EXISTS (SELECT 1 FROM request_rows q WHERE q.row_set = s.id)
    """

  /// Answers kept before a time, from a number on. Those that a run paid for which can be resumed, or is under way, are
  /// not among them: it would have to pay again.
  static let answers = """
    SELECT a.id, a.run_id FROM answers a LEFT JOIN runs r ON r.id = a.run_id
    WHERE a.id > ?1 AND a.created_ms < ?2 AND (r.seq IS NULL OR r.deleted_ms IS NOT NULL OR r.status = 'FINISHED'
      OR NOT EXISTS (SELECT 1 FROM requests q WHERE q.run = r.seq))
    ORDER BY a.id
    """
}

extension TrackingStore {
  /// Counts what `collectGarbage` would remove. Nothing is changed.
  package func garbage(_ terms: CollectionTerms = CollectionTerms()) async throws(HoneError) -> GarbageRecord {
    var found = GarbageRecord(home: place, isDryRun: true)
    let counted = found
    let (tables, owners) = try await read { db -> (GarbageRecord, [String]) in
      var found = counted
      let (doomed, kept) = try Garbage.runs(db)
      found.runs = doomed.count
      found.keptRuns = kept
      let list = jsonList(doomed)
      let gone = """
        SELECT id FROM runs WHERE seq IN (SELECT value FROM json_each(?1)) UNION SELECT id FROM removals WHERE kind = 'run'
        """
      let traces = try Row.fetchOne(
        db,
        sql: """
          SELECT count(*), total(t.size), total((SELECT total(length(payload)) FROM span_chunks
              WHERE id >= t.seq << 20 AND id < (t.seq + 1) << 20))
          FROM (SELECT seq, 300 + ifnull(length(request), 0) + ifnull(length(response), 0) AS size FROM traces
            WHERE run_id IN (\(gone))) t
          """, arguments: [list])
      found.traces = traces?[0] ?? 0
      var bytes: Double = (traces?[1] ?? 0) + (traces?[2] ?? 0)
      found.models = try Int.fetchOne(db, sql: "SELECT count(*) FROM (\(Garbage.models))") ?? 0
      found.datasets =
        try Int.fetchOne(
          db,
          sql: """
            SELECT count(*) FROM datasets WHERE id NOT IN
              (SELECT dataset FROM inputs WHERE run NOT IN (SELECT value FROM json_each(?)))
            """, arguments: [list]) ?? 0
      bytes +=
        try Double.fetchOne(
          db,
          sql: """
            SELECT total((SELECT total(length(payload)) FROM row_chunks c
              WHERE c.id >= s.id << 20 AND c.id < (s.id + 1) << 20))
            FROM row_sets s WHERE NOT EXISTS (SELECT 1 FROM request_rows q
              WHERE q.row_set = s.id AND q.run NOT IN (SELECT value FROM json_each(?)))
            """, arguments: [list]) ?? 0
      if let before = terms.answersBefore {
        let answers = try Row.fetchOne(
          db,
          sql: """
            SELECT count(*), total(200 + length(texts) + ifnull(length(reasoning), 0)) FROM answers
            WHERE id IN (SELECT id FROM (\(Garbage.answers)))
            """, arguments: [0, before])
        found.answers = answers?[0] ?? 0
        bytes += answers?[1] ?? 0
      }
      let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
      let page = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0
      found.databaseBytes = Int(bytes) + free * page
      let owners = try String.fetchAll(
        db,
        sql: """
          SELECT experiment || '/' || id FROM runs WHERE seq IN (SELECT value FROM json_each(?1))
          UNION SELECT experiment || '/models/' || id FROM (\(Garbage.models))
          UNION SELECT id FROM removals WHERE kind = 'files'
          """, arguments: [list])
      return (found, owners)
    }
    found = tables
    let files = artifactFiles
    let size = try await onThread { () throws(HoneError) in
      var sum = (files: 0, bytes: 0)
      for owner in owners {
        let own = try files.size(of: owner)
        sum.files += own.files
        sum.bytes += own.bytes
      }
      return sum
    }
    found.files = size.files
    found.fileBytes = size.bytes
    return found
  }
}
