import Failures
import HoneService
import JSON
import Messages
import RowStorage
import Testing
import Tracking

@Suite("What is asked of many runs at once", .timeLimit(.minutes(1)))
struct OverviewTests {
  @Test("a search's candidates are compared row by row, and its bill adds up")
  func search() async throws {
    try await withService { service in
      let result = try await service.ask("compile", smallCompile())
      let parent = try #require(result["runId"]?.stringValue)
      let trials = try #require(result["trials"]?.arrayValue)
      let baseline = try #require(trials.first?["runId"]?.stringValue)
      let best = try #require(result["bestRunId"]?.stringValue)

      let listed = try await service.ask("listResults", ["parentRunId": .string(parent)])
      #expect(listed["runs"]?.arrayValue?.count == trials.count)
      let first = try #require(listed["runs"]?.arrayValue?.first { $0["runId"]?.stringValue == baseline })
      let scores = try #require(first["scores"]?.arrayValue?.map { $0.doubleValue ?? 0 })
      #expect(scores.count == 20)
      #expect(100 * scores.reduce(0, +) / 20 == result["baselineScore"]?.doubleValue)

      let compared = try await service.ask("compareRuns", ["runIds": [.string(baseline), .string(best)]])
      let one = try #require(compared["comparisons"]?[0])
      #expect(one["common"] == 20)
      for member in ["difference", "interval", "pValue", "wins", "losses", "count"] {
        #expect(one["comparison"]?[member] == result["comparison"]?[member])
      }
      // Alone it is one comparison; the search picked the best of several.
      #expect(one["comparison"]?["adjustedPValue"] == nil)
      #expect(result["comparison"]?["comparisons"]?.intValue == Set(trials.compactMap { $0["coordinates"] }).count - 1)
      #expect(one["fixed"]?.arrayValue?.count == result["comparison"]?["wins"]?.intValue)
      #expect(one["broken"]?.arrayValue?.count == result["comparison"]?["losses"]?.intValue)

      let usage = try await service.ask("getUsage", ["runId": .string(parent)])
      let paid = try #require(usage["byRole"]?.arrayValue).reduce(0) { $0 + ($1["calls"]?.intValue ?? 0) }
      #expect(paid == result["usage"]?["calls"]?.intValue)
      let phases = try #require(usage["byPhase"]?.arrayValue).compactMap { $0["phase"]?.stringValue }
      #expect(Set(phases).isSuperset(of: ["eval_full", "eval_minibatch", "propose"]))

      let keys = try await service.ask("listRunKeys")
      #expect(keys["params"]?.arrayValue?.contains("optimizer") == true)
      #expect(keys["metrics"]?.arrayValue?.contains("eval") == true)
    }
  }

  @Test("a run's usage says how much of the bill nobody counted")
  func estimated() async throws {
    try await withService { service in
      let store = try await service.madeStore()
      let run = try await store.createRun(NewRun()).id
      #expect(try await service.ask("getUsage", ["runId": .string(run)])["estimated"] == nil)
      let lost = FailedRequests(
        role: .task, requests: 2, tokens: TokenUsage(inputTokens: 100, outputTokens: 300), cost: 0.25,
        isEstimated: true)
      try await store.keep([lost], run: run, closing: [])
      let usage = try await service.ask("getUsage", ["runId": .string(run)])
      #expect(usage["estimated"] == ["requests": 2, "tokens": 400, "cost": 0.25])
    }
  }

  @Test("a listing brings what was selected, and how many children each run has")
  func selection() async throws {
    try await withService { service in
      let result = try await service.ask("compile", smallCompile())
      let listed = try await service.ask(
        "listRuns", ["filter": "parent_run_id IS NULL", "select": ["metrics.sc*e", "params.*_size", "tags.hone.kind"]])
      let run = try #require(listed["runs"]?[0])
      #expect(run["metrics"]?.objectValue?.keys == ["score"])
      #expect(
        run["params"]?.objectValue?.keys == ["minibatch_size", "trainset_size", "valset_size", "view_data_batch_size"])
      #expect(run["tags"] == ["hone.kind": "compile"])
      #expect(run["inputs"] == nil)
      #expect(run["children"]?.intValue == result["trials"]?.arrayValue?.count)
      let error = try await service.failure("listRuns", ["select": ["nonsense"]])
      #expect(error?.problems.map(\.path) == ["select"])
    }
  }

  @Test("a run is renamed, noted, tagged, and what it lacks is removed without complaint")
  func edits() async throws {
    try await withService { service in
      let store = try await service.madeStore()
      let id = try await store.createRun(NewRun(name: "first")).id
      _ = try await service.ask(
        "updateRun", ["runId": .string(id), "name": "second", "note": "why", "tags": ["keep": "yes"]])
      var run = try await service.ask("getRun", ["runId": .string(id)])["run"]
      #expect(run?["name"] == "second")
      #expect(run?["tags"]?["mlflow.note.content"] == "why")
      _ = try await service.ask(
        "updateRun", ["runId": .string(id), "note": "", "removeTags": ["keep", "never there"]])
      run = try await service.ask("getRun", ["runId": .string(id)])["run"]
      #expect(run?["tags"]?["mlflow.note.content"] == nil && run?["tags"]?["keep"] == nil)
      #expect(try await service.failure("updateRun", ["runId": .string(id), "name": ""])?.kind == .invalidParams)
    }
  }

  @Test("evaluations that MLflow's clients logged are lined up by the content of their tables")
  func tables() async throws {
    try await withService { service in
      let store = try await service.madeStore()
      func run(_ rows: [(String, JSONValue)]) async throws -> String {
        let id = try await store.createRun(NewRun()).id
        try await store.writeTable(
          run: id, path: "result_table.json",
          TableRows(Rows(rows.map { ["score": $0.1, "example_question": .string($0.0), "pred_answer": "x"] })))
        return id
      }
      let baseline = try await run([("a", false), ("b", true), ("c", 0)])
      let other = try await run([("c", 1.0), ("b", false)])
      let listed = try await service.ask("listResults", ["runIds": [.string(baseline), .string(other)]])
      #expect(listed["runs"]?[1]?["rows"] == [2, 1])
      let one = try await service.ask("compareRuns", ["runIds": [.string(baseline), .string(other)]])["comparisons"]?[0]
      #expect(one?["common"] == 2)
      #expect(one?["fixed"] == [2])
      #expect(one?["broken"] == [1])
    }
  }
}
