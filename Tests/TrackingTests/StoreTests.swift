import Basics
import Failures
import Foundation
import GRDB
import Schema
import Testing

@testable import Tracking

@Suite struct StoreTests {
  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test func `Opening makes a private directory and database and nothing else`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home + "/deep/home")
      #expect(try mode(home + "/deep/home") == 0o700)
      #expect(try mode(home + "/deep/home/hone.sqlite") == 0o600)
      #expect(try mode(home + "/deep/home/hone.sqlite-wal") == 0o600)
      await store.close()
      #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/deep/home") == ["hone.sqlite"])
    }
  }

  @Test func `Opening an existing store takes no time`() async throws {
    try await withHome { home async throws in
      await (try TrackingStore.open(home: home)).close()
      let clock = ContinuousClock()
      var store: TrackingStore?
      let time = try clock.measure { store = try TrackingStore.open(home: home) }
      await store?.close()
      #expect(time < .seconds(10))
    }
  }

  @Test func `A store whose making was broken off is made at the next start`() async throws {
    try await withHome { home async throws in
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      // What is there after the migrator's first step, before the schema's own.
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in
        try db.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
      }
      try queue.close()
      let store = try TrackingStore.open(home: home)
      #expect(try await store.experiment(named: "made").name == "made")
      await store.close()
    }
  }

  @Test func `Reading only neither makes a store nor writes to one`() async throws {
    try await withHome { home async throws in
      #expect(await failure { _ = try TrackingStore.open(home: home, readOnly: true) }?.kind == .notFound)
      #expect(!FileManager.default.fileExists(atPath: home))
      let writable = try TrackingStore.open(home: home)
      let run = try await writable.createRun(NewRun())
      let store = try TrackingStore.open(home: home, readOnly: true)
      #expect(try await store.run(run.id) == run)
      #expect(await failure { _ = try await store.createRun(NewRun()) }?.kind == .storeUnavailable)
      let refusal = await failure { try await store.writeArtifact(run: run.id, path: "a", text: "") }
      #expect(refusal?.kind == .storeUnavailable)
      await store.close()
      await writable.close()
    }
  }

  @Test func `A newer schema is refused and left alone`() async throws {
    try await withHome { home async throws in
      await (try TrackingStore.open(home: home)).close()
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in try db.execute(sql: "PRAGMA user_version = 99") }
      try queue.close()
      let error = await failure { _ = try TrackingStore.open(home: home) }
      #expect(error?.kind == .storeUnavailable)
      #expect(error?.message.contains("newer Hone") == true)
      #expect(error?.message.contains("99") == true)
    }
  }

  @Test func `An older schema is copied before it is migrated`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home)
      let run = try await store.createRun(NewRun(name: "kept"))
      await store.close()
      let path = home + "/hone.sqlite"
      let pool = try DatabasePool(path: path)
      var migrator = StoreSchema.migrator
      migrator.registerMigration("next") { db in
        try db.execute(sql: "ALTER TABLE runs ADD COLUMN note TEXT; PRAGMA user_version = \(StoreSchema.version + 1)")
      }
      try StoreSchema.prepare(
        pool, home: home, path: path, readOnly: false, version: StoreSchema.version + 1, migrator: migrator)
      let backup = path + ".v\(StoreSchema.version).backup"
      #expect(try mode(backup) == 0o600)
      let copy = try DatabaseQueue(path: backup)
      let names = try await copy.read { db in try String.fetchAll(db, sql: "SELECT name FROM runs") }
      #expect(names == ["kept"])
      let columns = try await copy.read { db in try db.columns(in: "runs").map(\.name) }
      #expect(!columns.contains("note"))
      #expect(try await pool.read { db in try db.columns(in: "runs").map(\.name) }.contains("note"))
      try pool.close()
      // This version now meets a newer store.
      #expect(await failure { _ = try TrackingStore.open(home: home) }?.kind == .storeUnavailable)
      _ = run
    }
  }

  @Test func `Another program's database and a file that is no database are refused`() async throws {
    try await withHome { home async throws in
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in try db.execute(sql: "CREATE TABLE a (b)") }
      try queue.close()
      let error = await failure { _ = try TrackingStore.open(home: home) }
      #expect(error?.message.contains("not a tracking store") == true)
    }
    try await withHome { home async throws in
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      let text = String(repeating: "no database ", count: 1000)
      try text.write(toFile: home + "/hone.sqlite", atomically: true, encoding: .utf8)
      #expect(await failure { _ = try TrackingStore.open(home: home) }?.kind == .storeUnavailable)
    }
    try await withHome { home async throws in
      try "file".write(toFile: home, atomically: true, encoding: .utf8)
      #expect(await failure { _ = try TrackingStore.open(home: home) }?.kind == .storeUnavailable)
    }
  }

  @Test func `A full database fails the write alone and goes on once there is room`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.write { db in
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages + 2)")
      }
      let error = await failure {
        try await store.logParam(run: run.id, "long", String(repeating: "x", count: 1 << 20))
      }
      #expect(error?.kind == .storeUnavailable)
      #expect(error?.message.contains("disk is full") == true)
      try await store.write { db in _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = 1073741823") }
      try await store.logParam(run: run.id, "long", String(repeating: "x", count: 1 << 20))
      #expect(try await store.run(run.id).params.value(of: "long")?.count == 1 << 20)
      let check = try await store.read { db in try String.fetchOne(db, sql: "PRAGMA integrity_check") }
      #expect(check == "ok")
    }
  }

  @Test func `A failed write spares those that share its transaction`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.logParam(run: run.id, "fixed", "1")
      let outcomes = await withTaskGroup(of: Bool.self) { group in
        for index in 0..<200 {
          group.addTask {
            let bad = index.isMultiple(of: 5)
            return await failure {
              try await store.logParam(run: run.id, bad ? "fixed" : "p\(index)", bad ? "2" : "v")
            } == nil
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(outcomes == 160)
      #expect(try await store.run(run.id).params.count == 161)
    }
  }

  @Test func `After closing, reads and writes fail in words`() async throws {
    try await withHome { home async throws in
      let store = try TrackingStore.open(home: home)
      await store.close()
      #expect(await failure { _ = try await store.createRun(NewRun()) }?.kind == .storeUnavailable)
      #expect(await failure { _ = try await store.searchRuns() }?.kind == .storeUnavailable)
      #expect(await failure { _ = try store.answer(for: .of("x")) }?.kind == .storeUnavailable)
    }
  }

  @Test func `Two stores on one directory write at once and lose nothing`() async throws {
    try await withHome { home async throws in
      let stores = [try TrackingStore.open(home: home), try TrackingStore.open(home: home)]
      let run = try await stores[0].createRun(NewRun())
      await withTaskGroup(of: HoneError?.self) { group in
        for index in 0..<400 {
          let store = stores[index % 2]
          group.addTask {
            let metric = MetricPoint("loss", Double(index), step: index, timestamp: 1)
            return await failure { try await store.logMetric(run: run.id, metric) }
          }
        }
        for await error in group { #expect(error == nil) }
      }
      let history = try await stores[1].metricHistory(run: run.id, key: "loss")
      #expect(history.items.map(\.step) == Array(0..<400))
      #expect(try await stores[0].run(run.id).metric("loss") == 399)
      for store in stores { await store.close() }
    }
  }

  @Test func `Many stores may open a new directory at once`() async throws {
    try await withHome { home async throws in
      await withTaskGroup(of: HoneError?.self) { group in
        for _ in 0..<8 {
          group.addTask {
            await failure {
              let store = try TrackingStore.open(home: home)
              _ = try await store.createRun(NewRun())
              await store.close()
            }
          }
        }
        for await error in group { #expect(error == nil) }
      }
      let store = try TrackingStore.open(home: home)
      #expect(try await store.searchRuns().items.count == 8)
      await store.close()
    }
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
    (1_795_474_037_412, "2026-11-23T22:47:17.412Z"), (-1, "1969-12-31T23:59:59.999Z"),
    (7_258_118_399_999, "2199-12-31T23:59:59.999Z"),
  ])
  func `Times are written as RFC 3339`(milliseconds: Int, text: String) {
    #expect(rfc3339(milliseconds: milliseconds) == text)
    #expect(rfc3339(nanoseconds: milliseconds * 1_000_000) == text)
  }
}
