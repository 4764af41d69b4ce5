package import Failures
import Foundation
import GRDB
import Traces

extension TrackingStore {
  /// Removes deleted runs for good, with everything that only they refer to, and gives the space back to the disk.
  ///
  /// It goes in steps, each a short transaction after which others have their turn, and each of which leaves a store that
  /// is right: the process may end between any two, or the task be cancelled, and the next collection goes on. What a run
  /// refers to that is not deleted stays, and so do the answers of runs that can be resumed.
  ///
  /// - Parameter progress: hears what is being done, and how much of it.
  /// - Throws: `cancelled`; what was removed by then is gone.
  package func collectGarbage(
    _ terms: CollectionTerms = CollectionTerms(), progress: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(HoneError) -> GarbageRecord {
    if let refusal { throw refusal }
    let size = try await pagesSize()
    var collection = GarbageCollection(store: self, progress: progress)
    try await collection.removeRuns()
    try await collection.removeTraces()
    try await collection.removeModels()
    try await collection.removeDatasets()
    try await collection.removeRowSets()
    if let before = terms.answersBefore { try await collection.removeAnswers(before) }
    try await collection.removeTexts()
    try await collection.removeFiles()
    try await collection.giveBack()
    collection.found.databaseBytes = max(0, size - (try await pagesSize()))
    return collection.found
  }
}

/// One collection under way: its steps, and what they have removed.
struct GarbageCollection {
  let store: TrackingStore
  let progress: @Sendable (String) -> Void
  var found: GarbageRecord

  /// How many traces, or other rows, one transaction removes.
  private static let step = 200
  private static let runsOfStep = 20
  private static let chunksOfStep = 20

  init(store: TrackingStore, progress: @escaping @Sendable (String) -> Void) {
    self.store = store
    self.progress = progress
    found = GarbageRecord(home: store.place, isDryRun: false)
  }

  /// To be called between two steps.
  func goOn() throws(HoneError) {
    guard Task.isCancelled else { return }
    throw HoneError(
      .cancelled, "The collection was stopped: \(found.runs) runs and \(found.traces) traces are removed so far.",
      remedy: "Start it again to go on.")
  }

  // MARK: Runs

  mutating func removeRuns() async throws(HoneError) {
    let (doomed, kept) = try await store.read { db in try Garbage.runs(db) }
    found.keptRuns = kept
    for start in stride(from: 0, to: doomed.count, by: Self.runsOfStep) {
      try goOn()
      let group = doomed[start..<min(start + Self.runsOfStep, doomed.count)]
      found.runs += try await store.write { db in
        let held = try TrackingStore.heldRuns(db)
        return try group.count { run in
          guard try Garbage.isDoomed(run, held: held, db) else { return false }
          try Self.remove(run, db)
          return true
        }
      }
      progress("\(found.runs) of \(doomed.count) runs removed")
    }
  }

  /// Removes a run's rows, and notes that its traces and files are to follow.
  private static func remove(_ run: Int64, _ db: Database) throws {
    let statements = [
      "INSERT OR IGNORE INTO removals SELECT 'run', id FROM runs WHERE seq = ?",
      "INSERT OR IGNORE INTO removals SELECT 'files', experiment || '/' || id FROM runs WHERE seq = ?",
      "DELETE FROM attempts WHERE run_id = (SELECT id FROM runs WHERE seq = ?)",
      "DELETE FROM settled WHERE run_id = (SELECT id FROM runs WHERE seq = ?)",
      "DELETE FROM runs WHERE seq = ?",
    ]
    for sql in statements { try db.cachedStatement(sql: sql).execute(arguments: [run]) }
  }

  // MARK: Traces

