import Basics
package import Failures
import GRDB
import Platform
import Synchronization

/// The runs this store holds leases on, so that `renewLeases` knows them.
final class HeldLeases: Sendable {
  /// The runs that this process works on, whichever of its stores they are in: a lease of its own on another run is one
  /// that could not be given up in writing.
  private static let ofProcess = Mutex<Set<String>>([])
  private let ofStore = Mutex<Set<String>>([])

  var runs: [String] { ofStore.withLock { $0.sorted() } }

  static func processHolds(_ run: String) -> Bool { ofProcess.withLock { $0.contains(run) } }

  func remove(_ run: String) {
    ofStore.withLock { _ = $0.remove(run) }
    Self.ofProcess.withLock { _ = $0.remove(run) }
  }

  /// Adds the run if `body`, which writes the lease, ends well; others see it as held from before.
  ///
  /// - Parameter isNew: whether a run that this process works on already is refused.
  func adding<Value>(
    _ run: String, isNew: Bool = false, _ body: () async throws(HoneError) -> Value
  ) async throws(HoneError) -> Value {
    let isAdded = Self.ofProcess.withLock { $0.insert(run).inserted }
    if isNew, !isAdded { throw Self.taken(run, by: ProcessIdentity.current.pid) }
    do throws(HoneError) {
      let value = try await body()
      ofStore.withLock { _ = $0.insert(run) }
      return value
    } catch {
      if isAdded { remove(run) }
      throw error
    }
  }

  static func taken(_ run: String, by pid: Int) -> HoneError {
    invalid(
      "runId", "Process \(pid) is working on this run.", got: run, remedy: "Wait for it, or end it, and try again.")
  }
}

/// Who this process is, in a way that no later process repeats.
struct ProcessIdentity: Sendable, Hashable {
  /// The machine since its last start.
  var host: String
  var pid: Int
  /// When the process began, in the kernel's own units.
  var start: String

  static let current = ProcessIdentity(host: machine, pid: Int(getpid()), start: startTime(of: Int(getpid())) ?? "")

  /// Whether the process still runs; nil where only its lease's expiry can tell (another machine).
  var isAlive: Bool? {
    if host != Self.machine { return nil }
    guard let now = Self.startTime(of: pid) else { return false }
    return now == start
  }

  private static let machine: String = {
    let boot = contents(of: "/proc/sys/kernel/random/boot_id").map { $0.prefix { $0 != "\n" } } ?? ""
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return "\(String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)) \(boot)"
  }()

