import Basics
package import Failures
import GRDB
package import JSON

/// What processes tell each other about a run through the store: its trials so far, and the wish that it stop.
extension TrackingStore {
  /// Keeps a trial of a run as it is sent to watchers; one of the same number is replaced.
  package func logTrial(run id: String, number: Int, _ trial: JSONObject) async throws(HoneError) {
    let text = JSONValue.object(trial).text()
    try await write { db in
      let run = try Self.activeRun(db, id)
      try db.execute(literal: "INSERT OR REPLACE INTO trials VALUES (\(run), \(number), \(text))")
    }
  }

  /// The trials of a run beyond a number, in order.
  package func trials(run id: String, after number: Int = 0) async throws(HoneError) -> [JSONValue] {
    let texts = try await read { db in
      guard let run = try Self.runSequence(db, id) else { throw notFound("run", id) }
      return try String.fetchAll(
        db, sql: "SELECT trial FROM trials WHERE run = ? AND number > ? ORDER BY number", arguments: [run, number])
    }
    var trials: [JSONValue] = []
    for text in texts { trials.append(try Self.parsed(text)) }
    return trials
  }

  /// Asks the process that works on a run to stop; it looks about twice a second.
  package func requestStop(run id: String) async throws(HoneError) {
    try await write { db in
      let run = try Self.activeRun(db, id)
      try db.execute(literal: "INSERT OR REPLACE INTO stop_requests VALUES (\(run), \(nowInMilliseconds()))")
    }
  }

  /// The runs that are asked to stop.
  package func stopRequests() async throws(HoneError) -> [String] {
    try await read { db in
      try String.fetchAll(db, sql: "SELECT r.id FROM stop_requests s JOIN runs r ON r.seq = s.run")
    }
  }

  /// A run's facts alone; nil if there is no such run.
  package func findRun(_ id: String) async throws(HoneError) -> RunInfo? {
    try await read { db in
      guard let run = try Self.runSequence(db, id) else { return nil }
      return try Self.infos(db, [run]).first
    }
  }
}
