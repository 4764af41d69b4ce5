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
    try line(["end": ["runs": .int(done.count)]])
    return done.count
  }

  private mutating func tree(_ run: Run) async throws(HoneError) {
    guard done.insert(run.id).inserted else { return }
    if experiments.insert(run.info.experimentID).inserted {
      let experiment = try await store.experiment(id: run.info.experimentID)
      try line([
        "experiment": [
          "id": .string(experiment.id), "name": .string(experiment.name), "tags": .object(experiment.tags.object),
        ]
      ])
    }
    try await write(run)
    try await artifacts(run.id, "")
    if includesTraces { try await traces(run.id) }
    for child in try await store.children(of: run.id) { try await tree(child) }
  }

  private func line(_ value: JSONValue) throws(HoneError) {
    var bytes = value.encoded()
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
    try line([
      "run": [
        "id": .string(run.id), "experiment": .string(run.info.experimentID), "parent": JSONValue(run.info.parentID),
        "name": .string(run.info.name), "status": .string(run.info.status.rawValue), "user": .string(run.info.user),
        "startTime": .int(run.info.startTime), "endTime": JSONValue(run.info.endTime),
        "deleted": .bool(run.info.lifecycle == .deleted), "params": .object(run.params.object),
        "metrics": .array(metrics),
        "tags": .object(run.tags.object), "inputs": .array(run.inputs.map(\.line)), "results": .array(rows),
      ]
    ])
  }

  private func artifacts(_ run: String, _ directory: String) async throws(HoneError) {
    for entry in try await store.listArtifacts(run: run, path: directory) {
      if entry.isDirectory {
        try await artifacts(run, entry.path)
      } else {
        let content = try await store.readArtifact(run: run, path: entry.path)
        try line([
          "artifact": [
            "run": .string(run), "path": .string(entry.path),
            "base64": .string(Data(content.bytes).base64EncodedString()),
          ]
        ])
      }
    }
  }

  private func traces(_ run: String) async throws(HoneError) {
    var token: String?
    repeat {
      let page = try await store.traces(run: run, pageToken: token)
      token = page.nextPageToken
      for info in page.items {
        var spans: [JSONValue] = []
        var next: String?
        repeat {
          let part = try await store.spans(of: info.id, pageToken: next)
          spans += part.items.map(\.line)
          next = part.nextPageToken
        } while next != nil
        try line(["trace": ["info": TraceRecord(info).jsonValue, "spans": .array(spans)]])
      }
    } while token != nil
  }
}
