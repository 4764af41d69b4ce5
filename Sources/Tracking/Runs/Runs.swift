import Basics
package import Failures
import GRDB
import JSON

/// MLflow's tag names that carry meaning here.
package enum KnownTag {
  package static let parentRunID = "mlflow.parentRunId"
  package static let runName = "mlflow.runName"
  package static let user = "mlflow.user"
  package static let sourceName = "mlflow.source.name"
  package static let sourceType = "mlflow.source.type"
  package static let loggedArtifacts = "mlflow.loggedArtifacts"
}

extension TrackingStore {
  /// Makes a run, `RUNNING`. The parent and the name may come as MLflow's tags, too.
  ///
  /// - Throws: `invalidParams` for a malformed or taken id; `notFound` for an unknown experiment or parent.
  package func createRun(_ new: NewRun) async throws(HoneError) -> Run {
    let insertion = try RunInsertion(new)
    return try await write { db in try Self.runs(db, [insertion.run(in: db)])[0] }
  }

  /// Changes what is given. A final status without an end time ends the run now.
  ///
  /// - Throws: `notFound`; `invalidParams` if the run is deleted.
  @discardableResult
  package func updateRun(
    _ id: String, status: RunStatus? = nil, endTime: Int? = nil, name: String? = nil
  ) async throws(HoneError) -> RunInfo {
    try await write { db in
      let sequence = try Self.activeRun(db, id)
      if let status {
        // A run that goes on again has no end.
        let end = endTime ?? (status.isFinal ? nowInMilliseconds() : nil)
        try db.cachedStatement(sql: "UPDATE runs SET status = ?, end_ms = ? WHERE seq = ?")
          .execute(arguments: [status.rawValue, end, sequence])
      } else if let endTime {
        try db.cachedStatement(sql: "UPDATE runs SET end_ms = ? WHERE seq = ?").execute(arguments: [endTime, sequence])
      }
      if let name { try Self.setTag(db, run: sequence, KeyValue(KnownTag.runName, name)) }
      return try Self.infos(db, [sequence])[0]
    }
  }

  /// Marks a run as deleted; nothing of it is removed until `collectGarbage`.
  package func deleteRun(_ id: String) async throws(HoneError) {
    try await setDeleted(id, nowInMilliseconds())
  }

  package func restoreRun(_ id: String) async throws(HoneError) {
    try await setDeleted(id, nil)
  }

  private func setDeleted(_ id: String, _ time: Int?) async throws(HoneError) {
    try await write { db in
      guard let sequence = try Self.runSequence(db, id) else { throw notFound("run", id) }
      try db.execute(literal: "UPDATE runs SET deleted_ms = \(time) WHERE seq = \(sequence)")
    }
  }

  /// A run with its parameters, latest metrics, tags and inputs, deleted or not.
  ///
  /// - Throws: `notFound`.
  package func run(_ id: String) async throws(HoneError) -> Run {
    try await read { db in
      guard let sequence = try Self.runSequence(db, id) else { throw notFound("run", id) }
      return try Self.runs(db, [sequence])[0]
    }
  }

  /// The active runs whose parent is `id`, in the order they began.
  package func children(of id: String) async throws(HoneError) -> [Run] {
    try await read { db in
      let sequences = try Int64.fetchAll(
        db.cachedStatement(
          sql: "SELECT seq FROM runs WHERE parent = ? AND deleted_ms IS NULL ORDER BY start_ms, seq"),
        arguments: [id])
      return try Self.runs(db, sequences)
    }
  }

  static func runSequence(_ db: Database, _ id: String) throws -> Int64? {
    try Int64.fetchOne(db.cachedStatement(sql: "SELECT seq FROM runs WHERE id = ?"), arguments: [id])
  }

  /// The number of a run that may be logged to.
  static func activeRun(_ db: Database, _ id: String) throws -> Int64 {
    let row = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT seq, deleted_ms IS NOT NULL FROM runs WHERE id = ?"), arguments: [id])
    guard let row else { throw notFound("run", id) }
    guard !(row[1] as Bool) else {
      throw invalid("runId", "The run is deleted.", got: id, remedy: "Restore it first.")
    }
    return row[0]
  }

  /// Sets a tag; those that name the run or its parent change the run, too.
  static func setTag(_ db: Database, run: Int64, _ tag: KeyValue) throws {
    let tag = KeyValue(tag.key, tag.value.storable)
    try db.cachedStatement(
      sql: "INSERT INTO run_tags VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
    ).execute(arguments: [run, tag.key, tag.value])
    let column =
      switch tag.key {
      case KnownTag.runName: "name"
      case KnownTag.parentRunID: "parent"
      case KnownTag.user: "user"
      default: ""
      }
    guard !column.isEmpty else { return }
    try db.cachedStatement(sql: "UPDATE runs SET \(column) = ? WHERE seq = ?").execute(arguments: [tag.value, run])
  }

  /// Runs by number, in the order asked for, in a fixed number of statements.
  static func runs(_ db: Database, _ sequences: [Int64]) throws -> [Run] {
    let infos = try infos(db, sequences)
    let params = try pairs(db, table: "params", owner: "run", owners: sequences)
    let tags = try pairs(db, table: "run_tags", owner: "run", owners: sequences)
    let metrics = try latestMetrics(db, sequences)
    let inputs = try inputs(db, sequences)
    let outputs = try outputs(db, sequences)
    return zip(sequences, infos).map { sequence, info in
      Run(
        info: info, params: params[sequence] ?? [], metrics: metrics[sequence] ?? [], tags: tags[sequence] ?? [],
        inputs: inputs[sequence] ?? [], outputs: outputs[sequence] ?? [])
    }
  }

