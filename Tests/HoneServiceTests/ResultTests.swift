import Evaluation
import Failures
import HoneService
import JSON
import Jobs
import Schema
import Testing
import Tracking

/// What is answered is read back by the types that it was written from, and says the same again.
@Suite("Results, read back", .timeLimit(.minutes(2)))
struct ResultTests {
  private func check<Result: ResultObject>(_ type: Result.Type, _ value: JSONValue) {
    let problems = ProblemList()
    let read = Result.read(value, at: "", problems)
    #expect(problems.isEmpty, "\(Result.self): \(problems.problems.map(\.description))")
    #expect(Result(json: value) != nil, "\(Result.self)")
    #expect(read?.jsonValue.text() == value.text(), "\(Result.self)")
  }

  @Test("of compile, evaluate, an estimate and a detached run")
  func jobs() async throws {
    try await withService { service in
      let compiled = try await service.ask("compile", smallCompile())
      check(CompileResult.self, compiled)
      #expect(JobOutline(json: compiled)?.trials.isEmpty == false)
      check(CompileEstimate.Report.self, try await service.ask("compile", smallCompile(["estimate": true])))
      let stopped = try await service.ask(
        "compile", smallCompile(["budget": ["maxCalls": 30], "lm": ["model": "simulated", "cache": false]]))
      check(CompileResult.self, stopped)
      #expect(JobOutline(json: stopped)?.status == "BUDGET_EXHAUSTED")
      let evaluated = try await service.ask(
        "evaluate",
        [
          "program": "question -> answer", "devset": ["name": "word-problems", "split": "test", "limit": 6],
          "metric": "numeric_match", "lm": "simulated",
        ])
      check(EvaluateResult.self, evaluated)
      #expect(JobOutline(json: evaluated)?.results?.count == 6)
      let started = try await service.ask("compile", smallCompile(["detach": true]))
      #expect(JobOutline(json: started)?.status == "RUNNING")
      let id = started["runId"]?.stringValue ?? ""
      check(CompileResult.self, try await service.ask("watchRun", ["runId": .string(id)]))
    }
  }

  @Test("of the methods that show what was tracked")
  func views() async throws {
    try await withService { service in
      let compiled = try await service.ask("compile", smallCompile())
      let run = compiled["runId"] ?? .null
      let best = compiled["bestRunId"] ?? .null
      check(ListRunsResult.self, try await service.ask("listRuns"))
      check(GetRunResult.self, try await service.ask("getRun", ["runId": run, "history": true]))
      check(ListExperimentsResult.self, try await service.ask("listExperiments"))
      check(ListResultsResult.self, try await service.ask("listResults", ["parentRunId": run]))
      check(CompareRunsResult.self, try await service.ask("compareRuns", ["runIds": [best, best]]))
      check(GetUsageResult.self, try await service.ask("getUsage", ["runId": run]))
      check(ListRunKeysResult.self, try await service.ask("listRunKeys"))
      let traces = try await service.ask("listTraces", ["runId": best])
      check(ListTracesResult.self, traces)
      let trace = traces["traces"]?[0]?["traceId"] ?? .null
      check(GetTraceResult.self, try await service.ask("getTrace", ["traceId": trace]))
      check(GetTraceResult.self, try await service.ask("getTrace", ["traceId": trace, "bodies": false]))
      check(
        LogFeedbackResult.self, try await service.ask("logFeedback", ["traceId": trace, "name": "ok", "value": true]))
      check(ListArtifactsResult.self, try await service.ask("listArtifacts", ["runId": run]))
      check(GetArtifactResult.self, try await service.ask("getArtifact", ["runId": run, "path": "best_model.json"]))
      check(LoadProgramResult.self, try await service.ask("loadProgram", ["run": run]))
      check(UpdateRunResult.self, try await service.ask("updateRun", ["runId": run, "name": "n"]))
      check(DoctorResult.self, try await service.ask("doctor"))
      check(
        PredictResult.self,
        try await service.ask("predict", ["program": ["run": run], "inputs": ["question": "What is 2 + 2?"]]))
    }
  }
}
