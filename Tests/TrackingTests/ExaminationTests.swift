import Basics
import Failures
import Foundation
import GRDB
import JSON
import RowStorage
import Schema
import Testing
import Traces

@testable import Tracking

@Suite struct ExaminationTests {
  private func problems(_ findings: [Observation]) -> [String] { findings.filter(\.isProblem).map(\.check) }

  /// A home with a run, an artifact and a trace, closed.
  private func furnish(_ home: String) async throws -> RunInfo {
    let store = try TrackingStore.open(home: home)
    let run = try await store.createRun(NewRun(name: "one"))
    try await store.writeTable(run: run.id, path: "table.json", TableRows([["a": 1]]))
    await store.record(typicalTrace(1, shared: demoMessages, runID: run.id))
    await store.close()
    return run.info
  }

  @Test func `A home that is not there yet, and one that is as it should be, are healthy`() async throws {
    try await withHome { home async throws in
      let before = try await StoreExamination.run(home: home)
      #expect(problems(before).isEmpty && before.map(\.check) == ["home"])
      #expect(!FileManager.default.fileExists(atPath: home))
      _ = try await furnish(home)
      let findings = try await StoreExamination.run(home: home)
      #expect(problems(findings).filter { $0 != "disk" }.isEmpty)
      #expect(Set(findings.map(\.check)).isSuperset(of: ["home", "disk", "database", "schema", "artifacts"]))
    }
  }

  @Test func `What is wrong is found, and repair mends what it can`() async throws {
    try await withHome { home async throws in
      let run = try await furnish(home)
      let files = FileManager.default
      try files.setAttributes([.posixPermissions: 0o644], ofItemAtPath: home + "/hone.sqlite")
      try files.createDirectory(atPath: home + "/artifacts/0/0123", withIntermediateDirectories: true)
      try "x".write(toFile: home + "/artifacts/0/0123/kept", atomically: true, encoding: .utf8)
      // Process 1 lives; no process has the largest number.
      let folder = home + "/artifacts/0/\(run.id)/artifacts"
      try "x".write(toFile: folder + "/.\(pid_t.max - 1)-5.part", atomically: true, encoding: .utf8)
      try "x".write(toFile: folder + "/.1-5.part", atomically: true, encoding: .utf8)
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in
        try db.execute(sql: "UPDATE runs SET status = 'FINISHED'")
        try db.execute(
          literal: "INSERT INTO leases SELECT seq, 'elsewhere', 1, '1', \(nowInMilliseconds() - 1) FROM runs")
      }
      try queue.close()

      let found = try await StoreExamination.run(home: home)
      #expect(problems(found).filter { $0 != "disk" }.sorted() == ["artifacts", "artifacts", "database", "leases"])
      #expect(found.filter(\.isProblem).allSatisfy { $0.remedy != nil })
      #expect(files.fileExists(atPath: home + "/artifacts/0/0123/kept"), "nothing is touched unasked")

      let mended = try await StoreExamination.run(home: home, repair: true)
      #expect(mended.filter(\.isRepaired).map(\.check).sorted() == ["artifacts", "artifacts", "database", "leases"])
      let after = try await StoreExamination.run(home: home)
      #expect(problems(after).filter { $0 != "disk" }.isEmpty)
      #expect(try files.contentsOfDirectory(atPath: folder).sorted() == [".1-5.part", "table.json"])
      let lost = try files.contentsOfDirectory(atPath: home + "/lost")
      #expect(lost.count == 1 && files.fileExists(atPath: home + "/lost/\(lost[0])/kept"))
    }
  }

  @Test func `A run whose process is gone is named with the command that resumes it`() async throws {
    try await withHome { home async throws in
      let run = try await furnish(home)
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in
        try db.execute(literal: "INSERT INTO leases SELECT seq, 'elsewhere', 1, '1', 0 FROM runs")
      }
      try queue.close()
      let finding = try #require(try await StoreExamination.run(home: home).first { $0.check == "runs" })
      #expect(finding.level == .warning && finding.message.contains(run.id))
      #expect(finding.remedy?.contains("hone resume \(run.id)") == true)
    }
  }

  @Test func `Damage, missing artifacts and lost spans are errors`() async throws {
    try await withHome { home async throws in
      let run = try await furnish(home)
      try FileManager.default.removeItem(atPath: home + "/artifacts/0/\(run.id)/artifacts/table.json")
      let queue = try DatabaseQueue(path: home + "/hone.sqlite")
      try await queue.write { db in
        try db.execute(sql: "DELETE FROM span_chunks")
        try db.execute(sql: "PRAGMA foreign_keys = OFF")
      }
      try await queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA foreign_keys = OFF; INSERT INTO params VALUES (77, 'stray', '1')")
      }
      try queue.close()
      let findings = try await StoreExamination.run(home: home, repair: true)
      #expect(
        Set(findings.filter { $0.level == .error }.map(\.check)).isSuperset(of: ["artifacts", "references", "traces"]))
      #expect(findings.first { $0.check == "artifacts" }?.message.contains("table.json") == true)
    }
    try await withHome { home async throws in
      _ = try await furnish(home)
      let file = try #require(FileHandle(forUpdatingAtPath: home + "/hone.sqlite"))
      try file.seek(toOffset: 8192 * 2)
      try file.write(contentsOf: Data(repeating: 0xA5, count: 8192 * 3))
      try file.close()
      let findings = try await StoreExamination.run(home: home)
      #expect(findings.contains { $0.check == "database" && $0.level == .error && $0.remedy != nil })
    }
  }

  @Test func `A newer schema and what is no store are errors, an older one is not`() async throws {
    try await withHome { home async throws in
      _ = try await furnish(home)
      func set(_ version: Int) throws {
        let queue = try DatabaseQueue(path: home + "/hone.sqlite")
        try queue.write { db in try db.execute(sql: "PRAGMA user_version = \(version)") }
        try queue.close()
      }
      try set(99)
      #expect(try await StoreExamination.run(home: home).contains { $0.check == "schema" && $0.level == .error })
      try set(max(1, StoreSchema.version - 1))
      let found = try await StoreExamination.run(home: home)
      let level = StoreSchema.version == 1 ? Observation.Level.ok : .note
      #expect(found.contains { $0.check == "schema" && $0.level == level })
    }
  }
}

