import Evaluation
import HoneService
import JSON
import Jobs
import Schema
import Testing

@Suite("the trials of a search, for a person")
struct TrialDigestTests {
  private func trial(_ number: Int, _ verdict: String? = nil, best: Double = 10) throws -> TrialResult {
    var json: JSONObject = [
      "number": .int(number), "name": "eval_\(number)", "kind": "eval", "runId": .string("run\(number)"), "score": 50,
      "count": 4, "failed": 0, "coverage": 1, "interval": [15, 85], "bestSoFar": .double(best),
      "coordinates": ["0_predictor_instruction": 2, "0_predictor_demos": 1],
      "replies": ["count": 4, "unreadable": 0, "cut": 0, "repaired": 0],
    ]
    if let verdict {
      json["candidate"] = [
        "number": .int(number), "parents": [0], "change": "rule 1", "verdict": .string(verdict), "gain": 2.5,
        "pairs": 4,
      ]
    }
    return try #require(TrialResult(json: .object(json)))
  }

  @Test("up to forty trials are told whole")
  func few() throws {
    let trials = try (1...40).map { try trial($0) }
    let digest = TrialDigest(trials, bestRunID: nil, isWhole: false)
    #expect(digest.shown.map(\.number) == Array(1...40))
    #expect(digest.note == nil)
  }

  @Test("of more, those kept, the best and the last ones, and how many are left out")
  func many() throws {
    let trials = try (1...150).map { try trial($0, $0 % 50 == 0 ? "kept" : $0 % 2 == 0 ? "dropped" : "probe") }
    let digest = TrialDigest(trials, bestRunID: "run77", isWhole: false)
    #expect(digest.shown.map(\.number) == [1, 50, 77, 100] + Array(141...150))
    #expect(digest.note == "136 more trials (68 dropped, 68 probes) are not shown; --all-trials shows them")
    let whole = TrialDigest(trials, bestRunID: "run77", isWhole: true)
    #expect(whole.shown.count == 150 && whole.note == nil)
  }

  @Test("a search without notes shows where the best score rose; never more than fit")
  func rises() throws {
    let trials = try (1...60).map { try trial($0, best: $0 < 20 ? 10 : $0 < 35 ? 20 : 30) }
    #expect(TrialDigest(trials, bestRunID: nil, isWhole: false).shown.map(\.number) == [1, 20, 35] + Array(51...60))
    let rising = try (1...500).map { try trial($0, "kept", best: Double($0)) }
    #expect(TrialDigest(rising, bestRunID: nil, isWhole: false).shown.count <= TrialDigest.most)
  }

  @Test("a trial is one line, with or without a note")
  func lines() throws {
    #expect(
      try trial(3).line == "trial 3: instruction 2 with demo set 1; scored 50.00 on 4 rows, best so far 10.00")
    #expect(
      try trial(3, "dropped").line
        == "trial 3: candidate 3 from 0, rule 1: +2.5 on 4 rows, dropped; scored 50.00 on 4 rows, best so far 10.00")
  }

  @Test("a search's trials come with its run, each with what was tried in words")
  func ofARun() async throws {
    try await withService { service in
      let result = try await service.ask("compile", smallCompile())
      let run = try #require(result["runId"])
      let detail = try await service.ask("getRun", ["runId": run, "trials": true])
      #expect(detail["trials"] == result["trials"])
      #expect(try await service.ask("getRun", ["runId": run])["trials"] == nil)
      let words = try #require(result["trials"]?.arrayValue?.compactMap { $0["choice"]?.stringValue })
      #expect(words.first == "the program as it came")
      #expect(words.dropFirst().allSatisfy { $0.hasPrefix("instruction ") && $0.contains(" with demo set ") })
      let children = try await service.ask("listRuns", ["parentRunId": run, "maxResults": 100])
      let tags = Set(children["runs"]?.arrayValue?.compactMap { $0["tags"]?["hone.choice"]?.stringValue } ?? [])
      #expect(tags == Set(words))
    }
  }
}