  static func infos(_ db: Database, _ sequences: [Int64]) throws -> [RunInfo] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT seq, id, experiment, parent, name, status, start_ms, end_ms, user, deleted_ms IS NOT NULL
        FROM runs WHERE seq IN (SELECT value FROM json_each(?))
        """)
    var found: [Int64: RunInfo] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [jsonList(sequences)])
    while let row = try rows.next() {
      found[row[0]] = RunInfo(
        id: row[1], experimentID: String(row[2] as Int), parentID: row[3], name: row[4],
        status: RunStatus(rawValue: row[5]) ?? .running, startTime: row[6], endTime: row[7], user: row[8],
        lifecycle: row[9] ? .deleted : .active)
    }
    return sequences.compactMap { found[$0] }
  }

  private static func latestMetrics(_ db: Database, _ sequences: [Int64]) throws -> [Int64: [MetricPoint]] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT run, key, value, step, timestamp FROM latest_metrics
        WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, key
        """)
    var result: [Int64: [MetricPoint]] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [jsonList(sequences)])
    while let row = try rows.next() {
      result[row[0], default: []].append(
        MetricPoint(row[1], row[2] as Double? ?? .nan, step: row[3], timestamp: row[4]))
    }
    return result
  }

  private static func inputs(_ db: Database, _ sequences: [Int64]) throws -> [Int64: [DatasetInput]] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT i.run, d.name, d.digest, d.source_type, d.source, d.schema, d.profile, i.context, i.tags
        FROM inputs i JOIN datasets d ON d.id = i.dataset
        WHERE i.run IN (SELECT value FROM json_each(?)) ORDER BY i.run, i.dataset, i.context
        """)
    var result: [Int64: [DatasetInput]] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [jsonList(sequences)])
    while let row = try rows.next() {
      result[row[0], default: []].append(
        DatasetInput(
          name: row[1], digest: row[2], sourceType: row[3], source: row[4], schema: row[5], profile: row[6],
          context: row[7], tags: (row[8] as String?).map(Self.storedPairs) ?? []))
    }
    return result
  }

  /// The members of a stored JSON object of strings.
  private static func storedPairs(_ text: String) -> [KeyValue] {
    guard let object = (try? JSONReader.read(text))?.objectValue else { return [] }
    return object.compactMap { key, value in value.stringValue.map { KeyValue(key, $0) } }
  }

  private static func outputs(_ db: Database, _ sequences: [Int64]) throws -> [Int64: [ModelOutput]] {
    let statement = try db.cachedStatement(
      sql:
        "SELECT run, model, step FROM outputs WHERE run IN (SELECT value FROM json_each(?)) ORDER BY run, step, model")
    var result: [Int64: [ModelOutput]] = [:]
    let rows = try Row.fetchCursor(statement, arguments: [jsonList(sequences)])
    while let row = try rows.next() {
      result[row[0], default: []].append(ModelOutput(modelID: row[1], step: row[2]))
    }
    return result
  }
}

/// A new run, checked and made ready to be inserted.
struct RunInsertion: Sendable {
  let id: String
  private let new: NewRun
  private let name: String
  private let parent: String?
  private let user: String
  private let start: Int
  private let tags: [KeyValue]

  init(_ new: NewRun) throws(HoneError) {
    self.new = new
    id = new.id ?? randomRunID()
    guard isRunID(id) else {
      throw invalid("runId", "A run's id has 32 lowercase hexadecimal digits.", got: id)
    }
    for tag in new.tags { try checkKey(tag.key, "tag") }
    name = (new.name ?? new.tags.value(of: KnownTag.runName) ?? RunNames.name(for: id)).storable
    parent = new.parentID ?? new.tags.value(of: KnownTag.parentRunID)
    user = (new.user ?? new.tags.value(of: KnownTag.user) ?? "").storable
    start = new.startTime ?? nowInMilliseconds()
    var tags = new.tags.filter { $0.key != KnownTag.runName && $0.key != KnownTag.parentRunID }
    tags.append(KeyValue(KnownTag.runName, name))
    if let parent { tags.append(KeyValue(KnownTag.parentRunID, parent)) }
    if let user = new.user { tags.append(KeyValue(KnownTag.user, user)) }
    if let name = new.sourceName { tags.append(KeyValue(KnownTag.sourceName, name)) }
    if let type = new.sourceType { tags.append(KeyValue(KnownTag.sourceType, type)) }
    self.tags = tags
  }

  /// Inserts the run and returns its number.
  func run(in db: Database) throws -> Int64 {
    let experiment = try TrackingStore.experimentNumber(db, new.experimentID)
    if let parent, new.needsParent, try TrackingStore.runSequence(db, parent) == nil {
      throw notFound("parent run", parent)
    }
    if try TrackingStore.runSequence(db, id) != nil {
      throw invalid("runId", "There is a run of this id already.", got: id)
    }
    try db.cachedStatement(
      sql: """
        INSERT INTO runs (id, experiment, parent, name, status, start_ms, user) VALUES (?, ?, ?, ?, 'RUNNING', ?, ?)
        """
    ).execute(arguments: [id, experiment, parent, name, start, user])
    let sequence = db.lastInsertedRowID
    // What belonged to a run of this id, and was not removed yet, is this one's.
    try db.cachedStatement(sql: "DELETE FROM removals WHERE (kind = 'run' AND id = ?) OR (kind = 'files' AND id = ?)")
      .execute(arguments: [id, "\(experiment)/\(id)"])
    for tag in tags { try TrackingStore.setTag(db, run: sequence, tag) }
    return sequence
  }
}
