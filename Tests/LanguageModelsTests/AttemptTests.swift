import Failures
import LanguageModels
import Messages
import Synchronization
import Testing

@Suite("Late answers", .timeLimit(.minutes(1)))
struct AttemptTests {
  private static let usage = TokenUsage(inputTokens: 10, outputTokens: 5)
  /// Stands still, so that a request is late when a test says so and not when the machine is busy.
  private let time = FakeTime()

  /// Calls, and lets so many requests become late, one after the other.
  private func complete(
    _ client: ModelClient, _ model: ScriptedModel, account: RunAccount, late: Int = 1
  ) async throws -> ModelAnswer {
    let call = Task { try await client.complete(prompt(), context: CallContext(account: account)) }
    for number in 1...late {
      #expect(await eventually { model.calls == number })
      // The second request is given twice as long as the first.
      time.advance(Double(number))
    }
    return try await call.value
  }

  /// A model whose first request hangs as long as the gate is shut.
  private func hanging(_ gate: Gate, isElastic: Bool = true) -> ScriptedModel {
    ScriptedModel(isElastic: isElastic) { _, call throws(ModelFailure) in
      if call == 1 { try await gate.pass() }
      return ModelReply(texts: ["answer \(call)"], usage: AttemptTests.usage)
    }
  }

  @Test("a second request is made for one that is late; the first answer wins, the other request is aborted and billed")
  func second() async throws {
    let gate = Gate()
    let model = hanging(gate)
    let account = RunAccount(budget: Budget(Budget.Limits(maxCalls: 2)))
    let limiter = AdaptiveLimiter()
    let client = client(
      model,
      {
        $0.hedgeAfter = 1
        $0.sampling.maxTokens = 100
      }, limiter: limiter, pacing: time.pacing)
    let answer = try await complete(client, model, account: account)
    #expect(answer.reply.texts == ["answer 2"])
    #expect(model.calls == 2 && model.cancelled >= 1)
    #expect(account.usage.total.calls == 2 && account.usage.total.failed == 1)
    // Nobody knows what the aborted one took: the same prompt, and the most that its reply can have had.
    let lost = TokenUsage(inputTokens: Self.usage.inputTokens, outputTokens: 100)
    #expect(account.usage.total.tokens == Self.usage + lost)
    #expect(account.usage.total.estimated?.tokens == lost.totalTokens && account.usage.total.estimated?.requests == 1)
    #expect(account.budget.spent.calls == 2 && limiter.inFlight == 0)
  }

  @Test("a second request that is late too is followed by a third")
  func third() async throws {
    let gate = Gate()
    let model = ScriptedModel(isElastic: true) { _, call throws(ModelFailure) in
      if call < 3 { try await gate.pass() }
      return ModelReply(texts: ["answer \(call)"])
    }
    let account = RunAccount()
    let client = client(model, { $0.hedgeAfter = 1 }, pacing: time.pacing)
    #expect(try await complete(client, model, account: account, late: 2).reply.texts == ["answer 3"])
    #expect(account.usage.total.calls == 3 && account.usage.total.failed == 2)
  }

