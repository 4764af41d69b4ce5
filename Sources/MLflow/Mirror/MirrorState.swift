import Failures
import Foundation
import GRDB

/// What a mirror remembers of a server: under which ids it knows our runs, and how much of each it has.
///
/// A small database of its own beside the store, so that an outage or a restart on either side loses no place.
final class MirrorState: Sendable {
  /// A run of the store and its counterpart.
  struct Counterpart: Sendable {
    var local: String
    var remote: String
    /// The server's path for the run's artifacts; nil where it takes none from us.
    var artifacts: String?
    /// What was sent last, in short.
    var fingerprint: String
    /// Whether the run was made there, not here.
    var isForeign: Bool
  }

  private let queue: DatabaseQueue

  init(path: String) throws(HoneError) {
    do {
      let isNew = !FileManager.default.fileExists(atPath: path)
      queue = try DatabaseQueue(path: path)
      if isNew { try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path) }
      try queue.write { db in
        try db.execute(
          sql: """
            CREATE TABLE IF NOT EXISTS runs (
              local TEXT PRIMARY KEY, remote TEXT NOT NULL UNIQUE, artifacts TEXT,
              fingerprint TEXT NOT NULL, is_foreign INTEGER NOT NULL
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS artifacts (
              run TEXT NOT NULL, path TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (run, path)
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
            """)
      }
    } catch {
      throw Self.failure(error)
    }
  }

  private static func failure(_ error: any Error) -> HoneError {
    HoneError(
      .storeUnavailable, "The mirror's state cannot be used: \(error)",
      remedy: "Check space and permissions of the folder outgoing in the home directory.")
  }

  private func write<T>(_ body: (Database) throws -> T) throws(HoneError) -> T {
    do { return try queue.write(body) } catch { throw Self.failure(error) }
  }

  private func read<T>(_ body: (Database) throws -> T) throws(HoneError) -> T {
    do { return try queue.read(body) } catch { throw Self.failure(error) }
  }

  private static func counterpart(_ row: Row) -> Counterpart {
    Counterpart(local: row[0], remote: row[1], artifacts: row[2], fingerprint: row[3], isForeign: row[4])
  }

  func counterpart(of local: String) throws(HoneError) -> Counterpart? {
    try read { db in
      try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE local = ?", arguments: [local]).map(Self.counterpart)
    }
  }

  func counterpart(remote: String) throws(HoneError) -> Counterpart? {
    try read { db in
      try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE remote = ?", arguments: [remote]).map(Self.counterpart)
    }
  }

  func keep(_ run: Counterpart) throws(HoneError) {
    try write { db in
      try db.execute(
        sql: "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
        arguments: [run.local, run.remote, run.artifacts, run.fingerprint, run.isForeign])
    }
  }

  /// What was sent of a run's artifact last, in short; nil where nothing was.
  func artifactVersion(_ run: String, _ path: String) throws(HoneError) -> String? {
    try read { db in
      try String.fetchOne(db, sql: "SELECT version FROM artifacts WHERE run = ? AND path = ?", arguments: [run, path])
    }
  }

  func keepArtifact(_ run: String, _ path: String, version: String) throws(HoneError) {
    try write { db in
      try db.execute(sql: "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?)", arguments: [run, path, version])
    }
  }

  func place(_ name: String) throws(HoneError) -> Int64? {
    try read { db in try Int64.fetchOne(db, sql: "SELECT place FROM places WHERE name = ?", arguments: [name]) }
  }

  func keepPlace(_ name: String, _ place: Int64) throws(HoneError) {
    try write { db in
      try db.execute(sql: "INSERT OR REPLACE INTO places VALUES (?, ?)", arguments: [name, place])
    }
  }

  func close() { try? queue.close() }
}
