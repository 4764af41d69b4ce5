import Basics
package import Failures
import GRDB
import JSON
import Traces

/// What becomes of a metric where there is one of its step already.
package enum MetricWriting: Sendable {
  /// Both stand, unless they are identical.
  case adding
  /// The new one stands; one of the same value stays as it is. So work done again leaves one point a step.
  case replacing
  /// The old one stays: it tells how it was at its time.
  case keepingFirst
}

extension TrackingStore {
  /// Logs parameters, metrics and tags of a run, all or nothing.
  ///
  /// A parameter is written once: the same value again is no error, another one is. Values are kept whole,
  /// however long.
  ///
  /// - Throws: `invalidParams` for a changed parameter, a bad key or timestamp, a deleted run; `notFound`.
  package func log(
    run id: String, params: [KeyValue] = [], metrics: [MetricPoint] = [], tags: [KeyValue] = [],
    _ writing: MetricWriting = .adding
  ) async throws(HoneError) {
    let params = params.map { KeyValue($0.key, $0.value.storable) }
    for param in params { try checkKey(param.key, "param") }
    for tag in tags { try checkKey(tag.key, "tag") }
    for metric in metrics {
      try checkKey(metric.key, "metric")
      guard metric.timestamp >= 0 else {
        throw invalid("metric", "The timestamp of \"\(shortened(metric.key))\" is negative.")
      }
    }
    try await write { db in
      let run = try Self.activeRun(db, id)
      for param in params { try Self.setParam(db, run: run, param) }
      for metric in metrics {
        switch writing {
        case .adding: try Self.addMetric(db, run: run, metric)
        case .replacing: try Self.setMetric(db, run: run, metric)
        case .keepingFirst:
          if try Self.standing(db, run: run, metric).isEmpty { try Self.addMetric(db, run: run, metric) }
        }
      }
      for tag in tags { try Self.setTag(db, run: run, tag) }
    }
  }

  package func setTag(run id: String, _ key: String, _ value: String) async throws(HoneError) {
    try await log(run: id, tags: [KeyValue(key, value)])
  }

  /// - Throws: `notFound` if there is no such run or tag.
  package func deleteTag(run id: String, _ key: String) async throws(HoneError) {
    try await write { db in
      let run = try Self.activeRun(db, id)
      try db.execute(literal: "DELETE FROM run_tags WHERE run = \(run) AND key = \(key)")
      guard db.changesCount > 0 else { throw notFound("tag", key) }
      if key == KnownTag.parentRunID { try db.execute(literal: "UPDATE runs SET parent = NULL WHERE seq = \(run)") }
    }
  }

  private static func setParam(_ db: Database, run: Int64, _ param: KeyValue) throws {
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO params VALUES (?, ?, ?)")
      .execute(arguments: [run, param.key, param.value])
    guard db.changesCount == 0 else { return }
    let known = try String.fetchOne(
      db.cachedStatement(sql: "SELECT value FROM params WHERE run = ? AND key = ?"), arguments: [run, param.key])
    guard known == param.value else {
      throw invalid(
        "params.\(shortened(param.key))",
        "This parameter is logged as \"\(shortened(known ?? ""))\" and cannot be changed.", got: param.value,
        remedy: "Log it under another key, or in another run.")
    }
  }

  static func addMetric(_ db: Database, run: Int64, _ metric: MetricPoint) throws {
    let value = metric.value.isNaN ? nil : metric.value
    let arguments: StatementArguments = [run, metric.key, metric.step, metric.timestamp, value]
    try db.cachedStatement(sql: "INSERT OR IGNORE INTO metrics VALUES (?, ?, ?, ?, ?)").execute(arguments: arguments)
    guard db.changesCount > 0 else { return }
    // -9e999 is SQLite's spelling of minus infinity: a NaN is less than any number.
    try db.cachedStatement(
      sql: """
        INSERT INTO latest_metrics VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value
        WHERE (excluded.step, excluded.timestamp, ifnull(excluded.value, -9e999))
          > (latest_metrics.step, latest_metrics.timestamp, ifnull(latest_metrics.value, -9e999))
        """
    ).execute(arguments: arguments)
  }

  /// The values at a metric's step.
  private static func standing(_ db: Database, run: Int64, _ metric: MetricPoint) throws -> [Double?] {
    try Row.fetchAll(
      db.cachedStatement(sql: "SELECT value FROM metrics WHERE run = ? AND key = ? AND step = ?"),
      arguments: [run, metric.key, metric.step]
    ).map { $0[0] as Double? }
  }

  /// Makes a metric the only point of its step.
  static func setMetric(_ db: Database, run: Int64, _ metric: MetricPoint) throws {
    let standing = try standing(db, run: run, metric)
    guard standing != [metric.value.isNaN ? nil : metric.value] else { return }
    if !standing.isEmpty {
      try db.execute(
        literal: "DELETE FROM metrics WHERE run = \(run) AND key = \(metric.key) AND step = \(metric.step)")
      try db.execute(literal: "DELETE FROM latest_metrics WHERE run = \(run) AND key = \(metric.key)")
      try db.execute(
        literal: """
          INSERT INTO latest_metrics SELECT run, key, step, timestamp, value FROM metrics
          WHERE run = \(run) AND key = \(metric.key)
          ORDER BY step DESC, timestamp DESC, ifnull(value, -9e999) DESC LIMIT 1
          """)
    }
    try addMetric(db, run: run, metric)
  }

  /// What the points of a metric are sorted by first.
  package enum HistoryOrder: String, Sendable { case step, timestamp }