  @Test("late requests do not fill up what the endpoint takes at once")
  func capacity() async throws {
    let gate = Gate()
    let model = hanging(gate)
    let limiter = AdaptiveLimiter(limit: 1, ceiling: 1)
    let client = client(model, { $0.hedgeAfter = 1 }, limiter: limiter, pacing: time.pacing)
    let answers = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<5 {
        group.addTask {
          try await client.complete(prompt("\(number)"), context: CallContext(account: RunAccount())).reply.texts[0]
        }
      }
      // The only request that the endpoint takes hangs; its place goes to the one beside it, and on to the others.
      #expect(await eventually { model.calls == 1 })
      time.advance(1)
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 5 && model.calls == 6 && limiter.inFlight == 0)
  }

  @Test("an answer that comes in second place is paid for too")
  func bothAnswer() async throws {
    let first = Gate()
    let model = ScriptedModel(isElastic: true) { _, call throws(ModelFailure) in
      // Heeds no cancellation, and answers when the other one has.
      if call == 1 { await Task.detached { try? await first.pass() }.value } else { first.open() }
      return ModelReply(texts: ["same"], usage: AttemptTests.usage)
    }
    let account = RunAccount()
    let client = client(model, { $0.hedgeAfter = 1 }, pacing: time.pacing)
    _ = try await complete(client, model, account: account)
    #expect(account.usage.total.calls == 2)
    #expect(account.usage.total.tokens == TokenUsage(inputTokens: 20, outputTokens: 10))
    #expect(account.budget.spent.tokens == 30)
  }

  @Test("there is no second request where the budget has no room for it, and the first still answers")
  func budget() async throws {
    let gate = Gate()
    let model = hanging(gate)
    let account = RunAccount(budget: Budget(Budget.Limits(maxCalls: 1)))
    let client = client(model) { $0.hedgeAfter = 0.01 }
    let call = Task { try await client.complete(prompt(), context: CallContext(account: account)) }
    #expect(await eventually { model.calls == 1 })
    try await Task.sleep(for: .milliseconds(60))
    gate.open()
    #expect(try await call.value.reply.texts == ["answer 1"])
    #expect(model.calls == 1 && account.budget.spent.calls == 1)
  }

  @Test("there is none either where it is switched off, or the endpoint is not fit for it", arguments: [true, false])
  func off(isElastic: Bool) async throws {
    let gate = Gate()
    let model = hanging(gate, isElastic: isElastic)
    // Everything is late at once.
    let times = ResponseTimes()
    let client = client(
      model,
      {
        if isElastic {
          $0.hedge = false
          $0.hedgeAfter = 0.001
        }
      }, times: times)
    let call = Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    #expect(await eventually { model.calls == 1 })
    try await Task.sleep(for: .milliseconds(50))
    gate.open()
    _ = try await call.value
    #expect(model.calls == 1)
  }

  @Test("a first request that fails while a second is under way leaves the answer to that one")
  func firstFails() async throws {
    let gate = Gate()
    let account = RunAccount()
    let model = ScriptedModel(isElastic: true) { _, call throws(ModelFailure) in
      if call == 1 {
        try await gate.pass()
        throw failure(.languageModelUnavailable, .backOff)
      }
      gate.open()
      // Until the first one's failure is on the bill.
      guard await eventually({ account.usage.total.failed == 1 }) else { throw failure(.timeout, .never) }
      return ModelReply(texts: ["answer \(call)"])
    }
    let client = client(
      model,
      {
        $0.hedgeAfter = 1
        $0.retries = 0
      }, pacing: time.pacing)
    #expect(try await complete(client, model, account: account).reply.texts == ["answer 2"])
    #expect(account.usage.total.calls == 2 && account.usage.total.failed == 1)
  }

  @Test("cancelling ends all requests at once, even of a model that heeds no cancellation")
  func cancelled() async throws {
    let gate = Gate()
    let model = ScriptedModel(isElastic: true) { _, _ in
      await Task.detached { try? await gate.pass() }.value
      return ModelReply(texts: ["late"])
    }
    let account = RunAccount()
    let limiter = AdaptiveLimiter()
    let client = client(model, { $0.hedgeAfter = 1 }, limiter: limiter, pacing: time.pacing)
    let call = Task { try await client.complete(prompt(), context: CallContext(account: account)) }
    #expect(await eventually { model.calls == 1 })
    time.advance(1)
    #expect(await eventually { model.calls == 2 })
    call.cancel()
    // The gate is shut still.
    await #expect { try await call.value } throws: { ($0 as? HoneError)?.kind == .cancelled }
    // The bill is written by the task that works for all callers, which ends on its own.
    #expect(await eventually { account.usage.total.calls == 2 && limiter.inFlight == 0 })
    gate.open()
  }

  @Test("whichever of two answers is kept, a call that is made again gets that one")
  func kept() async throws {
    let gate = Gate()
    let model = hanging(gate)
    let store = MemoryAnswerStore()
    let client = client(model, { $0.hedgeAfter = 1 }, answers: store, pacing: time.pacing)
    let first = try await complete(client, model, account: RunAccount(runID: "r"))
    gate.open()
    let again = try await client.complete(prompt(), context: CallContext(account: RunAccount(runID: "r")))
    #expect(first.reply == again.reply && again.source == .cache && store.count == 1)
  }
}

