import Basics
package import Failures
import Foundation
import GRDB
import Traces

/// An import under way: names what it made, so that all of it can be taken away again.
package struct ImportMark: Sendable, Hashable {
  /// The tag of imported runs. While their import is under way, and of the experiments and traces that it makes, its value
  /// says which process imports; afterwards, on runs, when that was.
  package static let tag = "hone.import"
  private static let beginning = "under way\t"

  let value: String

  /// A mark of its own for each import.
  package init() {
    let me = ProcessIdentity.current
    value = Self.beginning + [me.host, String(me.pid), me.start, randomRunID()].joined(separator: "\t")
  }

  init(value: String) { self.value = value }

  /// The marks that match this in SQL.
  fileprivate static var pattern: String { beginning + "%" }

  /// Whether its process has ended without an end of the import.
  fileprivate var isBroken: Bool {
    let parts = value.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let pid = Int(parts[2]) else { return false }
    return ProcessIdentity(host: parts[1], pid: pid, start: parts[3]).isAlive == false
  }
}

/// How an imported run ends.
package struct ImportedEnd: Sendable {
  package var run: String
  package var status: RunStatus
  /// Milliseconds since 1970, UTC.
  package var endTime: Int?
  package var isDeleted: Bool

  package init(run: String, status: RunStatus, endTime: Int?, isDeleted: Bool) {
    self.run = run
    self.status = status
    self.endTime = endTime
    self.isDeleted = isDeleted
  }
}

extension TrackingStore {
  /// The experiment of that name; made, with these tags and the import's mark, if there is none.
  ///
  /// - Throws: as `experiment(named:)`.
  package func importExperiment(
    named name: String, tags: [KeyValue], _ mark: ImportMark
  ) async throws(HoneError) -> Experiment {
    if let known = try await findExperiment(named: name) {
      return known.lifecycle == .active ? known : try await experiment(named: name)
    }
    return try await createExperiment(name: name, tags: tags + [KeyValue(ImportMark.tag, mark.value)])
  }

  /// Makes a run with the import's mark.
  ///
  /// - Throws: as `createRun`.
  package func importRun(_ new: NewRun, _ mark: ImportMark) async throws(HoneError) {
    var new = new
    new.tags.append(KeyValue(ImportMark.tag, mark.value))
    _ = try await createRun(new)
  }

  /// Ends an import: all at once its runs get the status they had.
  package func finishImport(_ mark: ImportMark, _ ends: [ImportedEnd]) async throws(HoneError) {
    try await write { db in
      let now = nowInMilliseconds()
      try db.execute(
        literal: """
          DELETE FROM trace_tags WHERE key = \(ImportMark.tag) AND value = \(mark.value) AND trace IN (
            SELECT t.seq FROM traces t JOIN runs r ON r.id = t.run_id JOIN run_tags g ON g.run = r.seq
            WHERE g.key = \(ImportMark.tag) AND g.value = \(mark.value))
          """)
      for end in ends {
        guard let run = try Self.runSequence(db, end.run) else { throw notFound("run", end.run) }
        try db.execute(
          literal: """
            UPDATE runs SET status = \(end.status.rawValue), end_ms = \(end.endTime),
              deleted_ms = \(end.isDeleted ? now : nil) WHERE seq = \(run)
            """)
        try Self.setTag(db, run: run, KeyValue(ImportMark.tag, rfc3339(milliseconds: now)))
      }
      try db.execute(
        literal: "DELETE FROM experiment_tags WHERE key = \(ImportMark.tag) AND value = \(mark.value)")
    }
  }

  /// Takes away all that an import made.
  package func discardImport(_ mark: ImportMark) async throws(HoneError) {
    await flush()
    let directories = try await write { db in
      // Each as the names below the root of artifacts.
      var directories: [[String]] = []
      let runs = try Row.fetchAll(
        db,
        sql: """
          SELECT r.seq, r.id, r.experiment FROM runs r JOIN run_tags g ON g.run = r.seq WHERE g.key = ? AND g.value = ?
          """, arguments: [ImportMark.tag, mark.value])
      for run in runs {
        let traces = try Int64.fetchAll(
          db,
          sql: """
            SELECT t.seq FROM traces t JOIN trace_tags g ON g.trace = t.seq
            WHERE t.run_id = ? AND g.key = ? AND g.value = ?
            """, arguments: [run[1] as String, ImportMark.tag, mark.value])
        for trace in traces { try Self.deleteTrace(trace, db) }
        // What belongs to a run goes with it.
        try db.execute(literal: "DELETE FROM runs WHERE seq = \(run[0] as Int64)")
        directories.append([String(run[2] as Int), run[1]])
      }
      try db.execute(
        literal: """
          DELETE FROM datasets WHERE id NOT IN (SELECT dataset FROM inputs) AND experiment IN (
            SELECT experiment FROM experiment_tags WHERE key = \(ImportMark.tag) AND value = \(mark.value))
          """)
      let empty = try SQLRequest<Int>(
        literal: """
          SELECT id FROM experiments WHERE id IN (
              SELECT experiment FROM experiment_tags WHERE key = \(ImportMark.tag) AND value = \(mark.value))
            AND id NOT IN (SELECT experiment FROM runs) AND id NOT IN (SELECT experiment FROM models)
            AND id NOT IN (SELECT experiment FROM traces WHERE experiment IS NOT NULL)
          """
      ).fetchAll(db)
      for experiment in empty {
        try db.execute(literal: "DELETE FROM experiments WHERE id = \(experiment)")
        directories.append([String(experiment)])
      }
      try db.execute(
        literal: "DELETE FROM experiment_tags WHERE key = \(ImportMark.tag) AND value = \(mark.value)")
      return directories
    }
    let files = artifactFiles
    try await onThread { () throws(HoneError) in
      for directory in directories {
        guard let name = directory.last, let above = try files.directory(directory.dropLast(), making: false) else {
          continue
        }
        _ = try files.remove(name, from: above, depth: 0)
      }
    }
  }

  /// Takes away what imports left whose process was killed.
  package func discardBrokenImports() async throws(HoneError) {
    let marks = try await read { db in
      try String.fetchAll(
        db,
        sql: """
          SELECT DISTINCT value FROM run_tags WHERE key = ?1 AND value LIKE ?2
          UNION SELECT value FROM experiment_tags WHERE key = ?1 AND value LIKE ?2
          """, arguments: [ImportMark.tag, ImportMark.pattern])
    }
    for mark in marks.map({ ImportMark(value: $0) }) where mark.isBroken { try await discardImport(mark) }
  }
}
