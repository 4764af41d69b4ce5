import Basics
package import Failures
import Foundation
import GRDB
package import JSON
import Synchronization

/// What a run was asked to do, kept with it so that it can be done again from the top.
package struct KeptRequest: Sendable {
  package var method: String
  package var params: JSONObject
  /// Seconds of work on the run before now.
  package var seconds: Double
}

/// Runs that can be done again: made, taken up and ended each in one transaction, so that a process may end at any
/// moment and leaves either all of a step or nothing.
extension TrackingStore {
  /// Makes a run with the request behind it, claimed by this process.
  ///
  /// - Parameter rowSets: the rows that the request refers to (see `keepRows`).
  package func beginRun(
    _ new: NewRun, method: String, params: JSONObject, rowSets: [RowSet] = []
  ) async throws(HoneError) -> Run {
    let insertion = try RunInsertion(new)
    let text = JSONValue.object(params).text()
    return try await heldLeases.adding(insertion.id) { () async throws(HoneError) in
      try await write { db in
        let number = try insertion.run(in: db)
        try Self.claim(insertion.id, number: number, db)
        try db.execute(
          literal: """
            INSERT INTO requests (run, method, params, session_ms)
            VALUES (\(number), \(method), \(text), \(nowInMilliseconds()))
            """)
        for set in rowSets {
          try db.execute(literal: "INSERT OR IGNORE INTO request_rows VALUES (\(number), \(set.id))")
        }
        return try Self.runs(db, [number])[0]
      }
    }
  }

  /// Takes up a run that ended before its time: claims it, makes it `RUNNING`, drops these tags and its trials, which
  /// come anew. `params` take the place of those kept.
  ///
  /// - Throws: `invalidParams` if a living process works on it, this one included, if it is finished, or has no request;
  ///   `notFound`.
  package func reopenRun(
    _ id: String, params: JSONObject, droppingTags tags: [String]
  ) async throws(HoneError) -> KeptRequest {
    let text = JSONValue.object(params).text()
    return try await heldLeases.adding(id, isNew: true) { () async throws(HoneError) in
      try await write { db in
        let number = try Self.activeRun(db, id)
        guard let info = try Self.infos(db, [number]).first, info.status != .finished else {
          throw invalid("runId", "This run is finished.", got: id, remedy: "Ask for its result with watchRun.")
        }
        guard var request = try Self.request(db, number) else { throw Self.cannotBeRepeated(id) }
        request.params = params
        try Self.claim(id, number: number, db)
        // A session that was cut off lasted at least until its last answer.
        let unfinished = try Double.fetchOne(
          db,
          sql: """
            SELECT max(0, (SELECT max(created_ms) FROM answers WHERE run_id = ?2) - session_ms) / 1000.0
            FROM requests WHERE run = ?1 AND session_ms IS NOT NULL
            """, arguments: [number, id])
        request.seconds += unfinished ?? 0
        try db.execute(
          literal: """
            UPDATE requests SET params = \(text), session_ms = \(nowInMilliseconds()), seconds = \(request.seconds),
              result = NULL
            WHERE run = \(number)
            """)
        try db.execute(literal: "UPDATE runs SET status = 'RUNNING', end_ms = NULL WHERE seq = \(number)")
        for tag in tags { try db.execute(literal: "DELETE FROM run_tags WHERE run = \(number) AND key = \(tag)") }
        try db.execute(literal: "DELETE FROM trials WHERE run = \(number)")
        try db.execute(literal: "DELETE FROM stop_requests WHERE run = \(number)")
        return request
      }
    }
  }

  /// Ends this process's work on a run: status, tags, metrics and result at once, and the claim on it given up. Where
  /// that cannot be written, the run counts as one that was cut off.
  ///
  /// - Parameter seconds: how long the session lasted.
  package func endRun(
    _ id: String, status: RunStatus, seconds: Double, metrics: [MetricPoint], tags: [KeyValue], result: JSONValue?
  ) async throws(HoneError) {
    let text = result?.text()
    defer { heldLeases.remove(id) }
    try await write(isPaid: true) { db in
      let number = try Self.activeRun(db, id)
      for metric in metrics { try Self.setMetric(db, run: number, metric) }
      for tag in tags { try Self.setTag(db, run: number, tag) }
      try db.execute(
        literal: "UPDATE runs SET status = \(status.rawValue), end_ms = \(nowInMilliseconds()) WHERE seq = \(number)")
      try db.execute(
        literal: """
          UPDATE requests SET seconds = seconds + \(seconds), session_ms = NULL, result = \(text) WHERE run = \(number)
          """)
      try db.execute(literal: "DELETE FROM stop_requests WHERE run = \(number)")
      try db.execute(literal: "DELETE FROM leases WHERE run = \(number)")
    }
  }

  /// The request behind a run; nil if none was kept.
  ///
  /// - Throws: `notFound` if there is no such run.
  package func keptRequest(run id: String) async throws(HoneError) -> KeptRequest? {
    try await read { db in
      guard let number = try Self.runSequence(db, id) else { throw notFound("run", id) }
      return try Self.request(db, number)
    }
  }

  /// Which of these runs have a request kept, so that they can be done again.
  package func runsWithRequests(_ ids: [String]) async throws(HoneError) -> Set<String> {
    try await read { db in
      let found = try String.fetchAll(
        db,
        sql: """
          SELECT r.id FROM requests q JOIN runs r ON r.seq = q.run
          WHERE r.id IN (SELECT value FROM json_each(?))
          """, arguments: [JSONValue.array(ids.map(JSONValue.string)).text()])
      return Set(found)
    }
  }

  /// What a run's work came to; nil while it goes on, and where it was cut off.
  package func result(run id: String) async throws(HoneError) -> JSONValue? {
    let text = try await read { db in
      guard let number = try Self.runSequence(db, id) else { throw notFound("run", id) }
      return try String.fetchOne(db, sql: "SELECT result FROM requests WHERE run = ?", arguments: [number])
    }
    return try text.map(Self.parsed)
  }

  private static func request(_ db: Database, _ number: Int64) throws -> KeptRequest? {
    let row = try SQLRequest<Row>(
      literal: "SELECT method, params, seconds FROM requests WHERE run = \(number)"
    ).fetchOne(db)
    guard let row else { return nil }
    return KeptRequest(method: row[0], params: try parsed(row[1]).objectValue ?? [:], seconds: row[2])
  }

  static func parsed(_ text: String) throws(HoneError) -> JSONValue {
    do {
      return try JSONReader.read(text)
    } catch {
      throw HoneError(
        .storeUnavailable, "A kept request or result is damaged.", remedy: "Restore a backup of the store.")
    }
  }

  /// Empties a run that is going to hold something else: its parameters, metrics, results and traces go.
  package func clearRun(_ id: String) async throws(HoneError) {
    try await write { db in
      let number = try Self.activeRun(db, id)
      for table in ["params", "metrics", "latest_metrics", "results"] {
        try db.execute(sql: "DELETE FROM \(table) WHERE run = ?", arguments: [number])
      }
      for sequence in try Int64.fetchAll(db, sql: "SELECT seq FROM traces WHERE run_id = ?", arguments: [id]) {
        try Self.deleteTrace(sequence, db)
      }
    }
  }

  private static func cannotBeRepeated(_ id: String) -> HoneError {
    invalid(
      "runId", "This run cannot be resumed: no request of compile or evaluate is kept with it.", got: id,
      remedy: "Name a run that compile or evaluate made.")
  }
}
