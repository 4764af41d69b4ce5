import Basics
package import Failures
import GRDB

extension TrackingStore {
  /// The longest name of an experiment, in characters.
  private static let nameLimit = 500

  /// The experiment of that name, made if there is none.
  ///
  /// - Throws: `invalidParams` for a name that is empty, too long or a deleted experiment's.
  package func experiment(named name: String) async throws(HoneError) -> Experiment {
    if let known = try await findExperiment(named: name), known.lifecycle == .active { return known }
    return try await makeExperiment(name, tags: [], mayExist: true)
  }

  /// Makes an experiment.
  ///
  /// - Throws: `invalidParams` for a name that is taken, empty or too long.
  package func createExperiment(name: String, tags: [KeyValue] = []) async throws(HoneError) -> Experiment {
    try await makeExperiment(name, tags: tags, mayExist: false)
  }

  private func makeExperiment(
    _ name: String, tags: [KeyValue], mayExist: Bool
  ) async throws(HoneError) -> Experiment {
    guard !name.isEmpty else { throw invalid("experiment", "The name is empty.") }
    guard name.count <= Self.nameLimit else {
      throw invalid("experiment", "The name has more than \(Self.nameLimit) characters.", got: name)
    }
    let name = name.storable
    for tag in tags { try checkKey(tag.key, "tag") }
    return try await write { db in
      if let known = try Self.experiments(db, where: "name = \(name)").first {
        guard mayExist else { throw invalid("experiment", "The name is taken.", got: name) }
        guard known.lifecycle == .active else {
          throw invalid(
            "experiment", "Experiment \(known.id) of this name is deleted.", got: name,
            remedy: "Restore it, or take another name.")
        }
        return known
      }
      let now = nowInMilliseconds()
      try db.execute(literal: "INSERT INTO experiments (name, created_ms, updated_ms) VALUES (\(name), \(now), \(now))")
      let id = db.lastInsertedRowID
      for tag in tags {
        let value = tag.value.storable
        try db.execute(literal: "INSERT OR REPLACE INTO experiment_tags VALUES (\(id), \(tag.key), \(value))")
      }
      return try Self.experiments(db, where: "id = \(id)")[0]
    }
  }

  /// The experiment of that name, deleted ones included; nil if there is none.
  package func findExperiment(named name: String) async throws(HoneError) -> Experiment? {
    try await read { db in try Self.experiments(db, where: "name = \(name)").first }
  }

  /// - Throws: `notFound`.
  package func experiment(id: String) async throws(HoneError) -> Experiment {
    try await read { db in
      guard let number = Int(id), let found = try Self.experiments(db, where: "id = \(number)").first else {
        throw notFound("experiment", id)
      }
      return found
    }
  }

  /// Experiments, the newest first, a page at a time.
  package func experiments(
    view: ViewType = .activeOnly, maxResults: Int = 1000, pageToken: String? = nil
  ) async throws(HoneError) -> Page<Experiment> {
    try checkPageSize(maxResults, 50_000)
    let before = try PageToken.offset(pageToken, query: "experiments \(view.rawValue)") ?? Int.max
    return try await read { db in
      let shown: SQL =
        switch view {
        case .activeOnly: "deleted = 0"
        case .deletedOnly: "deleted = 1"
        case .all: "1"
        }
      var found = try Self.experiments(db, where: "\(shown) AND id < \(before)", limit: maxResults + 1)
      guard found.count > maxResults else { return Page(items: found) }
      found.removeLast()
      let token = found.last.flatMap { Int($0.id) }.map {
        PageToken.offset($0, query: "experiments \(view.rawValue)")
      }
      return Page(items: found, nextPageToken: token)
    }
  }

  static func experiments(_ db: Database, where condition: SQL, limit: Int = 1) throws -> [Experiment] {
    let query: SQL = """
      SELECT id, name, deleted, created_ms, updated_ms FROM experiments
      WHERE \(condition) ORDER BY id DESC LIMIT \(limit)
      """
    var found = try SQLRequest<Row>(literal: query).fetchAll(db).map { row in
      Experiment(
        id: String(row[0] as Int), name: row[1], lifecycle: row[2] ? .deleted : .active, created: row[3],
        updated: row[4], tags: [])
    }
    let tags = try pairs(db, table: "experiment_tags", owner: "experiment", owners: found.compactMap { Int64($0.id) })
    for index in found.indices { found[index].tags = Int64(found[index].id).flatMap { tags[$0] } ?? [] }
    return found
  }

