package import Failures
import GRDB
package import JSON
package import RowStorage

/// Rows of a table that can be gone through from the front, a page at a time, more than once.
package struct TableRows: Sendable {
  /// Gives the rows behind a place, first -1, and the place for what follows; nil at the end.
  package typealias Page = (rows: [JSONObject], next: Int?)

  fileprivate let page: @Sendable (Int) async throws(HoneError) -> Page

  package init(page: @escaping @Sendable (Int) async throws(HoneError) -> Page) { self.page = page }

  package init(_ rows: Rows) {
    self.init { last throws(HoneError) in
      let range = last + 1..<min(last + 1 + 1000, rows.count)
      let page = range.map { rows[$0] }
      try rows.check()
      return (page, range.upperBound < rows.count ? range.upperBound - 1 : nil)
    }
  }

  fileprivate func each(_ body: (JSONObject) throws(HoneError) -> Void) async throws(HoneError) {
    var place: Int? = -1
    while let last = place {
      let (rows, next) = try await page(last)
      for row in rows { try body(row) }
      place = next
    }
  }
}

extension TrackingStore {
  /// Writes rows as a table, `{"columns": […], "data": [[…], …]}`, with a column for every member that any row has, in
  /// the order they first come, and notes it in the tag `mlflow.loggedArtifacts`, by which a client finds the tables to
  /// show.
  ///
  /// - Throws: as `writeArtifact`.
  package func writeTable(run id: String, path: String, _ rows: TableRows) async throws(HoneError) {
    var columns: [String] = []
    var known: Set<String> = []
    try await rows.each { row in for key in row.keys where known.insert(key).inserted { columns.append(key) } }
    let path = try ArtifactPath(path)
    let upload = try await beginArtifact(.run(id), path: path)
    defer { upload.discard() }
    var pending = Array("{\"columns\":".utf8) + JSONValue.array(columns.map(JSONValue.string)).encoded()
    pending += Array(",\"data\":[".utf8)
    var isFirst = true
    try await rows.each { row throws(HoneError) in
      if !isFirst { pending.append(UInt8(ascii: ",")) }
      isFirst = false
      pending += JSONValue.array(columns.map { row[$0] ?? .null }).encoded()
      guard pending.count > 256 << 10 else { return }
      try upload.append(pending)
      pending.removeAll(keepingCapacity: true)
    }
    try upload.append(pending + Array("]}".utf8))
    try await onThread { () throws(HoneError) in try upload.finish() }
    try await noteTable(run: id, path: path.description)
  }

  private func noteTable(run id: String, path: String) async throws(HoneError) {
    try await write { db in
      let run = try Self.activeRun(db, id)
      let known = try String.fetchOne(
        db.cachedStatement(sql: "SELECT value FROM run_tags WHERE run = ? AND key = ?"),
        arguments: [run, KnownTag.loggedArtifacts])
      var list = known.flatMap { try? JSONReader.read($0) }?.arrayValue ?? []
      let entry: JSONValue = ["path": .string(path), "type": "table"]
      guard !list.contains(entry) else { return }
      list.append(entry)
      try Self.setTag(db, run: run, KeyValue(KnownTag.loggedArtifacts, JSONValue.array(list).text()))
    }
  }
}
