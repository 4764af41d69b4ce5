import HoneService
import JSON
import Testing

@Suite("Estimates", .timeLimit(.minutes(2)))
struct EstimateTests {
  static let optimizers: [JSONValue] = [
    ["name": "MIPROv2", "auto": .null, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10],
    ["name": "MIPROv2", "auto": "light"],
    ["name": "MIPROv2", "auto": .null, "num_candidates": 4, "num_trials": 5, "minibatch": false],
    [
      "name": "MIPROv2", "auto": .null, "num_candidates": 3, "num_trials": 4, "minibatch_size": 10,
      "max_bootstrapped_demos": 0, "max_labeled_demos": 0,
    ],
    ["name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 4],
    ["name": "BootstrapFewShot"], ["name": "LabeledFewShot"],
    ["name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 4, "validation": "race"],
    ["name": "MIPROv2", "auto": "light", "validation": "race"],
    ["name": "MIPROv2", "auto": .null, "num_candidates": 4, "num_trials": 5, "minibatch": false, "validation": "race"],
    ["name": "COPRO", "breadth": 5, "depth": 2], ["name": "InferRules", "num_candidates": 4],
    ["name": "SIMBA", "bsize": 10, "num_candidates": 3, "max_steps": 3],
  ]

  @Test("calls and tokens of the real compile lie within what was estimated", arguments: optimizers, [true, false])
  func holds(optimizer: JSONValue, cache: Bool) async throws {
    try await withService { service in
      let request = smallCompile([
        "optimizer": optimizer, "seed": 5,
        "lm": ["model": "simulated", "cache": .bool(cache), "price": ["input": 1, "output": 2]],
        "valset": ["name": "word-problems", "split": "val", "limit": 60],
      ])
      let estimate = try await service.ask("compile", request.merging(["estimate": true]))
      #expect(estimate["status"] == "ESTIMATED")
      // Nothing was made or asked.
      #expect(try await service.ask("listRuns", [:])["runs"] == [])
      let result = try await service.ask("compile", request)
      let calls = try #require(result["usage"]?["calls"]?.intValue)
      let failed = try #require(result["usage"]?["failed"]?.intValue)
      #expect(calls - failed <= estimate["calls"]?["max"]?.intValue ?? -1)
      #expect(calls >= estimate["calls"]?["min"]?.intValue ?? .max)
      for (role, figures) in estimate["byRole"]?.objectValue ?? [:] {
        let used = result["usage"]?["byRole"]?[role]?["calls"]?.intValue ?? 0
        #expect(used <= figures["calls"]?["max"]?.intValue ?? -1, "\(role)")
      }
      #expect(estimate["cost"]?["max"]?.doubleValue ?? 0 >= estimate["cost"]?["min"]?.doubleValue ?? 1)
    }
  }

  @Test("an unknown price is said to be unknown, and a bound is judged")
  func unknown() async throws {
    try await withService { service in
      let estimate = try await service.ask(
        "compile",
        smallCompile([
          "lm": ["model": "openai-compatible/m", "apiBase": "http://127.0.0.1:1/v1"], "estimate": ["latency": 0.5],
          "budget": ["maxCalls": 5, "maxTokens": 100_000_000, "maxCost": 1],
        ]))
      #expect(estimate["cost"] == .null)
      #expect(estimate["latency"]?["source"] == "given")
      #expect(estimate["budget"]?["suffices"] == ["maxCalls": "no", "maxTokens": "yes", "maxCost": "unknown"])
      #expect(
        estimate["assumptions"]?.arrayValue?.contains { $0.stringValue?.contains("is not known") == true } == true)
    }
  }
}