  /// Removes the traces of runs that are gone.
  mutating func removeTraces() async throws(HoneError) {
    // Hardly any trace has files of its own.
    let files = store.artifactFiles
    let owners = try await onThread { () throws(HoneError) in Set(try files.tracesWithFiles()) }
    while true {
      try goOn()
      let count: Int? = try await store.write { db in
        guard let run = try String.fetchOne(db, sql: "SELECT id FROM removals WHERE kind = 'run' LIMIT 1") else {
          return nil
        }
        let rows = try Row.fetchAll(
          db.cachedStatement(sql: "SELECT seq, id, ifnull(experiment, 0) FROM traces WHERE run_id = ? LIMIT ?"),
          arguments: [run, Self.step])
        for row in rows {
          if !owners.isEmpty, let id = TraceID(data: row[1]), owners.contains("\(row[2] as Int)/traces/\(id)") {
            try db.execute(
              sql: "INSERT OR IGNORE INTO removals VALUES ('files', ?)",
              arguments: ["\(row[2] as Int)/traces/\(id)"])
          }
          try TrackingStore.deleteTrace(row[0], db)
        }
        if rows.count < Self.step {
          try db.execute(sql: "DELETE FROM removals WHERE kind = 'run' AND id = ?", arguments: [run])
        }
        return rows.count
      }
      guard let count else { return }
      found.traces += count
      if count > 0 { progress("\(found.traces) traces removed") }
    }
  }

  // MARK: Models and data sets

  mutating func removeModels() async throws(HoneError) {
    found.models = try await repeated { db in
      let rows = try Row.fetchAll(db, sql: Garbage.models + " LIMIT \(Self.step)")
      for row in rows {
        try db.execute(
          sql: "INSERT OR IGNORE INTO removals VALUES ('files', ?)",
          arguments: ["\(row[2] as Int)/models/\(row[1] as String)"])
        try db.execute(sql: "DELETE FROM models WHERE seq = ?", arguments: [row[0] as Int64])
      }
      return rows.count
    }
  }

  mutating func removeDatasets() async throws(HoneError) {
    found.datasets = try await repeated { db in
      try db.execute(sql: "DELETE FROM datasets WHERE id IN (\(Garbage.datasets) LIMIT \(Self.step))")
      return db.changesCount
    }
  }

  mutating func removeRowSets() async throws(HoneError) {
    while true {
      try goOn()
      let isLast = try await store.write { db in
        guard let set = try Int64.fetchOne(db, sql: Garbage.rowSets + " LIMIT 1") else { return true }
        // A set whose first chunks are gone is none that anybody may meet.
        try db.execute(literal: "UPDATE row_sets SET rows = NULL WHERE id = \(set)")
        try db.execute(
          literal: """
            DELETE FROM row_chunks WHERE id IN (
              SELECT id FROM row_chunks WHERE id >= \(set << 20) AND id < \((set + 1) << 20) LIMIT \(Self.chunksOfStep))
            """)
        if db.changesCount < Self.chunksOfStep { try db.execute(literal: "DELETE FROM row_sets WHERE id = \(set)") }
        return false
      }
      if isLast { return }
    }
  }

  /// Does a step until it finds nothing more to remove; gives how much it removed.
  private func repeated(_ step: @escaping @Sendable (Database) throws -> Int) async throws(HoneError) -> Int {
    var sum = 0
    while true {
      try goOn()
      let count = try await store.write(step)
      sum += count
      if count < Self.step { return sum }
    }
  }

  // MARK: Answers

  /// Removes old answers. What they cost stays on the bills of runs.
  mutating func removeAnswers(_ before: Int) async throws(HoneError) {
    var last: Int64 = 0
    while true {
      try goOn()
      let place = last
      let (count, next) = try await store.write { db in
        let ids = try Row.fetchAll(
          db.cachedStatement(sql: Garbage.answers + " LIMIT \(Self.step)"), arguments: [place, before]
        ).map { $0[0] as Int64 }
        let list = jsonList(ids)
        try db.cachedStatement(
          sql: """
            INSERT INTO settled
            SELECT a.run_id, a.role, a.model, count(*), sum(a.input_tokens), sum(a.output_tokens), total(a.cost),
              sum(a.cost IS NULL), total(a.seconds), a.estimated
            FROM answers a JOIN runs r ON r.id = a.run_id
            WHERE a.id IN (SELECT value FROM json_each(?)) GROUP BY a.run_id, a.role, a.model, a.estimated
            ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,
              input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
              cost = cost + excluded.cost, unpriced = unpriced + excluded.unpriced, seconds = seconds + excluded.seconds
            """
        ).execute(arguments: [list])
        try db.cachedStatement(sql: "DELETE FROM answers WHERE id IN (SELECT value FROM json_each(?))")
          .execute(arguments: [list])
        return (ids.count, ids.last ?? place)
      }
      found.answers += count
      last = next
      if count > 0 { progress("\(found.answers) answers removed") }
      if count < Self.step { return }
    }
  }

