import Basics
import Foundation
import GRDB
import JSON

/// The part of an examination that looks for runs whose process is gone.
extension StoreExamination {
  mutating func examineRuns(_ db: Database) throws {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT r.id, r.status IN ('RUNNING', 'SCHEDULED') AND r.deleted_ms IS NULL, l.host, l.pid, l.process_start,
          l.expires_ms, l.run
        FROM leases l JOIN runs r ON r.seq = l.run ORDER BY l.run
        """)
    var working = 0
    var dead: [String] = []
    var stale: [Int64] = []
    for row in rows {
      let owner = ProcessIdentity(host: row[2], pid: row[3], start: row[4])
      let isHeld = owner.isAlive ?? ((row[5] as Int) > nowInMilliseconds())
      if isHeld { working += 1 } else if row[1] { dead.append(row[0]) } else { stale.append(row[6]) }
    }
    if working > 0 { add(Observation("runs", .ok, "\(working) runs are being worked on.")) }
    if !dead.isEmpty {
      add(
        Observation(
          "runs", .warning, "The processes of \(dead.count) runs are gone: \(Self.list(dead)).",
          remedy: "hone doctor --repair, or the next service, marks them; then: hone resume \(dead[0])",
          details: ["runIds": .array(dead.map(JSONValue.string))]))
    }
    if !stale.isEmpty {
      let (path, runs) = (path, stale)
      add(
        Observation(
          "leases", .warning, "\(stale.count) leases of dead processes are left on runs that have ended.",
          remedy: "Run hone doctor --repair.")
      ) {
        var configuration = Configuration()
        configuration.busyMode = .callback(waitForLock)
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return false }
        defer { try? queue.close() }
        let deleted: Void? = try? queue.write { db in
          for run in runs { try db.execute(sql: "DELETE FROM leases WHERE run = ?", arguments: [run]) }
        }
        return deleted != nil
      }
    }
  }

  static func list(_ names: [String]) -> String {
    let shown = names.prefix(3).joined(separator: ", ")
    return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
  }
}
