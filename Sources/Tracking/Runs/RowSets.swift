package import Basics
import Compression
import Crypto
package import Failures
import Foundation
import GRDB
import JSON
import Platform
package import RowStorage

/// Rows of data that the store keeps apart from the requests which refer to them, each only once.
extension TrackingStore {
  /// About how many bytes of rows a chunk has before it is packed.
  private static let chunkBytes = 512 << 10
  /// The most that a chunk may unpack to: a single row may be longer than others.
  private static let longestChunk = 1 << 30

  /// Keeps rows, unless they are kept already; gives the number by which `beginRun` refers to them.
  ///
  /// A set that no request refers to goes with `collectGarbage`.
  package func keepRows(_ rows: Rows) async throws(HoneError) -> RowSet {
    let digest = Self.digest(of: rows)
    if let known = try await usedRowSet(digest) { return known }
    let set = try await write { db in
      try db.execute(
        literal: "INSERT INTO row_sets (digest, used_ms) VALUES (\(digest.data), \(nowInMilliseconds()))")
      return db.lastInsertedRowID
    }
    var chunk: [UInt8] = []
    var number: Int64 = 0
    func keep() async throws(HoneError) {
      let payload = Data(try deflated(chunk, effort: 1))
      let id = set << 20 + number
      try await write { db in
        try db.cachedStatement(sql: "INSERT INTO row_chunks VALUES (?, ?)").execute(arguments: [id, payload])
        try Self.touch(set, db)
      }
      number += 1
      chunk.removeAll(keepingCapacity: true)
    }
    for row in rows {
      chunk += JSONValue.object(row).encoded()
      chunk.append(UInt8(ascii: "\n"))
      guard chunk.count >= Self.chunkBytes else { continue }
      if Task.isCancelled { throw HoneError(.cancelled, "The request was cancelled.") }
      try await keep()
    }
    if !chunk.isEmpty { try await keep() }
    try rows.check()
    let count = rows.count
    try await write { db in try db.execute(literal: "UPDATE row_sets SET rows = \(count) WHERE id = \(set)") }
    return RowSet(id: set, digest: digest)
  }

  /// The rows with that digest.
  ///
  /// - Throws: `notFound`; `storeUnavailable`, also where they are damaged.
  package func keptRows(_ digest: ContentDigest) async throws(HoneError) -> Rows {
    guard let set = try await rowSet(digest) else { throw notFound("set of rows", digest.description) }
    var builder = RowsBuilder()
    var number: Int64 = 0
    while let payload = try await chunk(set.id << 20 + number) {
      if Task.isCancelled { throw HoneError(.cancelled, "The request was cancelled.") }
      let lines = try inflated(payload, limit: Self.longestChunk)
      for line in lines.split(separator: UInt8(ascii: "\n")) {
        guard case .object(let row)? = try? JSONReader.read(line) else { throw Self.damagedRows }
        do {
          try builder.append(row)
        } catch {
          throw Self.noRoom(error)
        }
      }
      number += 1
    }
    do {
      return try builder.finish()
    } catch {
      throw Self.noRoom(error)
    }
  }

  private func chunk(_ id: Int64) async throws(HoneError) -> Data? {
    try await read { db in
      try Data.fetchOne(db.cachedStatement(sql: "SELECT payload FROM row_chunks WHERE id = ?"), arguments: [id])
    }
  }

  /// The set with that digest, marked so that no collection takes it before a request refers to it.
  private func usedRowSet(_ digest: ContentDigest) async throws(HoneError) -> RowSet? {
    guard try await rowSet(digest) != nil else { return nil }
    return try await write { db in
      guard let set = try Self.rowSet(digest, db) else { return nil }
      try Self.touch(set.id, db)
      return set
    }
  }

  private static func touch(_ set: Int64, _ db: Database) throws {
    try db.execute(literal: "UPDATE row_sets SET used_ms = \(nowInMilliseconds()) WHERE id = \(set)")
  }

  private func rowSet(_ digest: ContentDigest) async throws(HoneError) -> RowSet? {
    try await read { db in try Self.rowSet(digest, db) }
  }

  private static func rowSet(_ digest: ContentDigest, _ db: Database) throws -> RowSet? {
    try Int64.fetchOne(
      db, sql: "SELECT id FROM row_sets WHERE digest = ? AND rows IS NOT NULL LIMIT 1", arguments: [digest.data]
    ).map { RowSet(id: $0, digest: digest) }
  }

  /// The SHA-256 of the rows as lines of compact JSON.
  private static func digest(of rows: Rows) -> ContentDigest {
    var hasher = SHA256()
    for row in rows {
      hasher.update(data: JSONValue.object(row).encoded())
      hasher.update(data: [UInt8(ascii: "\n")])
    }
    return ContentDigest(bytes: Array(hasher.finalize())) ?? ContentDigest.of("")
  }

  private static func noRoom(_ error: LocalFile.Failure) -> HoneError {
    HoneError(
      .storeUnavailable, "The rows of a data set cannot be put into a temporary file: \(error.reason).",
      remedy: "Make room, or name another directory in $TMPDIR.")
  }

  private static var damagedRows: HoneError {
    HoneError(.storeUnavailable, "The kept rows of a data set are damaged.", remedy: "Restore a backup of the store.")
  }
}

/// Rows that the store keeps.
package struct RowSet: Sendable {
  package var id: Int64
  package var digest: ContentDigest
}
