import Basics
package import Failures
import GRDB

/// The models that clients log.
extension TrackingStore {
  /// Makes a model, pending until `updateModel` says otherwise.
  ///
  /// - Throws: `notFound` for an unknown experiment; `invalidParams` for a bad key.
  package func createModel(
    experimentID: String, name: String, type: String = "", runID: String? = nil, params: [KeyValue] = [],
    tags: [KeyValue] = []
  ) async throws(HoneError) -> LoggedModel {
    for pair in params + tags { try checkKey(pair.key, "key") }
    let id = "m-" + randomRunID()
    return try await write { db in
      let experiment = try Self.experimentNumber(db, experimentID)
      let now = nowInMilliseconds()
      try db.cachedStatement(
        sql: """
          INSERT INTO models (id, experiment, name, type, status, run_id, created_ms, updated_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """
      ).execute(
        arguments: [
          id, experiment, name.storable, type.storable, LoggedModel.Status.pending.rawValue, runID, now, now,
        ])
      let sequence = db.lastInsertedRowID
      for param in params { try Self.put(param, "model_params", sequence, db) }
      for tag in tags { try Self.put(tag, "model_tags", sequence, db) }
      return try Self.models(db, [sequence])[0]
    }
  }

  /// - Throws: `notFound`.
  package func model(_ id: String) async throws(HoneError) -> LoggedModel {
    try await read { db in try Self.models(db, [Self.modelSequence(db, id)])[0] }
  }

  /// Changes what is given.
  ///
  /// - Throws: `notFound`; `invalidParams` for a bad key.
  @discardableResult
  package func updateModel(
    _ id: String, status: LoggedModel.Status? = nil, params: [KeyValue] = [], tags: [KeyValue] = [],
    removedTag: String? = nil
  ) async throws(HoneError) -> LoggedModel {
    for pair in params + tags { try checkKey(pair.key, "key") }
    return try await write { db in
      let sequence = try Self.modelSequence(db, id)
      if let status { try db.execute(literal: "UPDATE models SET status = \(status.rawValue) WHERE seq = \(sequence)") }
      for param in params { try Self.put(param, "model_params", sequence, db) }
      for tag in tags { try Self.put(tag, "model_tags", sequence, db) }
      if let removedTag {
        try db.execute(literal: "DELETE FROM model_tags WHERE model = \(sequence) AND key = \(removedTag)")
        guard db.changesCount > 0 else { throw notFound("tag", removedTag) }
      }
      try db.execute(literal: "UPDATE models SET updated_ms = \(nowInMilliseconds()) WHERE seq = \(sequence)")
      return try Self.models(db, [sequence])[0]
    }
  }

  /// Marks a model as deleted.
  ///
  /// - Throws: `notFound`.
  package func deleteModel(_ id: String) async throws(HoneError) {
    try await write { db in
      let sequence = try Self.modelSequence(db, id)
      try db.execute(literal: "UPDATE models SET deleted = 1 WHERE seq = \(sequence)")
    }
  }

  /// Notes that models came of a run.
  ///
  /// - Throws: `notFound` for an unknown run or model.
  package func logOutputs(run id: String, _ outputs: [ModelOutput]) async throws(HoneError) {
    try await write { db in
      let run = try Self.activeRun(db, id)
      for output in outputs {
        _ = try Self.modelSequence(db, output.modelID)
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?)")
          .execute(arguments: [run, output.modelID, output.step])
      }
    }
  }

  /// Keeps the latest value of metrics that a run measured on a model; unknown models are passed over.
  package func logModelMetrics(_ metrics: [(modelID: String, metric: MetricPoint)], run: String) async throws(HoneError)
  {
    try await write { db in
      for (id, metric) in metrics {
        try db.cachedStatement(
          sql: """
            INSERT INTO model_metrics SELECT seq, ?2, ?3, ?4, ?5, ?6 FROM models WHERE id = ?1
            ON CONFLICT DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, value = excluded.value
              WHERE (excluded.step, excluded.timestamp) >= (step, timestamp)
            """
        ).execute(
          arguments: [id, metric.key, run, metric.step, metric.timestamp, metric.value.isNaN ? nil : metric.value])
      }
    }
  }

  private static func put(_ pair: KeyValue, _ table: String, _ sequence: Int64, _ db: Database) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO \(table) VALUES (?, ?, ?)")
      .execute(arguments: [sequence, pair.key, pair.value.storable])
  }

  private static func modelSequence(_ db: Database, _ id: String) throws -> Int64 {
    let sequence = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT seq FROM models WHERE id = ? AND NOT deleted"), arguments: [id])
    guard let sequence else { throw notFound("logged model", id) }
    return sequence
  }

  /// Models by number, in the order asked for, in a fixed number of statements.
  static func models(_ db: Database, _ sequences: [Int64]) throws -> [LoggedModel] {
    let params = try pairs(db, table: "model_params", owner: "model", owners: sequences)
    let tags = try pairs(db, table: "model_tags", owner: "model", owners: sequences)
    var metrics: [Int64: [(metric: MetricPoint, runID: String)]] = [:]
    let measured = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT model, key, value, step, timestamp, run_id FROM model_metrics
          WHERE model IN (SELECT value FROM json_each(?)) ORDER BY model, key, run_id
          """), arguments: [jsonList(sequences)])
    while let row = try measured.next() {
      metrics[row[0], default: []].append(
        (MetricPoint(row[1], row[2] as Double? ?? .nan, step: row[3], timestamp: row[4]), row[5]))
    }
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT seq, id, experiment, name, type, status, run_id, created_ms, updated_ms FROM models
          WHERE seq IN (SELECT value FROM json_each(?))
          """), arguments: [jsonList(sequences)])
    var found: [Int64: LoggedModel] = [:]
    while let row = try rows.next() {
      let sequence: Int64 = row[0]
      found[sequence] = LoggedModel(
        id: row[1], experimentID: String(row[2] as Int), name: row[3], type: row[4],
        status: LoggedModel.Status(rawValue: row[5]) ?? .pending, runID: row[6], created: row[7], updated: row[8],
        params: params[sequence] ?? [], tags: tags[sequence] ?? [], metrics: metrics[sequence] ?? [])
    }
    return sequences.compactMap { found[$0] }
  }
}