@Suite("ResponseTimes")
struct ResponseTimesTests {
  @Test("lateness and deadline follow what answers usually take, between bounds")
  func follow() {
    let times = ResponseTimes()
    #expect(times.lateness == 20 && times.deadline(passed: 0) == 120)
    times.noteAnswer(after: 0.1)
    // One answer says little: 3 × 8 times what it took.
    #expect(abs(times.lateness - 2.4) < 1e-9 && times.deadline(passed: 0) == 120)
    times.noteAnswer(after: 0.5)
    #expect(times.lateness == 6)
    for _ in 0..<5 { times.noteAnswer(after: 0.1) }
    #expect(abs(times.lateness - 3 * 0.5 * 8 / 7) < 1e-9)
    times.noteAnswer(after: 0.1)
    #expect(times.lateness == 1 && times.deadline(passed: 0) == 5)
    for _ in 0..<200 { times.noteAnswer(after: 2) }
    #expect(times.lateness == 6 && times.deadline(passed: 0) == 20)
    for _ in 0..<200 { times.noteAnswer(after: 50) }
    #expect(times.lateness == 150 && times.deadline(passed: 0) == 120)
  }

  @Test("a slow model's first answers leave the first requests their time")
  func slowBeginning() {
    let times = ResponseTimes()
    times.noteAnswer(after: 15)
    #expect(times.lateness == 20)
    for _ in 0..<4 { times.noteAnswer(after: 2) }
    #expect(times.lateness == 20)
  }

  @Test("a few slow answers among many do not count, and each deadline that passes doubles the next")
  func outliers() {
    let times = ResponseTimes()
    for number in 0..<100 { times.noteAnswer(after: number % 25 == 0 ? 60 : 1) }
    #expect(times.lateness == 3 && times.deadline(passed: 0) == 10)
    #expect((1...8).map { times.deadline(passed: $0) } == [20, 40, 80, 160, 320, 600, 600, 600])
  }

  @Test("calls of a role that is new are judged by all others, with some allowance")
  func overall() {
    let overall = ResponseTimes()
    let tasks = ResponseTimes(overall: overall)
    let prompts = ResponseTimes(overall: overall)
    for _ in 0..<8 { tasks.noteAnswer(after: 1) }
    #expect(tasks.lateness == 3 && prompts.lateness == 12)
    #expect(tasks.deadline(passed: 0) == 10 && prompts.deadline(passed: 0) == 40)
  }

  @Test("an endpoint that has become slow altogether is learned anew")
  func forgets() {
    let times = ResponseTimes()
    for _ in 0..<20 { times.noteAnswer(after: 0.1) }
    for _ in 0..<7 { times.noteDeadlinePassed() }
    times.noteAnswer(after: 0.1)
    for _ in 0..<7 { times.noteDeadlinePassed() }
    #expect(times.deadline(passed: 0) == 5)
    times.noteDeadlinePassed()
    #expect(times.deadline(passed: 0) == 120)
  }

  @Test("second requests stay a share of the first ones")
  func share() {
    let times = ResponseTimes()
    var taken = 0
    for _ in 0..<100 where times.takeRepeat() { taken += 1 }
    #expect(taken == 8)
    for _ in 0..<100 {
      times.noteSent()
      if times.takeRepeat() { taken += 1 }
    }
    #expect(taken == 8 + 25)
  }
}
