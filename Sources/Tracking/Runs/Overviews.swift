package import Failures
import GRDB

/// What is going on in an experiment, in figures.
package struct ExperimentActivity: Sendable, Hashable {
  /// Active runs, and how many of them have no parent or are not done.
  package var runs = 0
  package var topRuns = 0
  package var running = 0
  /// When the latest run began, in milliseconds since 1970.
  package var lastStart: Int?

  package init() {}
}

/// The names under which the runs of an experiment have values.
package struct RunKeys: Sendable, Hashable {
  package var params: [String] = []
  package var metrics: [String] = []
  package var tags: [String] = []
}

/// What a part of a run's work took.
package struct PhaseUsage: Sendable, Hashable {
  /// `bootstrap`, `propose` … of the run itself, or the kind of its evaluations.
  package var phase: String
  package var executions: Int
  package var failed: Int
  package var inputTokens: Int
  package var outputTokens: Int
  /// US dollars of the executions whose cost is known.
  package var cost: Double
  /// The executions' durations, added up.
  package var seconds: Double
}

/// What was paid in one role to one model.
package struct Payment: Sendable, Hashable {
  package var role: String
  package var model: String
  package var calls: Int
  package var inputTokens: Int
  package var outputTokens: Int
  package var cost: Double
}

/// Short reads for whoever looks at many runs at once.
extension TrackingStore {
  /// What is going on in each experiment that has a run, by its id.
  package func experimentActivity() async throws(HoneError) -> [String: ExperimentActivity] {
    try await read { db in
      let rows = try Row.fetchCursor(
        db.cachedStatement(
          sql: """
            SELECT experiment, count(*), sum(parent IS NULL), sum(status = 'RUNNING'), max(start_ms)
            FROM runs WHERE deleted_ms IS NULL GROUP BY experiment
            """))
      var found: [String: ExperimentActivity] = [:]
      while let row = try rows.next() {
        var activity = ExperimentActivity()
        activity.runs = row[1]
        activity.topRuns = row[2]
        activity.running = row[3]
        activity.lastStart = row[4]
        found[String(row[0] as Int)] = activity
      }
      return found
    }
  }

  /// How many children each of the runs has, deleted ones left out; runs without any are not in it.
  package func childCounts(of ids: [String]) async throws(HoneError) -> [String: Int] {
    try await read { db in
      var found: [String: Int] = [:]
      let statement = try db.cachedStatement(
        sql: "SELECT count(*) FROM runs WHERE parent = ? AND deleted_ms IS NULL")
      for id in ids {
        let count = try Int.fetchOne(statement, arguments: [id]) ?? 0
        if count > 0 { found[id] = count }
      }
      return found
    }
  }

  /// The names of parameters, metrics and tags among the latest runs of an experiment (of all, where nil).
  package func runKeys(experimentID: String?) async throws(HoneError) -> RunKeys {
    try await read { db in
      let condition: SQL = experimentID.map { "WHERE experiment = \(Int64($0) ?? -1)" } ?? ""
      func keys(_ table: SQL) throws -> [String] {
        try SQLRequest<String>(
          literal: """
            SELECT DISTINCT key FROM \(table)
            WHERE run IN (SELECT seq FROM runs \(condition) ORDER BY start_ms DESC LIMIT 2000) ORDER BY key LIMIT 2000
            """
        ).fetchAll(db)
      }
      return RunKeys(params: try keys("params"), metrics: try keys("latest_metrics"), tags: try keys("run_tags"))
    }
  }

  /// Where the work of a run and of its children went, by phase, the first first; from their traces.
  package func phases(of id: String) async throws(HoneError) -> [PhaseUsage] {
    try await read { db in
      guard try Self.runSequence(db, id) != nil else { throw notFound("run", id) }
      let rows = try Row.fetchCursor(
        db.cachedStatement(
          sql: """
            SELECT coalesce(t.metadata ->> '$.phase', rtrim(rtrim(t.metadata ->> '$.evaluation', '0123456789'), '_'),
                iif(r.id = ?1, 'run', rtrim(rtrim(r.name, '0123456789'), '_'))) AS phase, count(*),
              sum(t.status = 2), sum(t.input_tokens), sum(t.output_tokens), total(t.cost), total(t.duration_ns) / 1e9
            FROM runs r JOIN traces t ON t.run_id = r.id
            WHERE r.id = ?1 OR (r.parent = ?1 AND r.deleted_ms IS NULL)
            GROUP BY phase ORDER BY min(t.start_ns)
            """), arguments: [id])
      var found: [PhaseUsage] = []
      while let row = try rows.next() {
        found.append(
          PhaseUsage(
            phase: row[0], executions: row[1], failed: row[2], inputTokens: row[3], outputTokens: row[4],
            cost: row[5], seconds: row[6]))
      }
      return found
    }
  }

  /// What a run paid, by role and model; answers that it found in the store are not in it.
  package func payments(of id: String) async throws(HoneError) -> [Payment] {
    try await read { db in
      let rows = try Row.fetchCursor(
        db.cachedStatement(
          sql: """
            SELECT role, model, sum(calls), sum(input), sum(output), total(cost)
            FROM (
              SELECT role, model, 1 calls, input_tokens input, output_tokens output, cost FROM answers WHERE run_id = ?1
              UNION ALL
              SELECT role, model, calls, input_tokens, output_tokens, cost FROM settled WHERE run_id = ?1
            ) GROUP BY role, model ORDER BY sum(calls) DESC
            """), arguments: [id])
      var found: [Payment] = []
      while let row = try rows.next() {
        found.append(
          Payment(
            role: row[0], model: row[1], calls: row[2], inputTokens: row[3], outputTokens: row[4], cost: row[5]))
      }
      return found
    }
  }
}
