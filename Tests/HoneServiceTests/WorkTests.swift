import Failures
import Foundation
import HoneService
import JSON
import Jobs
import Logging
import Synchronization
import Testing

@Suite("Works: started, watched, stopped and resumed by their runs", .timeLimit(.minutes(2)))
struct WorkTests {
  /// A compile that takes some time: many candidates on the embedded model.
  private func longCompile(_ more: JSONObject = [:]) -> JSONObject {
    smallCompile([
      "optimizer": ["name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 200],
      "lm": ["model": "simulated", "cache": false], "concurrency": 2,
    ]).merging(more)
  }

  private func strip(_ result: JSONValue) -> JSONValue {
    let trials = (result["trials"]?.arrayValue ?? []).map { trial in
      JSONValue.object(trial.objectValue?.filter { $0 != "runId" } ?? [:])
    }
    return [
      "trials": .array(trials), "program": result["program"] ?? .null, "score": result["score"] ?? .null,
      "baselineScore": result["baselineScore"] ?? .null,
    ]
  }

  @Test("a detached compile answers at once; watching gives every trial once and the result")
  func detached() async throws {
    try await withService { service in
      let begun = try await service.ask("compile", smallCompile(["detach": true]))
      #expect(begun["status"] == "RUNNING")
      let run = try #require(begun["runId"])
      let seen = Trials()
      let result = try await service.ask("watchRun", ["runId": run], progress: seen)
      #expect(result["status"] == "FINISHED")
      let numbers = (result["trials"]?.arrayValue ?? []).compactMap { $0["number"]?.intValue }
      #expect(seen.numbers.withLock { $0 } == numbers)
      #expect(try await service.ask("watchRun", ["runId": run]) == result)
      #expect(try await service.ask("resumeRun", ["runId": run]) == result)
    }
  }

  @Test("a cancelled run gives what it has, and resumed it is the undisturbed one, by all that is tracked")
  func cancelAndResume() async throws {
    try await withService { service in
      let whole = try await service.ask("compile", smallCompile(["lm": ["model": "simulated", "cache": false]]))
      let begun = try await service.ask("compile", longCompile(["detach": true]))
      let run = try #require(begun["runId"])
      await #expect(throws: HoneError.self) { _ = try await service.ask("resumeRun", ["runId": run]) }
      let cut = try await service.ask("cancelRun", ["runId": run])
      #expect(cut["status"] == "CANCELLED")
      #expect(cut["program"]?["predict"] != nil)
      #expect(cut["resumeCommand"]?.stringValue?.contains(run.stringValue ?? "?") == true)
      let shown = try await service.ask("getRun", ["runId": run])
      #expect(shown["run"]?["status"] == "KILLED")
      #expect(shown["run"]?["tags"]?["hone.status"] == "CANCELLED")
      #expect(shown["run"]?["resumeCommand"] != nil)

      let bounded = try await service.ask(
        "compile", smallCompile(["lm": ["model": "simulated", "cache": false], "budget": ["maxCalls": 50]]))
      #expect(bounded["status"] == "BUDGET_EXHAUSTED")
      let id = try #require(bounded["runId"])
      let resumed = try await service.ask("resumeRun", ["runId": id, "budget": ["maxCalls": 5000], "concurrency": 1])
      #expect(resumed["status"] == "FINISHED")
      #expect(strip(resumed) == strip(whole))
      #expect(resumed["usage"]?["calls"] == whole["usage"]?["calls"])
      #expect(resumed["usage"]?["cached"] == whole["usage"]?["cached"])
      let children = try await service.ask("listRuns", ["parentRunId": id])["runs"]?.arrayValue ?? []
      #expect(children.count == resumed["trials"]?.arrayValue?.count)
      #expect(children.allSatisfy { $0["status"] == "FINISHED" })
      for child in children {
        let traces = try await service.ask("listTraces", ["runId": child["runId"] ?? .null, "maxResults": 100])
        #expect(traces["traces"]?.arrayValue?.count == child["metrics"]?["count"]?.intValue)
      }
    }
  }

  @Test("the run of a candidate that a race dropped holds all rows that it was asked, also where it was resumed")
  func droppedCandidates() async throws {
    try await withService { service in
      let request = smallCompile([
        "optimizer": ["name": "COPRO", "breadth": 6, "depth": 2], "lm": ["model": "simulated", "cache": false],
        "valset": ["name": "word-problems", "split": "val", "limit": 60],
      ])
      let part = try await service.ask("compile", request.merging(["budget": ["maxCalls": 150]]))
      #expect(part["status"] == "BUDGET_EXHAUSTED")
      let result = try await service.ask("resumeRun", ["runId": part["runId"] ?? .null, "budget": .null])
      let trials = result["trials"]?.arrayValue ?? []
      let dropped = trials.filter { $0["coordinates"]?["dropped"] == true }
      #expect(!dropped.isEmpty)
      for trial in trials {
        let run = try await service.ask("getRun", ["runId": trial["runId"] ?? .null])["run"]
        #expect(run?["status"] == "FINISHED")
        #expect(run?["metrics"]?["count"]?.intValue == trial["count"]?.intValue)
        #expect(run?["metrics"]?["eval"]?.doubleValue == trial["score"]?.doubleValue)
        let traces = try await service.ask("listTraces", ["runId": trial["runId"] ?? .null, "maxResults": 100])
        #expect(traces["traces"]?.arrayValue?.count == trial["count"]?.intValue)
      }
      #expect(dropped.allSatisfy { $0["count"]?.intValue ?? 60 < 60 && $0["runId"] != result["bestRunId"] })
      // The best program and the student were asked the same rows, so that they can be compared.
      #expect(result["comparison"]?["count"]?.intValue == 60)
    }
  }

  static let optimizers: [JSONValue] = [
    ["name": "MIPROv2", "auto": .null, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10],
    ["name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2], ["name": "BootstrapFewShot"],
    ["name": "LabeledFewShot"],
    ["name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 3, "validation": "race"],
    [
      "name": "MIPROv2", "auto": .null, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10,
      "validation": "race",
    ],
    ["name": "COPRO", "breadth": 4, "depth": 2],
    ["name": "InferRules", "num_candidates": 3, "num_rules": 4],
    ["name": "SIMBA", "bsize": 8, "num_candidates": 3, "max_steps": 3],
  ]

  @Test("cut off anywhere and resumed, every optimizer ends where it would have", arguments: optimizers, [true, false])
  func resumesEverywhere(optimizer: JSONValue, cache: Bool) async throws {
    try await withService { service in
      let request = smallCompile(["optimizer": optimizer, "lm": ["model": "simulated", "cache": .bool(cache)]])
      let whole = try await service.ask("compile", request)
      let calls = try #require(whole["usage"]?["calls"]?.intValue)
      for cut in [0, 1, calls / 3, calls - 1] {
        // Another home: nothing of the undisturbed one may answer.
        try await withService { service in
          let part = try await service.ask("compile", request.merging(["budget": ["maxCalls": .int(cut)]]))
          #expect(part["status"] == "BUDGET_EXHAUSTED")
          #expect(part["usage"]?["calls"]?.intValue == cut)
          #expect(part["program"]?["predict"] != nil)
          let resumed = try await service.ask("resumeRun", ["runId": part["runId"] ?? .null, "budget": .null])
          #expect(strip(resumed) == strip(whole))
          #expect(resumed["usage"]?["calls"]?.intValue == calls)
          #expect(resumed["usage"]?["cached"] == whole["usage"]?["cached"])
        }
      }
    }
  }

  @Test("a run of another service on the same store is watched, and stops when asked")
  func elsewhere() async throws {
    try await withService { service in
      let begun = try await service.ask("compile", longCompile(["detach": true]))
      let run = try #require(begun["runId"])
      let other = Service(home: service.home, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      async let watched = other.ask("watchRun", ["runId": run])
      let cut = try await other.ask("cancelRun", ["runId": run])
      #expect(cut["status"] == "CANCELLED")
      #expect(try await watched == cut)
      #expect(try await service.ask("watchRun", ["runId": run]) == cut)
      await other.close()
    }
  }

  @Test("a service that ends leaves its runs to be resumed, and takes no more")
  func drained() async throws {
    try await withService { service in
      let begun = try await service.ask("evaluate", slowEvaluation(["detach": true]))
      let run = try #require(begun["runId"])
      await service.workspace.drain()
      #expect(try await service.failure("compile", smallCompile())?.kind == .cancelled)
      let next = Service(home: service.home, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let shown = try await next.ask("getRun", ["runId": run])
      #expect(shown["run"]?["tags"]?["hone.status"] == "INTERRUPTED")
      let resumed = try await next.ask("resumeRun", ["runId": run])
      #expect(resumed["status"] == "FINISHED")
      #expect(resumed["count"] == 400)
      await next.close()
    }
  }

  private func slowEvaluation(_ more: JSONObject) -> JSONObject {
    let rows = (0..<400).map { number -> JSONValue in
      ["question": .string("What is \(number) + 1?"), "answer": .string("\(number + 1)")]
    }
    let base: JSONObject = [
      "program": "question -> answer", "devset": .array(rows), "metric": "numeric_match",
      "lm": ["model": "simulated", "cache": false], "concurrency": 1,
    ]
    return base.merging(more)
  }

  @Test("data that changes on disk does not change a resumed run")
  func dataIsKept() async throws {
    try await withService { service in
      let file = service.home + "-rows.jsonl"
      defer { try? FileManager.default.removeItem(atPath: file) }
      func write(_ answer: Int) throws {
        let lines = (0..<40).map { "{\"question\": \"What is \($0) + 0?\", \"answer\": \"\(answer)\"}" }
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
      }
      try write(1)
      let cut = try await service.ask(
        "evaluate",
        [
          "program": "question -> answer", "devset": ["path": .string(file)], "metric": "numeric_match",
          "lm": ["model": "simulated", "cache": false], "budget": ["maxCalls": 10], "concurrency": 1,
          "adapter": "chat",
        ])
      #expect(cut["status"] == "BUDGET_EXHAUSTED")
      #expect(cut["count"] == 10)
      try FileManager.default.removeItem(atPath: file)
      let resumed = try await service.ask("resumeRun", ["runId": cut["runId"] ?? .null, "budget": .null])
      #expect(resumed["status"] == "FINISHED")
      #expect(resumed["count"] == 40)
    }
  }

  @Test("a judge that was given as a reference is kept with the run, with its model")
  func judgeIsKept() async throws {
    try await withService { service in
      @Sendable func answer(_ params: JSONObject) -> JSONValue {
        let system = params["messages"]?.arrayValue?.first?["content"]?.stringValue ?? ""
        return system.contains("verdict")
          ? "[[ ## reasoning ## ]]\nSo it is.\n\n[[ ## verdict ## ]]\nTrue" : "[[ ## answer ## ]]\n4"
      }
      let peer = ScriptedPeer { _, params, _ in answer(params) }
      var environment = CallEnvironment(baseDirectory: "/", peer: peer)
      let state: JSONObject = [
        "module": "ChainOfThought", "signature": "answer -> verdict: bool",
        "state": ["predict": ["demos": [], "signature": ["instructions": "Be strict.", "fields": []]]],
      ]
      let judge = try await service.ask("loadProgram", state)
      let request: JSONObject = [
        "program": "question -> answer", "module": "Predict", "lm": ["client": "m"], "concurrency": 1,
        "devset": .array((0..<6).map { ["question": .string("\($0)"), "answer": "4"] }), "budget": ["maxCalls": 4],
        "metric": ["judge": ["program": ["programId": judge["programId"] ?? .null], "lm": ["client": "wise"]]],
      ]
      let cut = try await service.call("evaluate", request, in: environment)
      #expect(cut["status"] == "BUDGET_EXHAUSTED")
      // Another process knows the program by no such name.
      let other = Service(home: service.home, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      let second = ScriptedPeer { _, params, _ in answer(params) }
      environment.peer = second
      let again: JSONObject = ["runId": cut["runId"] ?? .null, "budget": .null]
      let resumed = try await other.call("resumeRun", again, in: environment)
      await other.close()
      #expect(resumed["status"] == "FINISHED" && resumed["count"] == 6 && resumed["score"]?.doubleValue == 100)
      let judged = second.questions.filter { $0.params["name"] == "wise" }
      #expect(!judged.isEmpty)
      #expect(judged.allSatisfy { $0.params["messages"]?.text().contains("Be strict.") == true })
    }
  }

  @Test("an untracked run cannot be detached, and says why")
  func untracked() async throws {
    try await withService { service in
      let error = try await service.failure("compile", smallCompile(["detach": true, "autolog": ["compiles": false]]))
      #expect(error?.problems.map(\.path) == ["detach"])
    }
  }

  private final class Trials: ProgressSink {
    let numbers = Mutex<[Int]>([])
    func report(_ report: ProgressReport) {}
    func finished(_ trial: TrialResult) { numbers.withLock { $0.append(trial.number) } }
  }
}