  /// Field 22 of `/proc/<pid>/stat`. The command's name, field 2, may have spaces and parentheses.
  private static func startTime(of pid: Int) -> String? {
    guard let text = contents(of: "/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    // A zombie no longer works on anything.
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return String(fields[19])
  }

  private static func contents(of path: String) -> String? {
    let descriptor = System.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { System.close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = System.read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}

extension TrackingStore {
  /// How long a lease lasts unless renewed, in milliseconds; counts for processes on other machines.
  package static let leaseDuration = 60_000

  static func claim(_ id: String, number run: Int64, _ db: Database) throws {
    let me = ProcessIdentity.current
    if let owner = try owner(of: run, db), owner.identity != me, isHeld(id, owner.identity, expires: owner.expires) {
      throw HeldLeases.taken(id, by: owner.identity.pid)
    }
    try db.execute(
      literal: """
        INSERT OR REPLACE INTO leases
        VALUES (\(run), \(me.host), \(me.pid), \(me.start), \(nowInMilliseconds() + Self.leaseDuration))
        """)
  }

  private static func owner(of run: Int64, _ db: Database) throws -> (identity: ProcessIdentity, expires: Int)? {
    let row = try SQLRequest<Row>(
      literal: "SELECT host, pid, process_start, expires_ms FROM leases WHERE run = \(run)"
    ).fetchOne(db)
    return row.map { (ProcessIdentity(host: $0[0], pid: $0[1], start: $0[2]), $0[3]) }
  }

  /// The process that is working on a run; nil if none is.
  ///
  /// - Throws: `notFound`.
  package func processWorking(on id: String) async throws(HoneError) -> Int? {
    try await read { db in
      guard let run = try Self.runSequence(db, id) else { throw notFound("run", id) }
      guard let owner = try Self.owner(of: run, db), Self.isHeld(id, owner.identity, expires: owner.expires) else {
        return nil
      }
      return owner.identity.pid
    }
  }

  /// Prolongs all leases of this store; to be called some three times in `leaseDuration`.
  ///
  /// Returns the runs whose lease was lost to another process.
  @discardableResult
  package func renewLeases() async throws(HoneError) -> [String] {
    let me = ProcessIdentity.current
    let held = heldLeases.runs
    guard !held.isEmpty else { return [] }
    let lost = try await write { db in
      let statement = try db.cachedStatement(
        sql: """
          UPDATE leases SET expires_ms = ? WHERE run = (SELECT seq FROM runs WHERE id = ?)
            AND host = ? AND pid = ? AND process_start = ?
          """)
      var lost: [String] = []
      for run in held {
        try statement.execute(
          arguments: [nowInMilliseconds() + Self.leaseDuration, run, me.host, me.pid, me.start])
        if db.changesCount == 0 { lost.append(run) }
      }
      return lost
    }
    for run in lost { heldLeases.remove(run) }
    return lost
  }

  /// Ends this process's work on a run without writing it down: from now on the run is one that was cut off.
  package func giveUp(run id: String) { heldLeases.remove(id) }

  /// The unfinished runs whose owner is gone: its process has ended, or it runs elsewhere and its lease is over.
  ///
  /// Runs that nobody ever claimed are not among them.
  package func runsWithDeadLeases() async throws(HoneError) -> [RunInfo] {
    try await read { db in try Self.infos(db, Self.deadRuns(db)) }
  }

  /// Ends the runs whose owner is gone, and what is unfinished under them: they become `KILLED`, with these tags.
  ///
  /// Returns the runs themselves, without those under them. One that another process takes up at this moment stays.
  package func endDeadRuns(tags: [KeyValue]) async throws(HoneError) -> [RunInfo] {
    guard try await !runsWithDeadLeases().isEmpty else { return [] }
    return try await write { db in
      let dead = try Self.deadRuns(db)
      for run in dead {
        let all = try Int64.fetchAll(
          db,
          sql: """
            SELECT ?1 UNION ALL SELECT seq FROM runs WHERE parent = (SELECT id FROM runs WHERE seq = ?1)
              AND status IN ('RUNNING', 'SCHEDULED')
            """, arguments: [run])
        for run in all {
          try db.execute(
            literal: "UPDATE runs SET status = 'KILLED', end_ms = \(nowInMilliseconds()) WHERE seq = \(run)")
          for tag in tags { try Self.setTag(db, run: run, tag) }
        }
        try db.execute(literal: "DELETE FROM leases WHERE run = \(run)")
      }
      return try Self.infos(db, dead)
    }
  }

  private static func deadRuns(_ db: Database) throws -> [Int64] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT l.host, l.pid, l.process_start, l.expires_ms, l.run, r.id FROM leases l JOIN runs r ON r.seq = l.run
        WHERE r.status IN ('RUNNING', 'SCHEDULED') AND r.deleted_ms IS NULL ORDER BY l.run
        """)
    return rows.filter { row in
      !Self.isHeld(row[5], ProcessIdentity(host: row[0], pid: row[1], start: row[2]), expires: row[3])
    }.map { $0[4] }
  }

  /// The runs that some process works on, by number.
  static func heldRuns(_ db: Database) throws -> [Int64] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT l.host, l.pid, l.process_start, l.expires_ms, l.run, r.id FROM leases l JOIN runs r ON r.seq = l.run
        """)
    return rows.filter { row in
      Self.isHeld(row[5], ProcessIdentity(host: row[0], pid: row[1], start: row[2]), expires: row[3])
    }.map { $0[4] }
  }

  private static func isHeld(_ run: String, _ owner: ProcessIdentity, expires: Int) -> Bool {
    if owner == .current { return HeldLeases.processHolds(run) }
    return owner.isAlive ?? (expires > nowInMilliseconds())
  }
}
