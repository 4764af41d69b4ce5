import Basics
import Failures
import GRDB
import JSON
import Messages
import Testing

@testable import Tracking

private func answer(_ text: String, role: CallRole = .task, run: String? = nil, cost: Double? = 0.5) -> StoredAnswer {
  StoredAnswer(
    reply: ModelReply(
      texts: [text, ""], finishReasons: ["stop"], usage: TokenUsage(inputTokens: 10, outputTokens: 3), model: "m-1"),
    model: "openai/m", role: role, runID: run, cost: cost, seconds: 0.25)
}

@Suite struct AnswerTests {
  @Test func `An answer comes back as it was kept`() async throws {
    try await withStore { store async throws in
      let key = ContentDigest.of("key")
      #expect(try store.answer(for: key) == nil)
      try await store.keep(answer("\"hé\u{0}\n", run: "r"), for: key)
      #expect(try store.answer(for: key) == answer("\"hé\u{0}\n", run: "r"))
      #expect(try store.answer(for: .of("other")) == nil)
      let bare = StoredAnswer(reply: ModelReply(texts: []), model: "", role: .judge)
      try await store.keep(bare, for: .of("bare"))
      #expect(try store.answer(for: .of("bare")) == bare)
    }
  }

  @Test func `The first answer under a key stays`() async throws {
    try await withStore { store async throws in
      let key = ContentDigest.of("key")
      try await store.keep(answer("first"), for: key)
      try await store.keep(answer("second"), for: key)
      #expect(try store.answer(for: key)?.reply.texts.first == "first")
    }
  }

  @Test func `What another process committed is seen at once`() async throws {
    try await withHome { home async throws in
      let (a, b) = (try TrackingStore.open(home: home), try TrackingStore.open(home: home))
      for index in 0..<20 {
        let key = ContentDigest.of("\(index)")
        #expect(try b.answer(for: key) == nil)
        try await a.keep(answer("\(index)"), for: key)
        #expect(try b.answer(for: key)?.reply.texts.first == "\(index)")
      }
      await a.close()
      await b.close()
    }
  }

  @Test func `Answers kept at once are committed in a few groups`() async throws {
    try await withStore { store async throws in
      await withTaskGroup(of: HoneError?.self) { group in
        for index in 0..<640 {
          group.addTask {
            await failure {
              try await store.keep(answer("\(index)"), for: .of("\(index)"))
              // Kept means: there for everybody.
              #expect(try store.answer(for: .of("\(index)")) != nil)
            }
          }
        }
        for await error in group { #expect(error == nil) }
      }
    }
  }

  @Test func `A run's bill is added up by role`() async throws {
    try await withStore { store async throws in
      try await store.keep(answer("1", role: .task, run: "r"), for: .of("1"))
      try await store.keep(answer("2", role: .task, run: "r", cost: nil), for: .of("2"))
      try await store.keep(answer("3", role: .judge, run: "r", cost: 0.25), for: .of("3"))
      try await store.keep(answer("4", role: .task, run: "other"), for: .of("4"))
      try await store.keep(answer("5", role: .task), for: .of("5"))
      let usage = TokenUsage(inputTokens: 10, outputTokens: 3)
      #expect(
        try await store.bill(run: "r") == [
          RoleTotal(role: .task, calls: 2, usage: usage + usage, cost: 0.5, unpricedCalls: 1, seconds: 0.5),
          RoleTotal(role: .judge, calls: 1, usage: usage, cost: 0.25, unpricedCalls: 0, seconds: 0.25),
        ])
      #expect(try await store.bill(run: "nobody").isEmpty)
    }
  }

  @Test func `Requests without an answer are on the bill until their answer is kept`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun()).id
      let request = FailedRequests(
        role: .task, requests: 1, tokens: TokenUsage(inputTokens: 3, outputTokens: 4), cost: 0.5, isEstimated: true)
      let note = try #require(try await store.noteSending(request, run: run))
      let open = try #require(try await store.bill(run: run).first)
      #expect(open.failed == 1 && open.usage == request.tokens && open.cost == 0.5)
      #expect(open.estimatedRequests == 1 && open.estimatedTokens == 7 && open.estimatedCost == 0.5)
      var answer = StoredAnswer(reply: ModelReply(texts: ["yes"]), model: "m", role: .task, runID: run, cost: 0)
      answer.notes = [note]
      try await store.keep(answer, for: .of("key"))
      #expect(try await store.bill(run: run).map(\.failed) == [0])
      #expect(try await store.bill(run: run).map(\.calls) == [1])
      // Kept by somebody else first, the answer is theirs; the request was made all the same.
      let second = try #require(try await store.noteSending(request, run: run))
      answer.notes = [second]
      try await store.keep(answer, for: .of("key"))
      try await store.keep(
        [FailedRequests(role: .judge, requests: 2, tokens: TokenUsage(inputTokens: 3, outputTokens: 4), cost: nil)],
        run: run,
        closing: [])
      let bill = try await store.bill(run: run)
      #expect(bill.map(\.role) == [.task, .judge])
      #expect(bill.map(\.failed) == [1, 2])
      #expect(bill.map(\.unpricedCalls) == [0, 2])
    }
  }

  @Test func `A run is made, cut off, taken up and ended as a whole`() async throws {
    try await withStore { store async throws in
      let run = try await store.beginRun(NewRun(), method: "compile", params: ["a": 1]).id
      #expect(try await store.processWorking(on: run) != nil)
      // Who works on it is this very process; still nobody else may.
      #expect(
        await failure { _ = try await store.reopenRun(run, params: [:], droppingTags: []) }?.kind == .invalidParams)
      try await store.requestStop(run: run)
      #expect(try await store.stopRequests() == [run])
      try await store.logTrial(run: run, number: 2, ["number": 2])
      try await store.logTrial(run: run, number: 1, ["number": 1])
      #expect(try await store.trials(run: run, after: 1).count == 1)
      try await store.endRun(
        run, status: .killed, seconds: 2.5, metrics: [MetricPoint("calls", 7)],
        tags: [KeyValue("hone.status", "PAUSED")],
        result: ["status": "PAUSED"])
      #expect(try await store.stopRequests().isEmpty)
      #expect(try await store.processWorking(on: run) == nil)
      #expect(try await store.result(run: run) == ["status": "PAUSED"])
      let kept = try await store.reopenRun(run, params: ["a": 2], droppingTags: ["hone.status"])
      #expect(kept.method == "compile" && kept.params == ["a": 2] && kept.seconds == 2.5)
      #expect(try await store.trials(run: run).isEmpty)
      #expect(try await store.result(run: run) == nil)
      #expect(try await store.run(run).info.status == .running)
      try await store.endRun(
        run, status: .finished, seconds: 1, metrics: [MetricPoint("calls", 9)], tags: [], result: [:])
      #expect(try await store.metricHistory(run: run, key: "calls").items.map(\.value) == [9])
      #expect(
        await failure { _ = try await store.reopenRun(run, params: [:], droppingTags: []) }?.kind == .invalidParams)
    }
  }
}
