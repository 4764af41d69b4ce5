import Failures
import JSON
import JSONRPC
import Jobs
import Programs
import Synchronization
import Testing

@testable import HoneService

@Suite("Programs that the client runs, and what it asks within them", .timeLimit(.minutes(2)))
struct PredictWithinTests {
  private static let program: JSONValue = [
    "host": "Solver", "signature": "question -> answer", "predictors": ["solve": "question -> answer"],
  ]
  private static let rows = JSONValue.array(
    (1...6).map { number -> JSONValue in
      ["question": .string("What is \(number) + 1?"), "answer": .string("\(number + 1)")]
    })

  private func evaluation(_ more: JSONObject = [:]) -> JSONObject {
    let base: JSONObject = [
      "program": Self.program, "devset": Self.rows, "metric": "numeric_match", "lm": "simulated", "concurrency": 2,
    ]
    return base.merging(more)
  }

  private func environment(_ peer: ScriptedPeer) -> CallEnvironment {
    CallEnvironment(baseDirectory: "/", peer: peer)
  }

  /// Within an execution: runs the predictor, as a connection would for the client.
  private static func predict(
    _ service: Service, _ execution: JSONValue?, _ inputs: JSONValue, of predictor: String = "solve"
  ) async throws(HoneError) -> JSONObject {
    let params: JSONObject = ["executionId": execution ?? .null, "predictor": .string(predictor), "inputs": inputs]
    var environment = CallEnvironment(baseDirectory: "/")
    environment.place = service.place("predict", params)
    return try await service.call("predict", params, in: environment)["outputs"]?.objectValue ?? [:]
  }

  /// Answers `program/forward` with what `forward` gives; what that throws, the client raises.
  private func peer(
    _ forward: @escaping @Sendable (JSONObject, Int) async throws -> JSONValue
  ) -> ScriptedPeer {
    ScriptedPeer { _, params, number throws(CallbackFailure) in
      do {
        return try await forward(params, number)
      } catch let failure as CallbackFailure {
        throw failure
      } catch {
        let error = HoneError(wrapping: error)
        throw .refused(code: -32000, message: error.message, data: ["kind": .string(error.kind.rawValue)])
      }
    }
  }