  /// All points of a metric by step, then timestamp, or the other way round, a page at a time.
  package func metricHistory(
    run id: String, key: String, order: HistoryOrder = .step, maxResults: Int = 25_000, pageToken: String? = nil
  ) async throws(HoneError) -> Page<MetricPoint> {
    try checkPageSize(maxResults, 25_000)
    let query = "history \(id) \(key) \(order.rawValue)"
    let values = try PageToken.values(pageToken, count: 3, query: query)
    let columns = SQL(sql: order == .step ? "step, timestamp, rowid" : "timestamp, step, rowid")
    let after: SQL =
      if let values, let step = values[0].intValue, let timestamp = values[1].intValue, let row = values[2].intValue {
        order == .step
          ? "AND (\(columns)) > (\(step), \(timestamp), \(row))" : "AND (\(columns)) > (\(timestamp), \(step), \(row))"
      } else {
        ""
      }
    return try await read { db in
      guard let run = try Self.runSequence(db, id) else { throw notFound("run", id) }
      let rows = try SQLRequest<Row>(
        literal: """
          SELECT value, step, timestamp, rowid FROM metrics WHERE run = \(run) AND key = \(key) \(after)
          ORDER BY \(columns) LIMIT \(maxResults + 1)
          """
      ).fetchAll(db)
      let items = rows.prefix(maxResults).map { row in
        MetricPoint(key, row[0] as Double? ?? .nan, step: row[1], timestamp: row[2])
      }
      guard rows.count > maxResults else { return Page(items: items) }
      let last = rows[maxResults - 1]
      return Page(
        items: items,
        nextPageToken: PageToken.token([.int(last[1]), .int(last[2]), .int(last[3])], query: query))
    }
  }

  /// Notes the data that a run used. The same input again changes nothing.
  package func logInputs(run id: String, _ inputs: [DatasetInput]) async throws(HoneError) {
    for input in inputs where input.name.isEmpty || input.digest.isEmpty {
      throw invalid("datasets", "A dataset needs a name and a digest.")
    }
    try await write { db in
      let run = try Self.activeRun(db, id)
      for input in inputs {
        try db.cachedStatement(
          sql: """
            INSERT INTO datasets (experiment, name, digest, source_type, source, schema, profile)
            VALUES ((SELECT experiment FROM runs WHERE seq = ?), ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """
        ).execute(
          arguments: [
            run, input.name, input.digest, input.sourceType, input.source, input.schema, input.profile,
          ])
        try db.cachedStatement(
          sql: """
            INSERT OR IGNORE INTO inputs (run, dataset, context, tags) VALUES (?1, (SELECT id FROM datasets
              WHERE experiment = (SELECT experiment FROM runs WHERE seq = ?1) AND name = ?2 AND digest = ?3), ?4, ?5)
            """
        ).execute(
          arguments: [
            run, input.name, input.digest, input.context,
            input.tags.isEmpty ? nil : JSONValue.object(input.tags.object).text(),
          ])
      }
    }
  }

  /// How many runs, deleted ones included, have used data of that digest in that context.
  package func runs(using digest: String, as context: String) async throws(HoneError) -> Int {
    try await read { db in
      try Int.fetchOne(
        db,
        sql: """
          SELECT count(DISTINCT run) FROM inputs JOIN datasets ON datasets.id = inputs.dataset
          WHERE digest = ? AND context = ?
          """, arguments: [digest, context]) ?? 0
    }
  }

  /// Keeps how the examples of an evaluation came out; a row logged again replaces the earlier one.
  package func logResults(run id: String, _ rows: [EvaluationRow]) async throws(HoneError) {
    try await write { db in
      let run = try Self.activeRun(db, id)
      let statement = try db.cachedStatement(
        sql: "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      for row in rows {
        try statement.execute(
          arguments: [
            run, row.index, row.score, row.failed, row.errorKind, row.errorMessage?.storable, row.traceID?.data,
            row.exampleDigest?.data, row.raw?.text(), row.outputs.map { JSONValue.object($0).text() },
            row.feedback?.storable,
          ])
      }
    }
  }

  /// The rows of an evaluation by index, a page at a time.
  package func results(
    run id: String, maxResults: Int = 1000, pageToken: String? = nil
  ) async throws(HoneError) -> Page<EvaluationRow> {
    try checkPageSize(maxResults, 100_000)
    let after = try PageToken.offset(pageToken, query: "results \(id)") ?? -1
    var items = try await results(run: id, after: after, limit: maxResults + 1)
    guard items.count > maxResults else { return Page(items: items) }
    items.removeLast()
    return Page(items: items, nextPageToken: PageToken.offset(items[maxResults - 1].index, query: "results \(id)"))
  }

  /// The first rows of an evaluation behind that index.
  package func results(run id: String, after: Int, limit: Int) async throws(HoneError) -> [EvaluationRow] {
    try await read { db in
      guard let run = try Self.runSequence(db, id) else { throw notFound("run", id) }
      let statement = try db.cachedStatement(
        sql: """
          SELECT row, score, failed, error_kind, error_message, trace, example, raw, outputs, feedback FROM results
          WHERE run = ? AND row > ? ORDER BY row LIMIT ?
          """)
      var items: [EvaluationRow] = []
      let rows = try Row.fetchCursor(statement, arguments: [run, after, limit])
      while let row = try rows.next() {
        items.append(
          EvaluationRow(
            index: row[0], score: row[1], failed: row[2], errorKind: row[3], errorMessage: row[4],
            traceID: TraceID(data: row[5]), exampleDigest: ContentDigest(data: row[6]),
            raw: (row[7] as String?).flatMap { try? JSONReader.read($0) },
            outputs: (row[8] as String?).flatMap { try? JSONReader.read($0) }?.objectValue, feedback: row[9]))
      }
      return items
    }
  }
}
