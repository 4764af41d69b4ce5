package import Failures
import Foundation
import GRDB
import JSON
import Platform

/// Looks at a home directory from outside, without opening the store: what is there, whether it is sound, and whether
/// there is room for more. Changes nothing unless it is asked to repair, and then only what cannot harm.
package struct StoreExamination {
  let home: String
  let repairs: Bool
  private(set) var findings: [Observation] = []

  /// Less free space than this is worth a warning, in bytes; a sixteenth of it is an error.
  private static let scarceSpace = 256 << 20
  /// A write-ahead log of this size is no longer emptied by itself, in bytes.
  private static let longLog = 64 << 20

  var path: String { home.hasSuffix("/") ? home + TrackingStore.fileName : home + "/" + TrackingStore.fileName }

  private init(home: String, repairs: Bool) {
    self.home = home
    self.repairs = repairs
  }

  /// Examines the home directory.
  package static func run(home: String, repair: Bool = false) async throws(HoneError) -> [Observation] {
    try await onThread {
      var examination = StoreExamination(home: home, repairs: repair)
      examination.examine()
      return examination.findings
    }
  }

  private mutating func examine() {
    guard examineHome() else { return }
    examineSpace()
    examineBackups()
    guard examineFile() else { return }
    do {
      let database = try openDatabase()
      defer { try? database.close() }
      guard try database.unsafeRead({ db in try examineSchema(db) }) else { return }
      try database.unsafeRead { db in
        examineSoundness(db)
        try examineRuns(db)
        try examineArtifacts(db)
      }
    } catch {
      let failure = storeError(error)
      add(Observation("database", .error, failure.message, remedy: failure.remedy, details: details(failure)))
    }
    examineLog()
  }

  mutating func add(_ finding: Observation) { findings.append(finding) }

  /// Notes something wrong, or that it has been mended.
  mutating func add(_ finding: Observation, repair: () -> Bool) {
    var finding = finding
    if repairs { finding.isRepaired = repair() }
    findings.append(finding)
  }

  private func details(_ failure: HoneError) -> JSONObject {
    var details = JSONObject(failure.details.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) })
    if let cause = failure.cause { details["cause"] = .string(cause) }
    return details
  }

  // MARK: Files

  private mutating func examineHome() -> Bool {
    var status = stat()
    guard stat(home, &status) == 0 else {
      if errno == ENOENT {
        add(
          Observation(
            "home", .note,
            "There is no store at \(TrackingStore.place(of: home)) yet; a compile or an evaluate makes one."))
      } else {
        add(unreadable("home", home))
      }
      return false
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      add(
        Observation("home", .error, "The home \(home) is not a directory.", remedy: "Choose a directory as the home."))
      return false
    }
    if !examineMode("home", home, status) { return true }
    if access(home, R_OK | W_OK | X_OK) != 0 {
      let reason = String(cString: strerror(errno))
      add(
        Observation(
          "home", .error, "The home \(home) cannot be written to (\(reason)): runs can be read but not made.",
          remedy: "Make the directory writable for this user, or choose another home."))
    } else {
      add(Observation("home", .ok, home))
    }
    return true
  }

  /// Whether the file or directory is this user's alone.
  private mutating func examineMode(_ check: String, _ path: String, _ status: stat) -> Bool {
    guard status.st_uid == geteuid() else {
      add(
        Observation(
          check, .warning, "\(path) belongs to user \(status.st_uid), not to this one (\(geteuid())).",
          remedy: "Run as that user, or change the owner."))
      return false
    }
    let mode = status.st_mode & 0o777
    guard mode & 0o077 != 0 else { return true }
    let right = mode & 0o700
    add(
      Observation(
        check, .warning, "\(path) is open to other users (mode \(String(mode, radix: 8))).",
        remedy: "Run chmod \(String(right, radix: 8)) on it, or hone doctor --repair.")
    ) { chmod(path, right) == 0 }
    return false
  }

  private func unreadable(_ check: String, _ path: String) -> Observation {
    Observation(
      check, .error, "\(path) cannot be examined: \(String(cString: strerror(errno))).",
      remedy: "Check the permissions of it and of the directories above.")
  }

  private mutating func examineSpace() {
    var status = statvfs()
    guard statvfs(home, &status) == 0 else { return }
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    let level: Observation.Level =
      free < Self.scarceSpace / 16 ? .error : free < Self.scarceSpace ? .warning : .ok
    add(
      Observation(
        "disk", level, "\(free >> 20) MiB are free on the disk of the store.",
        remedy: level == .ok ? nil : "Free some space before the next run.", details: ["freeBytes": .int(free)]))
  }

  private mutating func examineBackups() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
    let backups = names.filter { $0.hasPrefix(TrackingStore.fileName + ".v") && $0.hasSuffix(".backup") }.sorted()
    guard !backups.isEmpty else { return }
    add(
      Observation(
        "backups", .note, "Copies from before a migration: \(backups.joined(separator: ", ")).",
        remedy: "Delete them once you no longer need them.",
        details: ["files": .array(backups.map(JSONValue.string))]))
  }

  private mutating func examineFile() -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT {
        add(
          Observation(
            "database", .note,
            "There is no store at \(TrackingStore.place(of: home)) yet; a compile or an evaluate makes one."))
      } else {
        add(unreadable("database", path))
      }
      return false
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      add(
        Observation(
          "database", .error, "\(path) is not a regular file.", remedy: "Move it away, or choose another home."))
      return false
    }
    guard access(path, R_OK) == 0 else {
      add(unreadable("database", path))
      return false
    }
    if examineMode("database", path, status), access(path, W_OK) != 0 {
      add(
        Observation(
          "database", .error, "\(path) cannot be written to: \(String(cString: strerror(errno))).",
          remedy: "Make the file writable for this user."))
    }
    return true
  }

  private mutating func examineLog() {
    let size = Self.size(path + "-wal") ?? 0
    guard size > Self.longLog else { return }
    let (path, isWritable) = (path, access(path, W_OK) == 0)
    add(
      Observation(
        "log", .warning, "The write-ahead log has \(size >> 20) MiB; it is emptied once no reader uses it.",
        remedy: "End processes that hold the store open for long, then run hone doctor --repair.",
        details: ["bytes": .int(size)])
    ) {
      guard isWritable, let queue = try? DatabaseQueue(path: path) else { return false }
      try? queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
      try? queue.close()
      return (Self.size(path + "-wal") ?? 0) < size
    }
  }

  static func size(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  // MARK: The database

  private func openDatabase() throws -> DatabaseQueue {
    try TrackingStore.readingPath(path) { path in
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .callback(waitForLock)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      _ = try queue.unsafeRead { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") }
      return queue
    }
  }

  /// Whether the tables are those that this version knows.
  private mutating func examineSchema(_ db: Database) throws -> Bool {
    let found: Int
    do {
      found = try StoreSchema.versionFound(db, home: home, version: StoreSchema.version)
    } catch {
      let failure = storeError(error)
      add(Observation("schema", .error, failure.message, remedy: failure.remedy))
      return false
    }
    let details: JSONObject = ["found": .int(found), "known": .int(StoreSchema.version)]
    guard found == StoreSchema.version else {
      add(
        Observation(
          "schema", .note, "The schema is \(found), older than \(StoreSchema.version).",
          remedy: "The next run copies the database beside it, then migrates it.", details: details))
      return false
    }
    add(Observation("schema", .ok, "Schema \(found).", details: details))
    return true
  }

  private mutating func examineSoundness(_ db: Database) {
    do {
      let damages = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
      let strays = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { "\($0[0] as String? ?? "?")" }
      if damages.isEmpty, strays.isEmpty {
        let counts = try ["runs", "traces", "answers"].map { table in
          "\(try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0) \(table)"
        }
        add(
          Observation(
            "database", .ok, "Sound: \(counts.joined(separator: ", ")); \((Self.size(path) ?? 0) >> 10) KiB.",
            details: ["bytes": .int(Self.size(path) ?? 0), "logBytes": .int(Self.size(path + "-wal") ?? 0)]))
      }
      if !damages.isEmpty {
        add(
          Observation(
            "database", .error, "The database is damaged: \(damages[0])",
            remedy: "Copy the home directory, then restore a backup, or save what can be read with sqlite3's .recover.",
            details: ["damages": .array(damages.map(JSONValue.string))]))
      }
      if !strays.isEmpty {
        let tables = Set(strays).sorted()
        add(
          Observation(
            "references", .error, "\(strays.count) rows of \(tables.joined(separator: ", ")) belong to nothing.",
            remedy: "Restore a backup.", details: ["rows": .int(strays.count)]))
      }
      let hollow = try Int.fetchOne(
        db,
        sql: """
          SELECT count(*) FROM traces t WHERE span_count > 0
            AND NOT EXISTS (SELECT 1 FROM span_chunks WHERE id >= t.seq << 20 AND id < (t.seq + 1) << 20)
          """)
      if let hollow, hollow > 0 {
        add(Observation("traces", .error, "\(hollow) traces have lost their spans.", remedy: "Restore a backup."))
      }
    } catch {
      let failure = storeError(error)
      add(Observation("database", .error, failure.message, remedy: failure.remedy, details: details(failure)))
    }
  }
}
