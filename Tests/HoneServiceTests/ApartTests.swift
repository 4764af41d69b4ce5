import Evaluation
import Failures
import Foundation
import JSON
import Optimizers
import Platform
import Programs
import Schema
import Synchronization
import Testing

@testable import Editing
@testable import HoneService
@testable import JSONRPC

/// Whether whoever calls is at work on the threads for data.
private var isApart: Bool {
  withUnsafeCurrentTask { $0?.unownedTaskExecutor == ComputationThreads.data.asUnownedTaskExecutor() }
}

/// Where what tests look at has been done.
private let places = Mutex<[String: Bool]>([:])

/// A metric that notes where it is explained.
private struct Noting: NamedMetric {
  static let name = "noting"
  static var summary: String {
    places.withLock { $0["explained"] = isApart }
    return "Notes."
  }
  static let members: [Member<Self>] = []
  func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore { MetricScore(true) }
}

/// An optimizer that notes where it is estimated.
private struct NotingOptimizer: Optimizer {
  static let name = "NotingOptimizer"
  static let summary = "Notes."
  static let members: [Member<Self>] = []
  func parts(_ task: CompileTask) -> [PlannedPart] {
    places.withLock { $0["estimated"] = isApart }
    return []
  }
  func compile(_ task: CompileTask) async -> SearchResult { SearchResult(program: task.student) }
}

/// A stream that notes where diagnostics are written.
private final class NotingStream: ByteStream {
  let peer = "test"
  var lastTaken: ContinuousClock.Instant { .now }
  func start(_ delegate: any ByteStreamDelegate) {}
  func write(_ bytes: [UInt8]) -> Int {
    if String(decoding: bytes, as: UTF8.self).contains("publishDiagnostics") {
      places.withLock { $0["checked"] = isApart }
    }
    return 0
  }
  func setReading(_ on: Bool) {}
  func finish() {}
  func abort() {}
}

private struct Nobody: RequestHandler {
  func plan(_ request: IncomingRequest) -> RequestPlan { .answer(.null) }
}

/// What an editor's files and data sets take to read keeps no other request waiting.
@Suite("Apart from the threads that requests share", .serialized, .timeLimit(.minutes(1)))
struct ApartTests {
  private let catalog: Catalog = {
    var catalog = Catalog()
    catalog.metrics = catalog.metrics.adding([Noting.self])
    catalog.optimizers = catalog.optimizers.adding([NotingOptimizer.self])
    return catalog
  }()

  @Test("a program file is checked, and a long one worked on; what is asked of a short one waits for no other")
  func editor() async throws {
    try await withService(catalog: catalog) { service in
      let editor = Editor(service: service, requests: CancellableRequests(), pause: .zero)
      let connection = Connection(NotingStream(), handler: Nobody(), framing: .headers)
      for length in [10, ComputationThreads.longText] {
        let uri = "file:///nowhere/\(length).hone.json"
        let text = #"{"metric": "noting", "program": "q -> \#(String(repeating: "a", count: length))"}"#
        let document: JSONObject = ["uri": .string(uri), "languageId": "hone", "version": 1, "text": .string(text)]
        places.withLock { $0 = [:] }
        _ = editor.receive(
          IncomingNotification(
            method: "textDocument/didOpen", params: ["textDocument": .object(document)], connection: connection),
          baseDirectory: "/")
        while places.withLock({ $0["checked"] }) == nil { try await Task.sleep(for: .milliseconds(1)) }
        #expect(places.withLock { $0["checked"] } == true)
        let hover = IncomingRequest(
          id: RequestID(1), method: "textDocument/hover",
          params: ["textDocument": ["uri": .string(uri)], "position": ["line": 0, "character": 14]],
          connection: connection)
        guard case .work(let work)? = editor.plan(hover, baseDirectory: "/") else {
          Issue.record("no work")
          return
        }
        _ = try await work()
        #expect(places.withLock { $0["explained"] } == (length > 10))
      }
    }
  }

  @Test("a search is estimated")
  func estimate() async throws {
    try await withService(catalog: catalog) { service in
      let result = try await service.ask(
        "compile", smallCompile(["optimizer": "NotingOptimizer", "estimate": true]))
      #expect(result["status"] == "ESTIMATED")
      #expect(places.withLock { $0["estimated"] } == true)
    }
  }
}
