import Failures
import Foundation
import JSON
import Jobs
import RowStorage
import Schema
import Testing
import Tracking

@testable import HoneService

/// Data sets that are too large for memory, and results that are too many for one answer.
@Suite struct LargeDataTests {
  /// 60 rows of 3 kB.
  private func file(in directory: String) throws -> String {
    let filler = String(repeating: "words that say little ", count: 130)
    let lines = (0..<60).map { "{\"question\":\"\($0)\",\"notes\":\"\(filler)\",\"answer\":\"\($0 % 7)\"}\n" }.joined()
    let path = directory + "/long.jsonl"
    try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func rowSets(_ store: TrackingStore, _ run: String) async throws -> JSONValue? {
    try await store.keptRequest(run: run)?.params["devset"]
  }

  @Test func `A run on a large data set refers to its rows, is resumed with them, and answers in pages`() async throws {
    try await RowsBuilder.$heldBytes.withValue(50_000) { try await largeRun() }
  }

  private func largeRun() async throws {
    try await withService { service in
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hone-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: folder) }
      let path = try file(in: folder.path)
      let request: JSONObject = [
        "program": "question -> answer", "devset": .string(path), "metric": "exact_match", "lm": "simulated",
        "maxResults": 5,
      ]
      var bounded = request
      bounded["budget"] = ["maxCalls": 20]
      let first = try await service.ask("evaluate", bounded)
      let id = try #require(first["runId"]?.stringValue)
      #expect(first["status"] == "BUDGET_EXHAUSTED")
      // What the run was asked with stays as it was, whatever becomes of the file.
      try FileManager.default.removeItem(atPath: path)
      let store = try await service.madeStore()
      let kept = try #require(try await rowSets(store, id))
      #expect((kept["rows"] == nil) as Bool)
      #expect(kept["rowSet"]?.stringValue?.count == 64)
      #expect(try await store.results(run: id).items.count < 60)

      let resumed = try await service.ask(
        "resumeRun", ["runId": .string(id), "budget": ["maxCalls": 1000]])
      #expect(resumed["status"] == "FINISHED")
      #expect(resumed["count"] == 60)
      #expect(resumed["results"]?.arrayValue?.count == 5)
      #expect(resumed["resultsTruncated"] == true)

      // The pages are what an answer without a bound would have had.
      try Data(try await table(store, id).utf8).write(to: URL(fileURLWithPath: path))
      var whole = request
      whole["maxResults"] = 1000
      let all = try await service.ask("evaluate", whole)
      #expect(all["score"] == resumed["score"])
      var listed: [JSONValue] = []
      var token: JSONValue = .null
      repeat {
        let page = try await service.ask(
          "listResults", ["runIds": [.string(id)], "details": true, "maxResults": 25, "pageToken": token])
        listed += page["runs"]?[0]?["results"]?.arrayValue ?? []
        token = page["nextPageToken"] ?? .null
      } while token != .null
      func plain(_ results: [JSONValue]) -> [JSONValue] {
        results.map { .object(($0.objectValue ?? [:]).filter { $0 != "traceId" }) }
      }
      #expect(plain(listed) == plain(all["results"]?.arrayValue ?? []))
      #expect(listed.allSatisfy { $0["traceId"]?.stringValue != nil })
    }
  }

  /// The examples of a run's table of results as JSON Lines.
  private func table(_ store: TrackingStore, _ id: String) async throws -> String {
    let bytes = try await store.readArtifact(run: id, path: "result_table.json").bytes
    let table = try JSONReader.read(bytes)
    let columns = table["columns"]?.arrayValue?.compactMap(\.stringValue) ?? []
    #expect(
      columns == [
        "score", "example_question", "example_notes", "example_answer", "pred_reasoning", "pred_answer", "row",
        "trace_id",
      ])
    let rows = table["data"]?.arrayValue ?? []
    #expect(rows.count == 60)
    return rows.map { row in
      JSONValue.object(["question": row[1] ?? .null, "notes": row[2] ?? .null, "answer": row[3] ?? .null]).text() + "\n"
    }.joined()
  }

  @Test func `A wrong data set is read once, and said once, where a check remembers data sets`() async throws {
    try await withService { service in
      func problems(_ cache: DatasetCache?) async -> [Problem] {
        let problems = ProblemList()
        var environment = CallEnvironment(baseDirectory: NSTemporaryDirectory())
        environment.isCheck = true
        environment.datasets = cache
        let rows: JSONObject = ["devset": [["question": "q"], "no row", 3], "program": "question -> answer"]
        let fields = FieldReader(rows, problems: problems)
        let resolver = RequestResolver(service.workspace, "evaluate", fields, environment)
        _ = try? await EvaluateJob(EvaluateRequest.known(from: fields), resolver)
        return problems.problems.filter { $0.path.hasPrefix("devset") }
      }
      let plain = await problems(nil)
      #expect(plain.count == 2)
      #expect(await problems(DatasetCache()) == plain)
    }
  }

  @Test func `A large evaluation goes on in the next page beside others`() async throws {
    try await withService { service in
      let store = try await service.madeStore()
      var ids: [String] = []
      for count in [3, 25, 4] {
        let run = try await store.createRun(NewRun())
        try await store.logResults(
          run: run.id, (0..<count).map { EvaluationRow(index: $0 * 2, score: Double($0)) })
        ids.append(run.id)
      }
      var pages: [[(String, Int)]] = []
      var found: [String: [JSONValue]] = [:]
      var token: JSONValue = .null
      repeat {
        let page = try await service.ask(
          "listResults", ["runIds": .array(ids.map(JSONValue.string)), "maxResults": 10, "pageToken": token])
        let runs = page["runs"]?.arrayValue ?? []
        pages.append(runs.map { ($0["runId"]?.stringValue ?? "", $0["rows"]?.arrayValue?.count ?? 0) })
        for run in runs { found[run["runId"]?.stringValue ?? "", default: []] += run["rows"]?.arrayValue ?? [] }
        token = page["nextPageToken"] ?? .null
      } while token != .null
      #expect(pages.map { $0.map(\.1) } == [[3, 7], [10], [8, 2], [2]])
      #expect(ids.map { found[$0]?.count } == [3, 25, 4])
      #expect(found[ids[1]] == (0..<25).map { .int($0 * 2) })
    }
  }
}
