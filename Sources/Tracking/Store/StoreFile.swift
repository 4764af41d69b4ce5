package import Failures
import Foundation
import GRDB
import Platform

extension TrackingStore {
  /// The database's name within the home directory.
  package static let fileName = "hone.sqlite"

  /// Opens the store in the directory `home`, making both if they do not exist (directory 0700, database
  /// 0600).
  ///
  /// A store of an older schema is copied to `hone.sqlite.v<N>.backup` and then migrated; one of a newer
  /// schema is refused. With `readOnly` nothing is made, changed or migrated.
  ///
  /// - Parameters:
  ///   - reason: why it is opened for reading only, which writes are then refused with.
  ///   - durability: what paid answers, bills and ends of runs survive.
  /// - Throws: `storeUnavailable` if the directory or the database cannot be used.
  package static func open(
    home: String, readOnly: Bool = false, reason: HoneError? = nil, durability: Durability = .power
  ) throws(HoneError) -> TrackingStore {
    // A file that may not grow is an error like another, not the end of the process.
    signal(SIGXFSZ, SIG_IGN)
    let path = path(in: home)
    if readOnly {
      guard isThere(in: home) else { throw missing(in: home) }
    } else {
      try makeDirectory(home)
      try makeFile(path)
      try StoreSchema.refuseNewer(path, home: home)
    }
    do {
      return try patiently {
        guard readOnly else { return try open(home: home, path, readOnly: false, nil, durability) }
        return try readingPath(path) { try open(home: home, $0, readOnly: true, reason, durability) }
      }
    } catch {
      var failure = storeError(error)
      failure.details["path"] = path
      throw failure
    }
  }

  private static func open(
    home: String, _ path: String, readOnly: Bool, _ reason: HoneError?, _ durability: Durability
  ) throws -> TrackingStore {
    let texts = SharedTexts(Lookups(path: path))
    let pool = try DatabasePool(path: path, configuration: configuration(readOnly: readOnly, texts: texts))
    try StoreSchema.prepare(pool, home: home, path: path, readOnly: readOnly)
    return TrackingStore(
      home: home, isReadOnly: readOnly, readOnlyReason: reason, durability: durability, pool: pool,
      lookups: Lookups(path: path), texts: texts)
  }

  /// Tries again where others are opening the store at the same moment: two that turn a new database to a write-ahead
  /// log, or one that does and one that closes it, are refused by SQLite at once, without the waiting that is set.
  private static func patiently<Opened>(_ open: () throws -> Opened) throws -> Opened {
    let end = ContinuousClock.now + .seconds(20)
    while true {
      do {
        return try open()
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && ContinuousClock.now < end {
        usleep(2_000)
      }
    }
  }

  /// Opens a database for reading, by its path; where that fails because there is no room for the companions that a
  /// database with a write-ahead log has (a directory that takes no files, a full disk), and there is no log, by a
  /// name that tells SQLite to do without them.
  static func readingPath<Opened>(_ path: String, _ open: (String) throws -> Opened) throws -> Opened {
    do {
      return try open(path)
    } catch let error as DatabaseError {
      let names: [ResultCode] = [.SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_FULL]
      guard names.contains(error.resultCode), (StoreExamination.size(path + "-wal") ?? 0) == 0,
        let name = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)
      else { throw error }
      return try open("file:\(name)?immutable=1")
    }
  }

  private static func configuration(readOnly: Bool, texts: SharedTexts) -> Configuration {
    var configuration = Configuration()
    configuration.label = "hone.tracking"
    configuration.readonly = readOnly
    configuration.maximumReaderCount = 4
    configuration.busyMode = .callback(waitForLock)
    configuration.prepareDatabase { db in
      // Only a database without a page yet takes the size, and that freed pages can be given back in steps. Rows of 1 to
      // 3 kB waste less of a bigger page.
      if !readOnly && !db.configuration.readonly {
        try db.execute(sql: "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL")
      }
      try db.execute(sql: "PRAGMA synchronous = NORMAL")
      addFunctions(to: db, texts: texts)
    }
    return configuration
  }

  /// `mkdir -p`, with 0700 for what is made.
  private static func makeDirectory(_ path: String) throws(HoneError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw HoneError(
          .storeUnavailable, "The home \(path) is not a directory.", remedy: "Choose a directory as the home.")
      }
      return
    }
    if let slash = path.dropLast().lastIndex(of: "/"), slash > path.startIndex {
      try makeDirectory(String(path[..<slash]))
    }
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw systemFailure("make the directory \(path)") }
  }

  /// Makes an empty file for the owner alone; SQLite gives its companions the same mode.
  private static func makeFile(_ path: String) throws(HoneError) {
    let descriptor = System.open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode: 0o600)
    guard descriptor >= 0 else { throw systemFailure("open \(path) for writing") }
    System.close(descriptor)
  }
}

/// A failed system call in words; reads `errno`.
func systemFailure(_ action: String) -> HoneError {
  let code = errno
  let remedy =
    switch code {
    case EACCES, EPERM, EROFS: "Check its permissions, or choose another home directory."
    case ENOSPC, EDQUOT: "Free some space on that disk."
    default: "Check the path."
    }
  return HoneError(
    .storeUnavailable, "Cannot \(action): \(String(cString: strerror(code))).", remedy: remedy,
    details: ["errno": "\(code)"])
}

/// Waits a little for another process's transaction, longer from the tenth time on; gives up after some 20 s.
///
/// SQLite's own waiting reaches 100 ms a step, which shows in the latency of a second process's writes.
func waitForLock(_ attempts: Int) -> Bool {
  usleep(attempts < 10 ? 500 : 2_000)
  return attempts < 8_000
}