  @Test("a predict of an execution under way takes no place of the works that wait for it")
  func lanes() async throws {
    try await withService { service in
      let lanes = Mutex<[String]>([])
      let peer = peer { params, _ in
        let execution = params["executionId"] ?? .null
        lanes.withLock { $0.append("\(service.lane(of: "predict", ["executionId": execution]))") }
        return ["outputs": .object(try await Self.predict(service, execution, params["inputs"] ?? .null))]
      }
      let result = try await service.call("evaluate", evaluation(), in: environment(peer))
      #expect(result["count"] == 6 && result["failed"] == 0)
      #expect(lanes.withLock { $0 } == Array(repeating: "part", count: 6))
      let execution = peer.questions[0].params["executionId"] ?? .null
      #expect(service.lane(of: "predict", ["executionId": execution]) == .call, "it is over")
      #expect(service.lane(of: "getRun", ["executionId": execution]) == .call)
      for method in ["compile", "evaluate", "resumeRun", "watchRun"] { #expect(service.lane(of: method, [:]) == .work) }
    }
  }

  @Test("what does not fit the execution is refused with what would")
  func wrong() async throws {
    try await withService { service in
      let errors = Mutex<[HoneError]>([])
      let peer = peer { params, _ in
        let execution = params["executionId"]
        for (predictor, inputs) in [("slove", params["inputs"] ?? .null), ("solve", ["qestion": "?"])] {
          do throws(HoneError) {
            _ = try await Self.predict(service, execution, inputs, of: predictor)
          } catch {
            errors.withLock { $0.append(error) }
          }
        }
        return ["outputs": ["answer": "none"]]
      }
      let request = evaluation(["devset": ["rows": Self.rows, "limit": 1]])
      let result = try await service.call("evaluate", request, in: environment(peer))
      #expect(result["failed"] == 0, "what the client makes of a refusal is its own affair")
      let problems = errors.withLock { $0.flatMap(\.problems) }
      #expect(problems.map(\.path) == ["predictor", "inputs.question"])
      #expect(problems.map(\.suggestion) == ["solve", "qestion"])
      let unknown = try await service.failure("predict", ["executionId": "0123", "predictor": "solve", "inputs": [:]])
      #expect(unknown?.kind == .notFound)
      let nameless = try await service.failure("predict", ["executionId": "0123"])
      #expect(nameless?.problems.map(\.path).sorted() == ["inputs", "predictor"])
    }
  }

  @Test("nonsense, a failure and an answer out of time are one example's result each")
  func oneExample() async throws {
    try await withService { service in
      let peer = peer { params, _ in
        let question = params["inputs"]?["question"]?.stringValue ?? ""
        switch question.split(separator: " ")[2] {
        case "1": return "nonsense"
        case "2": return ["outputs": ["solution": "3"]]
        case "3": throw HoneError(.internalError, "KeyError: 'x'")
        case "4": throw CallbackFailure.timedOut(1)
        default:
          let outputs = try await Self.predict(service, params["executionId"], params["inputs"] ?? .null)
          return ["outputs": .object(outputs)]
        }
      }
      let result = try await service.call("evaluate", evaluation(), in: environment(peer))
      #expect(result["status"] == "FINISHED" && result["count"] == 6 && result["failed"] == 4)
      let errors = (result["results"]?.arrayValue ?? []).map { $0["error"]?["message"]?.stringValue ?? "" }
      for (error, words) in zip(errors, ["nonsense", "\"answer\"", "KeyError", "within 1.0 s", "", ""]) {
        #expect(error.contains(words) && error.isEmpty == words.isEmpty, "\(error)")
      }
    }
  }

  @Test("a predict that comes when its execution is answered, or is still under way then, ends as not found")
  func late() async throws {
    try await withService { service in
      let late = Mutex<[Task<HoneError?, Never>]>([])
      let peer = peer { params, number in
        let (execution, inputs) = (params["executionId"], params["inputs"] ?? .null)
        // Not awaited: a thread that goes on after the program has returned.
        let task = Task { () -> HoneError? in
          while service.workspace.executions.holds(execution?.stringValue ?? "") { await Task.yield() }
          do throws(HoneError) {
            _ = try await Self.predict(service, execution, inputs)
            return nil
          } catch {
            return error
          }
        }
        late.withLock { $0.append(task) }
        return ["outputs": ["answer": "7"]]
      }
      let result = try await service.call("evaluate", evaluation(), in: environment(peer))
      #expect(result["failed"] == 0 && result["usage"]?["calls"] == 0)
      for task in late.withLock({ $0 }) { #expect(await task.value?.kind == .notFound) }
    }
  }

  @Test("a client that dies within an execution ends the run, which another client resumes without a question twice")
  func dies() async throws {
    try await withService { service in
      let solved = Mutex<[String]>([])
      @Sendable func solve(_ params: JSONObject) async throws -> JSONValue {
        solved.withLock { $0.append(params["inputs"]?["question"]?.stringValue ?? "") }
        return ["outputs": .object(try await Self.predict(service, params["executionId"], params["inputs"] ?? .null))]
      }
      let dying = peer { params, number in
        if number == 3 { throw CallbackFailure.gone }
        return try await solve(params)
      }
      let request = evaluation(["concurrency": 1, "runName": "cut", "lm": ["model": "simulated", "cache": false]])
      await #expect { try await service.call("evaluate", request, in: environment(dying)) } throws: {
        ($0 as? HoneError)?.kind == .clientGone
      }
      let runs = try await service.ask("listRuns", [:])["runs"]?.arrayValue ?? []
      let run = try #require(runs.first { $0["name"] == "cut" }?["runId"] ?? runs.first?["runId"])
      let before = solved.withLock { $0 }
      #expect(before.count == 3)
      let living = environment(peer { params, _ in try await solve(params) })
      let result = try await service.call("resumeRun", ["runId": run], in: living)
      #expect(result["status"] == "FINISHED" && result["count"] == 6 && result["failed"] == 0)
      let all = solved.withLock { $0 }
      #expect(all.count == 6 && Set(all).count == 6 && result["usage"]?["calls"] == 6)
    }
  }

  @Test("another client's requests go on where one dies, raises or answers nonsense")
  func apart() async throws {
    try await withService { service in
      let bad = [
        peer { _, _ in throw CallbackFailure.gone }, peer { _, _ in throw HoneError(.internalError, "raised") },
        peer { _, _ in ["outputs": 7] },
      ]
      let good = peer { params, _ in
        ["outputs": .object(try await Self.predict(service, params["executionId"], params["inputs"] ?? .null))]
      }
      async let result = service.call("evaluate", evaluation(), in: environment(good))
      for peer in bad { _ = try? await service.call("evaluate", evaluation(), in: environment(peer)) }
      let failed = try await result["failed"]
      #expect(failed == 0)
      #expect(service.workspace.executions.count == 0)
    }
  }
}
