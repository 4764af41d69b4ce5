package import Failures
import GRDB
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The runs this store holds leases on, so that `renewLeases` knows them.
final class HeldLeases: Sendable {
  let runs = Mutex<Set<String>>([])
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
    let descriptor = openDescriptor(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { closeDescriptor(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = readDescriptor(descriptor, into: &buffer)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }
}

extension TrackingStore {
  /// How long a lease lasts unless renewed, in milliseconds; counts for processes on other machines.
  package static let leaseDuration = 60_000

  /// Claims a run for this process. A dead owner's lease is taken over; a second claim renews.
  ///
  /// - Throws: `invalidParams` if a living process holds it; `notFound`.
  package func acquireLease(run id: String) async throws(HoneError) {
    let me = ProcessIdentity.current
    try await write { db in
      let run = try Self.activeRun(db, id)
      let row = try SQLRequest<Row>(
        literal: "SELECT host, pid, process_start, expires_ms FROM leases WHERE run = \(run)"
      ).fetchOne(db)
      if let row {
        let owner = ProcessIdentity(host: row[0], pid: row[1], start: row[2])
        if owner != me, Self.isHeld(owner, expires: row[3]) {
          throw invalid(
            "runId", "Process \(owner.pid) is working on this run.", got: id,
            remedy: "Wait for it, or end it, and try again.")
        }
      }
      try db.execute(
        literal: """
          INSERT OR REPLACE INTO leases
          VALUES (\(run), \(me.host), \(me.pid), \(me.start), \(nowInMilliseconds() + Self.leaseDuration))
          """)
    }
    heldLeases.runs.withLock { _ = $0.insert(id) }
  }

  /// Prolongs all leases of this store; to be called some three times in `leaseDuration`.
  ///
  /// Returns the runs whose lease was lost to another process.
  @discardableResult
  package func renewLeases() async throws(HoneError) -> [String] {
    let me = ProcessIdentity.current
    let held = heldLeases.runs.withLock { $0.sorted() }
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
    heldLeases.runs.withLock { $0.subtract(lost) }
    return lost
  }

  /// Gives a run free. No error if this process does not hold it.
  package func releaseLease(run id: String) async throws(HoneError) {
    let me = ProcessIdentity.current
    try await write { db in
      try db.execute(
        literal: """
          DELETE FROM leases WHERE run = (SELECT seq FROM runs WHERE id = \(id))
            AND host = \(me.host) AND pid = \(me.pid) AND process_start = \(me.start)
          """)
    }
    heldLeases.runs.withLock { _ = $0.remove(id) }
  }

  /// The unfinished runs whose owner is gone: its process has ended, or it runs elsewhere and its lease is over.
  ///
  /// Runs that nobody ever claimed are not among them.
  package func runsWithDeadLeases() async throws(HoneError) -> [RunInfo] {
    try await read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT l.host, l.pid, l.process_start, l.expires_ms, l.run FROM leases l JOIN runs r ON r.seq = l.run
          WHERE r.status IN ('RUNNING', 'SCHEDULED') AND r.deleted_ms IS NULL ORDER BY l.run
          """)
      let dead = rows.filter { row in
        !Self.isHeld(ProcessIdentity(host: row[0], pid: row[1], start: row[2]), expires: row[3])
      }
      return try Self.infos(db, dead.map { $0[4] })
    }
  }

  private static func isHeld(_ owner: ProcessIdentity, expires: Int) -> Bool {
    owner.isAlive ?? (expires > nowInMilliseconds())
  }
}
