import Foundation
import GRDB
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The part of an examination that compares the files of artifacts with what the database says of them.
extension StoreExamination {
  private var root: String { home + "/artifacts" }

  mutating func examineArtifacts(_ db: Database) throws {
    let known = try Set(
      Row.fetchAll(db, sql: "SELECT experiment, id FROM runs").map { "\($0[0] as Int)/\($0[1] as String)" })
    let (strangers, leftovers, count) = survey(known)
    try examineMissing(db)
    if strangers.isEmpty, leftovers.isEmpty, count > 0 {
      add(Observation("artifacts", .ok, "\(count) runs have artifacts."))
    }
    if !strangers.isEmpty {
      let (root, home) = (root, home)
      add(
        Observation(
          "artifacts", .warning,
          "\(strangers.count) directories of artifacts belong to no run: \(Self.list(strangers)).",
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

  /// The directories of no run, the parts left by processes that are gone, and how many runs have a directory.
  private func survey(_ known: Set<String>) -> (strangers: [String], leftovers: [String], runs: Int) {
    let files = FileManager.default
    var strangers: [String] = []
    var leftovers: [String] = []
    var runs = 0
    for experiment in names(in: root) where Int(experiment) != nil {
      for run in names(in: "\(root)/\(experiment)") {
        let name = "\(experiment)/\(run)"
        if known.contains(name) { runs += 1 } else { strangers.append(name) }
        // Links are not followed: whatever they name is none of ours.
        guard let entries = files.enumerator(atPath: "\(root)/\(name)") else { continue }
        for case let entry as String in entries where entry.hasSuffix(".part") {
          let file = entry.split(separator: "/").last ?? ""
          guard file.hasPrefix("."), let pid = pid_t(file.dropFirst().prefix { $0 != "-" }), pid > 0 else { continue }
          if kill(pid, 0) != 0, errno == ESRCH { leftovers.append("\(root)/\(name)/\(entry)") }
        }
      }
    }
    return (strangers, leftovers, runs)
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
