package import Failures
import Foundation
import JSON
import Schema
import Traces
package import Tracking

/// Writes runs of a store, with everything that belongs to them, as lines of JSON (`RunLines`).
package struct RunExport {
  private let store: TrackingStore
  private let includesTraces: Bool
  private let write: ([UInt8]) throws(HoneError) -> Void
  private var experiments: Set<String> = []
  private var done: Set<String> = []

  /// - Parameter write: takes the bytes in order.
  package init(
    _ store: TrackingStore, includesTraces: Bool, write: @escaping ([UInt8]) throws(HoneError) -> Void
  ) {
    self.store = store
    self.includesTraces = includesTraces
    self.write = write
  }

  /// Writes the runs with these ids, the runs above them and those under them.
  ///
  /// - Returns: how many runs were written.
  /// - Throws: `notFound`, before anything is written; `storeUnavailable`.
  package mutating func export(_ ids: [String]) async throws(HoneError) -> Int {
    var roots: [Run] = []
    for id in ids {
      var run = try await store.run(id)
      while let parent = run.info.parentID { run = try await store.run(parent) }
      if !roots.contains(where: { $0.id == run.id }) { roots.append(run) }
    }
    try line(RunLines.header)
    for root in roots { try await tree(root) }
    try line(FileLine(end: EndLine(runs: done.count)))
    return done.count
  }

  private mutating func tree(_ run: Run) async throws(HoneError) {
    guard done.insert(run.id).inserted else { return }
    if experiments.insert(run.info.experimentID).inserted {
      let experiment = try await store.experiment(id: run.info.experimentID)
      try line(
        FileLine(
          experiment: ExperimentLine(
            id: experiment.id, name: experiment.name,
            tags: experiment.tags.filter { $0.key != ImportMark.tag }.object)))
    }
    try await write(run)
    try await artifacts(run.id, "")
    if includesTraces { try await traces(run.id) }
    for child in try await store.children(of: run.id) { try await tree(child) }
  }

  private func line(_ line: FileLine) throws(HoneError) {
    var bytes = line.jsonValue.encoded()
    bytes.append(UInt8(ascii: "\n"))
    try write(bytes)
  }

  private func write(_ run: Run) async throws(HoneError) {
    var metrics: [JSONValue] = []
    for metric in run.metrics {
      var token: String?
      repeat {
        let page = try await store.metricHistory(run: run.id, key: metric.key, pageToken: token)
        metrics += page.items.map(\.line)
        token = page.nextPageToken
      } while token != nil
    }
    var rows: [JSONValue] = []
    var token: String?
    repeat {
      let page = try await store.results(run: run.id, pageToken: token)
      rows += page.items.map(\.line)
      token = page.nextPageToken
    } while token != nil
    var line = RunLine()
    line.id = run.id
    line.experiment = run.info.experimentID
    line.parent = run.info.parentID
    line.name = run.info.name
    line.status = run.info.status.rawValue
    line.user = run.info.user
    line.startTime = run.info.startTime
    line.endTime = run.info.endTime
    line.isDeleted = run.info.lifecycle == .deleted
    line.params = run.params.object
    line.metrics = metrics
    line.tags = run.tags.filter { $0.key != ImportMark.tag }.object
    line.inputs = run.inputs.map(RunRecord.Input.init)
    line.results = rows
    try self.line(FileLine(run: line))
  }

  private func artifacts(_ run: String, _ directory: String) async throws(HoneError) {
    for entry in try await store.listArtifacts(run: run, path: directory) {
      if entry.isDirectory {
        try await artifacts(run, entry.path)
      } else {
        let content = try await store.readArtifact(run: run, path: entry.path)
        let bytes = Data(content.bytes).base64EncodedString()
        try line(FileLine(artifact: ArtifactLine(run: run, path: entry.path, base64: bytes)))
      }
    }
  }

  private func traces(_ run: String) async throws(HoneError) {
    var token: String?
    repeat {
      let page = try await store.traces(run: run, pageToken: token)
      token = page.nextPageToken
      for info in page.items {
        var spans: [SpanRecord] = []
        var next: String?
        repeat {
          let part = try await store.spans(of: info.id, pageToken: next)
          spans += part.items.map { SpanRecord($0) }
          next = part.nextPageToken
        } while next != nil
        try line(
          FileLine(
            trace: TraceLine(
              info: TraceRecord(info), spans: spans, assessments: info.assessments.compactMap(AssessmentLine.init))))
      }
    } while token != nil
  }
}
