import Evaluation
import Failures
import HoneService
import JSON
import Jobs
import Synchronization
import Testing

@Suite("compile, evaluate and what they leave behind", .timeLimit(.minutes(2)))
struct CompileTests {
  @Test("a compile finds a better program and tracks how")
  func tracksTheSearch() async throws {
    try await withService { service in
      let result = try await service.ask("compile", smallCompile())
      #expect(result["status"] == "FINISHED")
      let score = try #require(result["score"]?.doubleValue)
      #expect(score >= result["baselineScore"]?.doubleValue ?? 101)
      #expect(result["simulated"] == true)
      let runID = try #require(result["runId"]?.stringValue)

      let detail = try await service.ask("getRun", ["runId": .string(runID), "history": true])
      let run = try #require(detail["run"])
      #expect(run["status"] == "FINISHED")
      #expect(run["params"]?["optimizer"] == "MIPROv2")
      #expect(run["params"]?["num_candidates"] == "3")
      #expect(run["params"]?["seed"] == "3")
      #expect(run["tags"]?["hone.bestRunId"] == result["bestRunId"])
      #expect(run["inputs"]?.arrayValue?.map { $0["context"] } == ["training", "validation"])
      #expect(detail["history"]?["eval_minibatch"]?.arrayValue?.count == 3)
      let best = detail["history"]?["best_score"]?.arrayValue?.compactMap { $0["value"]?.doubleValue } ?? []
      #expect(best == best.sorted() && best.last == score)

      let children = try await service.ask("listRuns", ["parentRunId": .string(runID)])
      let names = Set(children["runs"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
      #expect(names.isSuperset(of: ["eval_full_0", "eval_full_1", "eval_minibatch_0", "eval_minibatch_2"]))
      #expect(names.count == result["trials"]?.arrayValue?.count)

      let child = try #require(children["runs"]?.arrayValue?.first { $0["name"] == "eval_full_0" })
      #expect(child["params"]?["ChainOfThought.predict.signature.instructions"] != nil)
      let childID = try #require(child["runId"]?.stringValue)
      let table = try await service.ask("getArtifact", ["runId": .string(childID), "path": "result_table.json"])
      let columns = try JSONReader.read(table["text"]?.stringValue ?? "")["columns"]?.arrayValue ?? []
      #expect(columns.prefix(2) == ["score", "example_question"])

      let traces = try await service.ask("listTraces", ["runId": .string(childID)])
      #expect(traces["traces"]?.arrayValue?.count == 20)
      let traceID = try #require(traces["traces"]?[0]?["traceId"])
      let trace = try await service.ask("getTrace", ["traceId": traceID])
      #expect(
        trace["spans"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == [
          "ChainOfThought.forward", "Predict.forward", "ChatAdapter.format", "LM.__call__", "ChatAdapter.parse",
        ])
      #expect(trace["info"]?["assessments"]?[0]?["name"] == "numeric_match")
    }
  }

  @Test("the best program comes back by run, by artifact and by state, and is the same")
  func loadsBack() async throws {
    try await withService { service in
      let result = try await service.ask("compile", smallCompile())
      let byRun = try await service.ask("loadProgram", ["run": try #require(result["runId"])])
      let byArtifact = try await service.ask("loadProgram", ["artifactUri": try #require(result["artifactUri"])])
      let byState = try await service.ask("loadProgram", ["state": try #require(result["program"])])
      #expect(byRun["state"] == result["program"])
      #expect(byArtifact["programId"] == byRun["programId"])
      #expect(byState["programId"] == byRun["programId"])
      #expect(byRun["lm"]?["model"] == "simulated")
      let prediction = try await service.ask(
        "predict",
        ["programId": try #require(byRun["programId"]), "inputs": ["question": "What is 1 + 1?"], "lm": "simulated"])
      #expect(prediction["outputs"]?["answer"] != nil)
      #expect(prediction["traceId"]?.stringValue?.hasPrefix("tr-") == true)
    }
  }

  @Test("the same seed gives the same search at concurrency 1 and 32")
  func isDeterministic() async throws {
    func search(_ concurrency: Int) async throws -> JSONValue {
      try await withService { service in
        let result = try await service.ask(
          "compile", smallCompile(["concurrency": .int(concurrency), "lm": ["model": "simulated", "cache": false]]))
        let trials = (result["trials"]?.arrayValue ?? []).map { trial in
          JSONValue.object(trial.objectValue?.filter { $0 != "runId" } ?? [:])
        }
        return ["trials": .array(trials), "program": result["program"] ?? .null]
      }
    }
    #expect(try await search(1) == search(32))
  }

  @Test("a second compile is answered from the store and pays for nothing")
  func paysOnce() async throws {
    try await withService { service in
      let first = try await service.ask("compile", smallCompile())
      let second = try await service.ask("compile", smallCompile())
      #expect(first["usage"]?["calls"]?.intValue ?? 0 > 0)
      #expect(second["usage"]?["calls"] == 0)
      #expect(second["program"] == first["program"])
    }
  }

  @Test("what autolog switches off is not tracked", arguments: [true, false], [true, false])
  func switches(compiles: Bool, traces: Bool) async throws {
    try await withService { service in
      let result = try await service.ask(
        "compile",
        smallCompile(["autolog": ["compiles": .bool(compiles), "evals": false, "tracesFromCompile": .bool(traces)]]))
      #expect((result["runId"] != .null) == compiles)
      let runs = try await service.ask("listRuns", ["experiment": "small"])
      #expect(runs["runs"]?.arrayValue?.count == (compiles ? 1 : 0))
      let listed = try await service.ask("listTraces", ["maxResults": 1])
      #expect((listed["traces"]?.arrayValue?.isEmpty == false) == traces)
    }
  }

  @Test("a spent budget keeps the best program so far", arguments: [1, 8])
  func keepsWhatWasPaid(concurrency: Int) async throws {
    try await withService { service in
      let result = try await service.ask(
        "compile", smallCompile(["budget": ["maxCalls": 60], "concurrency": .int(concurrency)]))
      #expect(result["status"] == "BUDGET_EXHAUSTED")
      #expect(result["usage"]?["calls"]?.intValue ?? 61 <= 60)
      #expect(result["program"]?["predict"] != nil)
      let run = try await service.ask("getRun", ["runId": try #require(result["runId"])])
      #expect(run["run"]?["status"] == "KILLED")
      #expect(run["run"]?["tags"]?["hone.status"] == "BUDGET_EXHAUSTED")
    }
  }

  @Test("an unreachable endpoint is said to be one, in the result's examples and in the error")
  func unreachable() async throws {
    try await withService { service in
      let error = try await service.failure(
        "evaluate",
        [
          "program": "question -> answer", "devset": ["name": "word-problems", "split": "test", "limit": 30],
          "metric": "numeric_match",
          "lm": ["model": "openai-compatible/m", "apiBase": "http://127.0.0.1:1/v1", "retries": 0],
        ])
      #expect(error?.kind == .languageModelUnavailable)
      #expect(error?.message.contains("127.0.0.1:1") == true)
    }
  }

  @Test("every problem of a request is named at once, before any model is asked")
  func allProblems() async throws {
    try await withService { service in
      let error = try await service.failure(
        "compile",
        [
          "program": "question - answer", "optimizer": ["name": "MIPROv3"], "trainset": [["question": 1]],
          "metric": "exact_mach", "lm": ["model": "nowhere/m"], "concurrency": 0, "bugdet": [:],
        ])
      let paths = Set(error?.problems.map(\.path) ?? [])
      #expect(paths.isSuperset(of: ["program", "optimizer.name", "metric", "concurrency", "bugdet"]))
      #expect(error?.problems.first { $0.path == "optimizer.name" }?.suggestion == "MIPROv2")
      #expect(error?.problems.first { $0.path == "bugdet" }?.suggestion == "budget")
    }
  }

  @Test("progress rises and counts what is paid")
  func progress() async throws {
    let seen = Recorder()
    try await withService { service in
      _ = try await service.ask("compile", smallCompile(), progress: seen)
    }
    let reports = seen.reports.withLock { $0 }
    #expect(reports.count > 20)
    let percentages = reports.compactMap { $0 }
    #expect(percentages == percentages.sorted())
    #expect(seen.partials.withLock { $0 } > 20)
  }

  private final class Recorder: ProgressSink {
    let reports = Mutex<[Int?]>([])
    let partials = Mutex(0)
    func report(_ report: ProgressReport) { reports.withLock { $0.append(report.percentage) } }
    func finished(_ trial: TrialResult) { partials.withLock { $0 += 1 } }
    func finished(_ example: ExampleResult) { partials.withLock { $0 += 1 } }
  }
}
