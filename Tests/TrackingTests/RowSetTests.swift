import Basics
import Failures
import GRDB
import JSON
import RowStorage
import Testing

@testable import Tracking

@Suite struct RowSetTests {
  private static func long(_ count: Int) throws -> Rows {
    var builder = RowsBuilder(bound: 1000)
    for number in 0..<count {
      try builder.append(["q": .string("\(number) " + String(repeating: "text ", count: 2000)), "a": .int(number)])
    }
    return try builder.finish()
  }

  private func sets(_ store: TrackingStore) async throws -> (sets: Int, chunks: Int) {
    try await store.read { db in
      (
        try Int.fetchOne(db, sql: "SELECT count(*) FROM row_sets") ?? 0,
        try Int.fetchOne(db, sql: "SELECT count(*) FROM row_chunks") ?? 0
      )
    }
  }

  @Test func `Rows are kept once, come back as they were, and go with the last request that refers to them`()
    async throws
  {
    try await withStore { store async throws in
      let rows = try Self.long(300)
      let first = try await store.keepRows(rows)
      let again = try await store.keepRows(rows)
      let other = try await store.keepRows(try Self.long(3))
      #expect(first.id == again.id && first.id != other.id)
      #expect(Array(try await store.keptRows(first.digest)) == Array(rows))
      let runs = [
        try await store.beginRun(NewRun(), method: "evaluate", params: [:], rowSets: [first]),
        try await store.beginRun(NewRun(), method: "evaluate", params: [:], rowSets: [first, first]),
      ]
      // The other one is about to be referred to: so it stays.
      _ = try await store.collectGarbage()
      #expect(try await sets(store).sets == 2)
      try await store.write { db in try db.execute(sql: "UPDATE row_sets SET used_ms = used_ms - 61000") }
      _ = try await store.collectGarbage()
      #expect(try await sets(store).sets == 1)
      for (place, run) in runs.enumerated() {
        _ = try await store.endRun(run.id, status: .finished, seconds: 1, metrics: [], tags: [], result: nil)
        try await store.deleteRun(run.id)
        #expect(try await store.garbage().databaseBytes >= (place == 0 ? 0 : 1000))
        _ = try await store.collectGarbage()
        #expect(try await sets(store).chunks == 0 || place == 0)
      }
      #expect(try await sets(store).sets == 0)
      #expect(await failure { _ = try await store.keptRows(first.digest) }?.kind == .notFound)
    }
  }

  @Test func `A set that was not written to its end is none`() async throws {
    try await withStore { store async throws in
      let rows = try Self.long(200)
      let set = try await store.keepRows(rows)
      try await store.write { db in try db.execute(sql: "UPDATE row_sets SET rows = NULL") }
      #expect(await failure { _ = try await store.keptRows(set.digest) }?.kind == .notFound)
      let next = try await store.keepRows(rows)
      #expect(next.id != set.id)
      #expect(try await store.keptRows(next.digest).count == 200)
    }
  }
}
