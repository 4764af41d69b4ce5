import Foundation
import GRDB
import JSON
import Platform
import Traces

/// The part of an examination that compares the files of artifacts with what the database says of them.
extension StoreExamination {
  private var root: String { home + "/artifacts" }

  mutating func examineArtifacts(_ db: Database) throws {
    let (strangers, leftovers, count) = try survey(db)
    try examineMissing(db)
    if strangers.isEmpty, leftovers.isEmpty, count > 0 {
      add(Observation("artifacts", .ok, "\(count) runs, models and traces have artifacts."))
    }
    if !strangers.isEmpty {
      let (root, home) = (root, home)
      add(
        Observation(
          "artifacts", .warning,
          "\(strangers.count) directories of artifacts belong to nothing: \(Self.list(strangers)).",
          remedy: "Run hone doctor --repair, which moves them to \(home)/lost.",
          details: ["directories": .array(strangers.map(JSONValue.string))])
      ) {
        guard mkdir(home + "/lost", 0o700) == 0 || errno == EEXIST else { return false }
        return strangers.allSatisfy { name in
          rename("\(root)/\(name)", "\(home)/lost/\(name.replacing("/", with: "-"))-\(time(nil))") == 0
        }
      }
    }
    if !leftovers.isEmpty {
      add(
        Observation(
          "artifacts", .warning, "\(leftovers.count) files are left of writes that were broken off.",
          remedy: "Run hone doctor --repair, which removes them.",
          details: ["files": .array(leftovers.prefix(100).map(JSONValue.string))])
      ) { leftovers.allSatisfy { unlink($0) == 0 } }
    }
  }

  /// The directories of nothing, the parts left by processes that are gone, and how many directories are known.
  private func survey(_ db: Database) throws -> (strangers: [String], leftovers: [String], known: Int) {
    let files = FileManager.default
    var strangers: [String] = []
    var leftovers: [String] = []
    var known = 0
    for name in owners() {
      if try isKnown(name, db) { known += 1 } else { strangers.append(name) }
      // Links are not followed: whatever they name is none of ours.
      guard let entries = files.enumerator(atPath: "\(root)/\(name)") else { continue }
      for case let entry as String in entries where entry.hasSuffix(".part") {
        let file = entry.split(separator: "/").last ?? ""
        guard file.hasPrefix("."), let pid = pid_t(file.dropFirst().prefix { $0 != "-" }), pid > 0 else { continue }
        if kill(pid, 0) != 0, errno == ESRCH { leftovers.append("\(root)/\(name)/\(entry)") }
      }
    }
    return (strangers, leftovers, known)
  }

  /// What has a directory: `{experiment}/{run}`, `{experiment}/models/{model}`, `{experiment}/traces/{trace}`.
  private func owners() -> [String] {
    names(in: root).filter { Int($0) != nil }.flatMap { experiment in
      names(in: "\(root)/\(experiment)").flatMap { name in
        let path = "\(experiment)/\(name)"
        return name == "models" || name == "traces" ? names(in: "\(root)/\(path)").map { "\(path)/\($0)" } : [path]
      }
    }
  }

  private func isKnown(_ owner: String, _ db: Database) throws -> Bool {
    let parts = owner.split(separator: "/").map(String.init)
    let (sql, id): (String, any DatabaseValueConvertible) =
      if parts.count == 2 {
        ("SELECT experiment FROM runs WHERE id = ?", parts[1])
      } else if parts[1] == "models" {
        ("SELECT experiment FROM models WHERE id = ?", parts[2])
      } else {
        ("SELECT ifnull(experiment, 0) FROM traces WHERE id = ?", TraceID(parts[2])?.data ?? Data())
      }
    return try Int.fetchOne(db.cachedStatement(sql: sql), arguments: [id]).map(String.init) == parts[0]
  }

  private func names(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
  }

  /// Tables that a run's tags name and finished searches' programs, whose files are not there.
  private mutating func examineMissing(_ db: Database) throws {
    var missing: [String] = []
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT r.experiment, r.id, t.value FROM run_tags t JOIN runs r ON r.seq = t.run
        WHERE t.key = ? AND r.deleted_ms IS NULL
        """, arguments: [KnownTag.loggedArtifacts])
    for row in rows {
      let entries = (row[2] as String?).flatMap { try? JSONReader.read($0) }?.arrayValue ?? []
      for path in entries.compactMap({ $0["path"]?.stringValue }) {
        let place = "\(row[0] as Int)/\(row[1] as String)/artifacts/\(path)"
        if Self.size("\(root)/\(place)") == nil { missing.append(place) }
      }
    }
    guard !missing.isEmpty else { return }
    add(
      Observation(
        "artifacts", .error, "\(missing.count) artifacts are missing: \(Self.list(missing)).",
        remedy: "Restore them from a backup, or delete their runs.",
        details: ["paths": .array(missing.prefix(100).map(JSONValue.string))]))
  }
}