  // MARK: Shared texts

  /// Removes the beginnings of prompts that no span refers to.
  ///
  /// All are doubted first. Whoever writes a reference takes the text out of doubt in the same transaction
  /// (`SharedTexts.keep`), and so does what is found here in the filters of all spans; what is left is garbage. A second
  /// collection that begins meanwhile doubts all again, so only the latest one may remove.
  mutating func removeTexts() async throws(HoneError) {
    while let rest = try await store.fillSpanFilters() {
      try goOn()
      progress("\(rest) traces to be indexed")
    }
    try goOn()
    let me = Int64.random(in: 0 ... .max)
    let doubted = try await store.write { db in
      try db.execute(sql: "INSERT OR REPLACE INTO progress VALUES ('collector', ?)", arguments: [me])
      try db.execute(sql: "INSERT OR IGNORE INTO doubtful_texts SELECT id FROM texts")
      return try Int.fetchOne(db, sql: "SELECT count(*) FROM doubtful_texts") ?? 0
    }
    found.texts = 0
    guard doubted > 0 else { return }
    let used = try await textsInUse()
    let clearing = Array(used)
    for start in stride(from: 0, to: clearing.count, by: Self.step) {
      try goOn()
      let group = clearing[start..<min(start + Self.step, clearing.count)]
      try await store.write { db in
        let statement = try db.cachedStatement(
          sql: """
            DELETE FROM doubtful_texts WHERE text IN (SELECT id FROM texts WHERE digest >= ? AND digest <= ?)
            """)
        for prefix in group {
          let (first, last) = SpanFilter.digests(beginning: prefix)
          try statement.execute(arguments: [first, last])
        }
      }
    }
    found.texts = try await repeated { db in
      guard try Int64.fetchOne(db, sql: "SELECT value FROM progress WHERE name = 'collector'") == me else { return 0 }
      let ids = jsonList(try Int64.fetchAll(db, sql: "SELECT text FROM doubtful_texts LIMIT \(Self.step)"))
      try db.execute(sql: "DELETE FROM texts WHERE id IN (SELECT value FROM json_each(?))", arguments: [ids])
      try db.execute(sql: "DELETE FROM doubtful_texts WHERE text IN (SELECT value FROM json_each(?))", arguments: [ids])
      return db.changesCount
    }
  }

  /// How the digests begin that any span refers to.
  private func textsInUse() async throws(HoneError) -> Set<UInt64> {
    var used: Set<UInt64> = []
    var last: Int64 = -1
    while true {
      try goOn()
      let place = last
      let (prefixes, next) = try await store.read { db -> (Set<UInt64>, Int64?) in
        var prefixes: Set<UInt64> = []
        var next: Int64?
        // Far more than any row of spans refers to; where one does refer to more, the second look takes all.
        let rows = try Row.fetchCursor(
          db.cachedStatement(
            sql:
              "SELECT id, substr(filter, 1, 258), length(filter) FROM span_filters WHERE id > ? ORDER BY id LIMIT 5000"),
          arguments: [place])
        while let row = try rows.next() {
          next = row[0]
          var beginning: Data = row[1]
          if beginning.count == 258, (row[2] as Int) > 258, beginning[1] > 0 || beginning[0] > 32 {
            beginning =
              try Data.fetchOne(db, sql: "SELECT filter FROM span_filters WHERE id = ?", arguments: [next]) ?? beginning
          }
          prefixes.formUnion(SpanFilter.prefixes(beginning))
        }
        return (prefixes, next)
      }
      guard let next else { return used }
      used.formUnion(prefixes)
      last = next
    }
  }
}
