import Failures
import Foundation
import GRDB
import Platform

extension TrackingStore {
  /// The bytes of the database and its log.
  var databaseSize: Int {
    let path = path
    return (StoreExamination.size(path) ?? 0) + (StoreExamination.size(path + "-wal") ?? 0)
  }

  /// The bytes of all pages of the database, wherever they are at the moment.
  func pagesSize() async throws(HoneError) -> Int {
    try await read { db in
      try ["page_count", "page_size"].reduce(1) { try $0 * (Int.fetchOne(db, sql: "PRAGMA \($1)") ?? 0) }
    }
  }
}

extension GarbageCollection {
  /// How many pages one transaction gives back: some MB.
  private static let pagesOfStep = 512
  /// What is left free when a database is written anew, in bytes.
  private static let reserve = 64 << 20

  /// Gives free pages back to the disk, in steps.
  ///
  /// A store that was made before pages could be given back in steps is written anew, once: that takes a moment in which
  /// nobody else can write, and space for a copy.
  mutating func giveBack() async throws(HoneError) {
    let (mode, free) = try await store.read { db in
      (try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") ?? 0, try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0)
    }
    if mode == 2 {
      try await giveBackInSteps(free)
    } else if free > 0 {
      try await writeAnew()
    }
    await store.emptyLog()
  }

  private func giveBackInSteps(_ free: Int) async throws(HoneError) {
    var left = free
    while left > 0 {
      try goOn()
      let rest = try await store.write { db in
        try db.execute(sql: "PRAGMA incremental_vacuum(\(Self.pagesOfStep))")
        return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
      }
      // Others use free pages, and free some.
      guard rest < left else { return }
      left = rest
      progress("\(left) of \(free) free pages to be given back")
    }
  }

  private mutating func writeAnew() async throws(HoneError) {
    if try await store.read({ db in try !TrackingStore.heldRuns(db).isEmpty }) {
      found.warnings.append(
        "The database keeps its size for now: it was made by an older Hone and has to be written anew once, which waits "
          + "until no run is under way. Free pages are used again meanwhile.")
      return
    }
    let need = store.databaseSize
    for (what, directory, need) in [
      ("the disk of the store", store.place, 2 * need + Self.reserve),
      ("the disk of \(Self.temporary)", Self.temporary, need),
    ] {
      var status = statvfs()
      guard statvfs(directory, &status) == 0 else { continue }
      let free = Int(status.f_bavail) * Int(status.f_frsize)
      guard free < need else { continue }
      found.warnings.append(
        "The database keeps its size: it was made by an older Hone and has to be written anew once, for which \(what) "
          + "lacks \((need - free + (1 << 20) - 1) >> 20) MiB. Free them and run the collection again.")
      return
    }
    progress("the database is written anew, once")
    try goOn()
    try await store.writeAnew()
  }

  /// Where SQLite puts the copy first.
  private static var temporary: String {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].compactMap { Environment.value($0) }
    return (named + ["/var/tmp", "/usr/tmp", "/tmp"]).first { access($0, W_OK | X_OK) == 0 } ?? "/tmp"
  }
}

extension TrackingStore {
  /// Writes the database anew, without free pages and such that pages can be given back in steps. Reads go on meanwhile.
  ///
  /// - Throws: `cancelled` where the task is cancelled; the database is then as before.
  fileprivate func writeAnew() async throws(HoneError) {
    do {
      try await pool.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try db.execute(sql: "VACUUM")
      }
    } catch {
      if Task.isCancelled { throw HoneError(.cancelled, "The collection was stopped; the database is as before.") }
      throw storeError(error)
    }
  }

  /// Brings what is committed into the database and empties the log, as far as no reader stands in the way.
  fileprivate func emptyLog() async {
    _ = try? await pool.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
  }
}