  package func setExperimentTag(_ id: String, key: String, value: String) async throws(HoneError) {
    try checkKey(key, "tag")
    try await write { db in
      let number = try Self.experimentNumber(db, id)
      try db.execute(literal: "INSERT OR REPLACE INTO experiment_tags VALUES (\(number), \(key), \(value.storable))")
    }
  }

  package func deleteExperimentTag(_ id: String, key: String) async throws(HoneError) {
    try await write { db in
      let number = try Self.experimentNumber(db, id)
      try db.execute(literal: "DELETE FROM experiment_tags WHERE experiment = \(number) AND key = \(key)")
    }
  }

  /// - Throws: `invalidParams` if the name is taken; `notFound`.
  package func renameExperiment(_ id: String, to name: String) async throws(HoneError) {
    guard !name.isEmpty, name.count <= Self.nameLimit else {
      throw invalid("name", "A name has 1 to \(Self.nameLimit) characters.", got: name)
    }
    try await write { db in
      let number = try Self.experimentNumber(db, id)
      let taken = try SQLRequest<Int>(
        literal: "SELECT id FROM experiments WHERE name = \(name) AND id <> \(number)"
      ).fetchOne(db)
      guard taken == nil else { throw invalid("name", "The name is taken.", got: name) }
      try db.execute(
        literal: "UPDATE experiments SET name = \(name), updated_ms = \(nowInMilliseconds()) WHERE id = \(number)")
    }
  }

  /// Marks an experiment as deleted, or as active again; its runs stay.
  package func setLifecycle(_ lifecycle: Lifecycle, ofExperiment id: String) async throws(HoneError) {
    try await write { db in
      let number = try Self.experimentNumber(db, id)
      if number == 0 && lifecycle == .deleted {
        throw invalid("experiment", "The experiment 0 (Default) cannot be deleted.")
      }
      try db.execute(
        literal: """
          UPDATE experiments SET deleted = \(lifecycle == .deleted), updated_ms = \(nowInMilliseconds())
          WHERE id = \(number)
          """)
    }
  }

  /// The experiment's number, if it exists.
  static func experimentNumber(_ db: Database, _ id: String) throws -> Int {
    guard let number = Int(id),
      try Bool.fetchOne(
        db.cachedStatement(sql: "SELECT 1 FROM experiments WHERE id = ?"), arguments: [number]) == true
    else { throw notFound("experiment", id) }
    return number
  }
}

/// The key-value rows of many owners in one statement, each list in the order of its keys.
func pairs(_ db: Database, table: String, owner: String, owners: [Int64]) throws -> [Int64: [KeyValue]] {
  guard !owners.isEmpty else { return [:] }
  let statement = try db.cachedStatement(
    sql: """
      SELECT \(owner), key, value FROM \(table)
      WHERE \(owner) IN (SELECT value FROM json_each(?)) ORDER BY \(owner), key
      """)
  var result: [Int64: [KeyValue]] = [:]
  let rows = try Row.fetchCursor(statement, arguments: [jsonList(owners)])
  while let row = try rows.next() {
    result[row[0], default: []].append(KeyValue(row[1], row[2]))
  }
  return result
}

/// Integers as a JSON array, to be bound as one value.
func jsonList(_ numbers: [Int64]) -> String {
  "[" + numbers.map(String.init).joined(separator: ",") + "]"
}

/// - Throws: `invalidParams` for a key that is empty, longer than 250 characters or has control characters.
func checkKey(_ key: String, _ what: String) throws(HoneError) {
  guard !key.isEmpty else { throw invalid(what, "A key is empty.") }
  guard key.utf8.count <= 1000, key.count <= 250 else {
    throw invalid(what, "A key has more than 250 characters.", got: key)
  }
  guard !key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
    throw invalid(what, "A key has control characters.", got: key)
  }
}

func checkPageSize(_ size: Int, _ limit: Int) throws(HoneError) {
  guard (1...limit).contains(size) else {
    throw invalid("maxResults", "Expected a whole number from 1 to \(limit), got \(size).", got: String(size))
  }
}