/// Stores that cannot be written to.
@Suite struct ReadingTests {
  private static let reason = HoneError(.storeUnavailable, "It is so.", remedy: "Mend it.")

  /// A closed store beside which nothing can be made, not even by root: a directory stands where the log's index would.
  private func wallUp(_ home: String) async throws -> String {
    let store = try TrackingStore.open(home: home)
    let run = try await store.createRun(NewRun(name: "kept"))
    await store.close()
    try FileManager.default.createDirectory(atPath: home + "/hone.sqlite-shm/x", withIntermediateDirectories: true)
    return run.id
  }

  @Test func `Without room for a log, a closed store is read all the same`() async throws {
    try await withHome { home async throws in
      let run = try await wallUp(home)
      let error = await failure { _ = try TrackingStore.open(home: home) }
      #expect(error?.kind == .storeUnavailable)
      try await checkReading(home, run)
    }
  }

  private func checkReading(_ home: String, _ run: String) async throws {
    let store = try TrackingStore.open(home: home, readOnly: true, reason: Self.reason)
    let name = try await store.run(run).info.name
    #expect(name == "kept")
    let refusal = await failure { _ = try await store.createRun(NewRun()) }
    #expect(refusal?.message == "It is so.")
    #expect(refusal?.remedy == "Mend it.")
    await store.close()
  }

  @Test func `Each earlier schema is copied, then migrated, and keeps what it holds`() async throws {
    let versions = StoreSchema.migrator.migrations
    #expect(versions.count == StoreSchema.version)
    for (number, name) in versions.dropLast().enumerated() {
      try await withHome { home async throws in
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let path = home + "/hone.sqlite"
        let old = try DatabasePool(path: path)
        try StoreSchema.migrator.migrate(old, upTo: name)
        try await old.write { db in
          try db.execute(
            sql: """
              INSERT INTO runs (id, experiment, name, status, start_ms, user) VALUES (?, 0, 'old', 'FINISHED', 1, 'u')
              """, arguments: [String(repeating: "a", count: 32)])
        }
        try old.close()
        // Several processes may meet it at once; one migrates.
        let stores = try await withThrowingTaskGroup(of: TrackingStore.self) { group in
          for _ in 0..<4 { group.addTask { try TrackingStore.open(home: home) } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        for store in stores {
          #expect(try await store.searchRuns().items.map(\.info.name) == ["old"])
          await store.close()
        }
        let copy = try DatabaseQueue(path: path + ".v\(number + 1).backup")
        #expect(try await copy.read { db in try Int.fetchOne(db, sql: "PRAGMA user_version") } == number + 1)
        #expect(try await copy.read { db in try String.fetchAll(db, sql: "SELECT name FROM runs") } == ["old"])
        try copy.close()
      }
    }
  }
}
