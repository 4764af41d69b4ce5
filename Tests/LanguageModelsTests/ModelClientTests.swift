import Basics
import Failures
import JSON
import LanguageModels
import Messages
import Synchronization
import Testing

@Suite("ModelClient", .timeLimit(.minutes(1)))
struct ModelClientTests {
  @Test("a second equal call is answered from the store and costs nothing")
  func cache() async throws {
    let model = ScriptedModel()
    let account = RunAccount(runID: "run")
    let client = client(model) { $0.price = .init(input: 1_000_000, output: 2_000_000) }
    let first = try await client.complete(prompt(), context: CallContext(account: account))
    let second = try await client.complete(prompt(), context: CallContext(account: account, role: .judge))
    #expect(first.source == .model && first.cost == 20)
    #expect(second.source == .cache && second.cost == 0)
    #expect(first.reply == second.reply)
    #expect(model.calls == 1)
    #expect(account.usage[.task].calls == 1 && account.usage[.judge].cached == 1)
    #expect(account.usage.total.cost == 20)
    #expect(account.usage.total.tokens == TokenUsage(inputTokens: 10, outputTokens: 5))
  }

  @Test("several completions that an earlier version kept as one answer are not paid again")
  func keptWhole() async throws {
    let store = MemoryAnswerStore()
    func two(_ configuration: inout ModelConfiguration) { configuration.sampling.n = 2 }
    // As it was kept: one answer, whether the endpoint had been asked once or twice.
    let whole = client(
      ScriptedModel { _, _ throws(ModelFailure) in ModelReply(texts: ["a", "b"]) }, two, answers: store)
    _ = try await whole.complete(prompt(), context: CallContext(account: RunAccount(runID: "run")))

    let model = ScriptedModel(splitsChoices: true)
    let now = client(model, two, answers: store)
    let request = ModelRequest(prompt: prompt(), options: now.configuration.sampling)
    let key = now.key(of: request, context: CallContext(account: RunAccount()))
    let resumed = RunAccount(runID: "run", replays: [key])
    let answer = try await now.complete(prompt(), context: CallContext(account: resumed))
    #expect(answer.reply.texts == ["a", "b"] && model.calls == 0)
    // It stands in the run's bill already, and for others costs nothing.
    #expect(answer.source == .model && resumed.usage.total.calls == 0)
    let other = try await now.complete(prompt(), context: CallContext(account: RunAccount()))
    #expect(other.source == .cache && other.cost == 0 && model.calls == 0)
    // What was not kept is asked for in parts.
    #expect(try await now.complete(prompt("new"), context: CallContext(account: RunAccount())).reply.texts.count == 2)
    #expect(model.calls == 2)
  }

  @Test("an answer is in the store before the caller has it")
  func keptBeforeReturned() async throws {
    let store = SlowStore()
    let client = client(ScriptedModel(), answers: store)
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    #expect(store.kept == 1)
  }

  @Test("an answer that cannot be kept fails the call, but is paid; then nothing more is paid for")
  func storeFails() async {
    let account = RunAccount(runID: "run")
    let model = ScriptedModel()
    let client = client(model, answers: BrokenStore())
    for text in ["first", "second"] {
      let error = await errorOf { () throws(HoneError) in
        try await client.complete(prompt(text), context: CallContext(account: account))
      }
      #expect(error?.kind == .storeUnavailable)
      #expect(account.usage.total.calls == 1 && model.calls == 1)
    }
  }

  @Test("without cache, a run meets its own answers again and nobody else's")
  func uncached() async throws {
    let model = ScriptedModel()
    let client = client(model) { $0.cache = false }
    let context = CallContext(account: RunAccount(runID: "a"), scope: "row 1")
    _ = try await client.complete(prompt(), context: context)
    #expect(try await client.complete(prompt(), context: context).source == .cache)
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount(runID: "a"), scope: "row 2"))
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount(runID: "b"), scope: "row 1"))
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    #expect(model.calls == 5)
  }

  @Test("equal calls at the same time become one; every caller gets the answer, one pays")
  func singleFlight() async throws {
    let gate = Gate()
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      try await gate.pass()
      return ModelReply(texts: ["one"])
    }
    let account = RunAccount()
    let client = client(model)
    let answers = try await withThrowingTaskGroup(of: ModelAnswer.self) { group in
      for _ in 0..<20 {
        group.addTask { try await client.complete(prompt(), context: CallContext(account: account)) }
      }
      #expect(await eventually { model.calls == 1 })
      gate.open()
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 20 && answers.allSatisfy { $0.reply.texts == ["one"] })
    #expect(answers.filter { $0.source == .model }.count == 1)
    #expect(model.calls == 1)
    #expect(account.usage.total.calls == 1 && account.usage.total.cached == 19)
  }

  @Test("calls with different stores are not merged")
  func storesApart() async throws {
    let gate = Gate()
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      try await gate.pass()
      return ModelReply(texts: ["one"])
    }
    let stores = [MemoryAnswerStore(), MemoryAnswerStore()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for store in stores {
        let client = client(model, answers: store)
        group.addTask { _ = try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
      }
      #expect(await eventually { model.calls == 2 })
      gate.open()
      try await group.waitForAll()
    }
    #expect(stores.map(\.count) == [1, 1])
  }

  @Test("a cancelled caller returns at once, the others get the answer of the one call")
  func cancelledWaiter() async throws {
    let gate = Gate()
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      try await gate.pass()
      return ModelReply(texts: ["one"])
    }
    let time = FakeTime()
    let client = client(model, pacing: time.pacing)
    let first = Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    // Who waits for a call has looked at the clock before; so has, twice, the one that makes it.
    #expect(await eventually { model.calls == 1 && time.readings == 3 })
    let second = Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    #expect(await eventually { time.readings == 4 })
    // Even the one whose call it is may leave.
    first.cancel()
    await #expect(throws: HoneError.self) { try await first.value }
    gate.open()
    #expect(try await second.value.reply.texts == ["one"])
    #expect(model.calls == 1 && model.cancelled == 0)
  }

  @Test("a call that nobody waits for any more is aborted")
  func abandoned() async throws {
    let gate = Gate()
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      try await gate.pass()
      return ModelReply(texts: ["one"])
    }
    let client = client(model)
    let tasks = (0..<3).map { _ in
      Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    }
    #expect(await eventually { model.calls == 1 })
    try await Task.sleep(for: .milliseconds(20))
    for task in tasks { task.cancel() }
    for task in tasks { await #expect(throws: HoneError.self) { try await task.value } }
    #expect(await eventually { model.cancelled == 1 })
  }

  @Test("once its account is closed, calls that were cancelled add nothing to the bill")
  func closedBill() async throws {
    for round in 0..<40 {
      let model = ScriptedModel { _, call throws(ModelFailure) in
        if call % 2 == 0 { try await Gate().pass() }
        return ModelReply(texts: ["one"])
      }
      let client = client(model)
      let account = RunAccount(runID: "run \(round)")
      let store = MemoryAnswerStore()
      let tasks = (0..<16).map { number in
        Task { try? await client.complete(prompt("\(number)"), context: CallContext(account: account)) }
      }
      for _ in 0..<(round * 3) { await Task.yield() }
      for task in tasks { task.cancel() }
      for task in tasks { _ = await task.value }
      try await account.close(in: store)
      let bill = account.usage.total
      #expect(bill.calls >= model.calls)
      try await Task.sleep(for: .milliseconds(3))
      #expect(account.usage.total.calls == bill.calls && model.calls <= bill.calls)
    }
  }

  @Test("who shares a call is not harmed by the payer's budget")
  func othersBudget() async throws {
    let gate = Gate()
    let model = ScriptedModel { _, call throws(ModelFailure) in
      guard call == 1 else { return ModelReply(texts: ["two"]) }
      try await gate.pass()
      throw failure(.languageModelUnavailable, .backOff)
    }
    let client = client(model, pacing: FakeTime().pacing)
    let poor = RunAccount(budget: Budget(Budget.Limits(maxCalls: 1)))
    let first = Task { try await client.complete(prompt(), context: CallContext(account: poor)) }
    #expect(await eventually { model.calls == 1 })
    let second = Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    try await Task.sleep(for: .milliseconds(20))
    gate.open()
    await #expect { try await first.value } throws: { ($0 as? HoneError)?.kind == .budgetExhausted }
    #expect(try await second.value.reply.texts == ["two"])
  }

  @Test("a model that hangs and heeds no cancellation is left at the deadline")
  func deadline() async {
    let gate = Gate()
    let model = ScriptedModel { _, _ in
      await Task.detached { _ = try? await gate.pass() }.value
      return ModelReply(texts: ["late"])
    }
    let client = client(
      model,
      {
        $0.timeout = 0.02
        $0.retries = 1
      }, pacing: FakeTime().pacing)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    }
    #expect(error?.kind == .timeout)
    #expect(error?.details["attempts"] == "2")
    // Both still wait here.
    gate.open()
  }

  @Test("cancellation ends a pause between attempts at once")
  func cancelledPause() async throws {
    let model = ScriptedModel { _, _ throws(ModelFailure) in throw failure(.rateLimited, .after(50)) }
    let client = client(model)
    let task = Task { try await client.complete(prompt(), context: CallContext(account: RunAccount())) }
    #expect(await eventually { model.calls == 1 })
    let started = ContinuousClock.now
    task.cancel()
    await #expect { try await task.value } throws: { ($0 as? HoneError)?.kind == .cancelled }
    // The pause itself would take 50 s.
    #expect(ContinuousClock.now - started < .seconds(40))
  }

  @Test("budgeted seconds end a call that hangs")
  func seconds() async {
    let gate = Gate()
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      try await gate.pass()
      return ModelReply(texts: ["late"])
    }
    let account = RunAccount(budget: Budget(Budget.Limits(maxSeconds: 0.3)))
    let client = client(model)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: account))
    }
    #expect(error?.kind == .budgetExhausted && error?.details["limit"] == "maxSeconds")
    #expect(await eventually { model.cancelled == model.calls })
  }
}

@Suite("ModelClient, retries", .timeLimit(.minutes(1)))
struct RetryTests {
  @Test("failures worth another attempt are tried again with growing pauses, each counted")
  func backOff() async throws {
    let time = FakeTime(random: 0.5)
    let model = ScriptedModel { _, call throws(ModelFailure) in
      if call < 4 { throw failure(.languageModelUnavailable, .backOff) }
      return ModelReply(texts: ["yes"])
    }
    let account = RunAccount()
    let client = client(model, pacing: time.pacing)
    _ = try await client.complete(prompt(), context: CallContext(account: account))
    #expect(time.pauses == [0.25, 0.5, 1])
    #expect(account.usage.total.calls == 4 && account.usage.total.failed == 3)
    #expect(account.budget.spent.calls == 4)
  }

  @Test("a failure that would come again is not tried again")
  func never() async {
    let model = ScriptedModel { _, _ throws(ModelFailure) in throw failure(.authentication, .never, "No key.") }
    let client = client(model)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    }
    #expect(model.calls == 1)
    #expect(error?.kind == .authentication)
    #expect(error?.message == "No key. (openai/test at scripted, 1 attempt)")
    #expect(error?.details == ["model": "openai/test", "endpoint": "scripted", "attempts": "1"])
  }

  @Test("a pause that the endpoint names is kept")
  func named() async throws {
    let time = FakeTime(random: 0)
    let model = ScriptedModel { _, call throws(ModelFailure) in
      if call == 1 { throw failure(.languageModelUnavailable, .after(7)) }
      return ModelReply(texts: ["yes"])
    }
    // One clock for both: the pause taken ends the limiter's hold as well.
    let client = client(model, limiter: AdaptiveLimiter(pacing: time.pacing), pacing: time.pacing)
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    #expect(time.pauses == [7])
  }

  @Test("retries end after the configured number")
  func limit() async {
    let model = ScriptedModel { _, _ throws(ModelFailure) in throw failure(.malformedReply, .backOff) }
    let client = client(model, { $0.retries = 2 }, pacing: FakeTime().pacing)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    }
    #expect(model.calls == 3 && error?.details["attempts"] == "3")
  }

  @Test("an empty answer is a failed attempt, and paid")
  func empty() async throws {
    let model = ScriptedModel { _, call in
      ModelReply(texts: [call == 1 ? " \n" : "yes"], usage: TokenUsage(inputTokens: 3, outputTokens: 1))
    }
    let account = RunAccount()
    let client = client(model, pacing: FakeTime().pacing)
    #expect(try await client.complete(prompt(), context: CallContext(account: account)).reply.texts == ["yes"])
    #expect(account.usage.total.tokens == TokenUsage(inputTokens: 6, outputTokens: 2))
    #expect(account.usage.total.failed == 1)
  }

  @Test("pauses are drawn from the whole range, whose upper bound doubles up to the cap")
  func policy() {
    let policy = RetryPolicy(retries: 20)
    func pause(
      _ faults: Int, _ advice: RetryAdvice, _ random: Double, _ kind: RetryPolicy.Fault = .serverError
    ) -> Double? {
      var history = RetryPolicy.History()
      for _ in 0..<faults { history.add(kind) }
      return policy.pause(after: kind, history, advice: advice, random: random)
    }
    #expect(pause(1, .backOff, 0) == 0)
    #expect((1...9).map { pause($0, .backOff, 1) } == [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
    // What sent garbage is up, and need not be spared.
    #expect(pause(1, .backOff, 1, .malformed) == 0.1 && pause(1, .backOff, 1, .late) == 0.1)
    #expect(pause(1, .after(5), 0) == 5)
    #expect(pause(1, .after(5), 1) == 5.5)
    // Whoever waits says how long at most; nobody is asked sooner than told.
    #expect(pause(1, .after(86_400), 0) == 86_400 && pause(1, .after(86_400), 1) == 86_406)
    #expect(pause(1, .after(-3), 0) == 0)
    #expect(pause(1, .never, 0) == nil)
    #expect(pause(21, .backOff, 0) == nil)
  }

  @Test(
    "unless a number is stated, each kind of fault has its own patience",
    arguments: [
      (FailureKind.rateLimited, 13), (.malformedReply, 9), (.timeout, 5), (.languageModelUnavailable, 6),
    ])
  func patience(kind: FailureKind, attempts: Int) async {
    let model = ScriptedModel { _, _ throws(ModelFailure) in throw failure(kind, .backOff) }
    let client = client(model, pacing: FakeTime().pacing)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    }
    #expect(error?.kind == kind && model.calls == attempts)
  }

  @Test("faults of several kinds do not use up each other's patience")
  func mixed() async throws {
    let kinds: [FailureKind] = [.timeout, .malformedReply, .rateLimited, .languageModelUnavailable]
    let model = ScriptedModel { _, call throws(ModelFailure) in
      if call <= 16 { throw failure(kinds[call % 4], .backOff) }
      return ModelReply(texts: ["yes"])
    }
    let client = client(model, pacing: FakeTime().pacing)
    _ = try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    #expect(model.calls == 17)
  }

  @Test("no secret leaves in an error")
  func redacted() async {
    let model = ScriptedModel { _, _ throws(ModelFailure) in
      throw failure(.authentication, .never, "Wrong key sk-abcdefghijklmnop given.")
    }
    let client = client(model)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: RunAccount()))
    }
    #expect(error?.message.contains("abcdefgh") == false)
    #expect(error?.message.contains("[redacted]") == true)
  }
}

@Suite("ModelClient, keys", .timeLimit(.minutes(1)))
struct KeyTests {
  @Test("everything that can change an answer changes the key")
  func differences() {
    func key(
      identity: String = "m", _ prompt: Prompt = Prompt([ChatMessage(.user, "hello")]), rollout: Int = 0,
      run: String = "r", scope: String = "", _ change: (inout ModelConfiguration) -> Void = { _ in }
    ) -> ContentDigest {
      let client = client(ScriptedModel(identity: identity), change)
      let context = CallContext(account: RunAccount(runID: run), scope: scope, rollout: rollout)
      return client.key(of: ModelRequest(prompt: prompt, options: client.configuration.sampling), context: context)
    }
    let shared = SharedMessages([ChatMessage(.system, "s")])
    let keys = [
      key(), key(identity: "n"), key(prompt("other")), key(rollout: 1),
      key(Prompt([ChatMessage(.assistant, "hello")])),
      key(Prompt([ChatMessage(.user, "hel"), ChatMessage(.user, "lo")])),
      key(Prompt(shared: shared, own: [ChatMessage(.user, "hello")])),
      key { $0.sampling.temperature = 0 }, key { $0.sampling.temperature = 1 }, key { $0.sampling.topP = 0.5 },
      key { $0.sampling.maxTokens = 9 }, key { $0.sampling.stop = ["x"] }, key { $0.sampling.seed = 0 },
      key { $0.sampling.n = 2 }, key { $0.sampling.extra = ["reasoning_effort": "low"] },
      key { $0.cache = false }, key(run: "r2") { $0.cache = false }, key(scope: "row 1") { $0.cache = false },
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test("what cannot change an answer does not change the key")
  func sameness() {
    func key(
      run: String = "r", scope: String = "", _ change: (inout ModelConfiguration) -> Void = { _ in }
    ) -> ContentDigest {
      let client = client(ScriptedModel(), change)
      return client.key(
        of: ModelRequest(prompt: prompt(), options: client.configuration.sampling),
        context: CallContext(account: RunAccount(runID: run), scope: scope))
    }
    #expect(key() == key(run: "other"))
    #expect(key() == key(scope: "row 1"))
    #expect(
      key()
        == key {
          $0.retries = 0
          $0.timeout = 1
          $0.price = .init(input: 1)
        })
    #expect(
      key { $0.sampling.extra = ["a": 1, "b": 2] } == key { $0.sampling.extra = ["b": 2, "a": 1] })
  }

  @Test("options given with a call count as those of the configuration")
  func options() {
    var options = SamplingOptions()
    options.temperature = 1
    let plain = client(ScriptedModel())
    let warm = client(ScriptedModel()) { $0.sampling.temperature = 1 }
    let context = CallContext(account: RunAccount())
    #expect(
      plain.key(of: ModelRequest(prompt: prompt(), options: options), context: context)
        == warm.key(of: ModelRequest(prompt: prompt(), options: options), context: context))
  }
}

private final class SlowStore: AnswerStore {
  private let count = Mutex(0)
  var kept: Int { count.withLock { $0 } }
  func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? { nil }
  func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    try? await Task.sleep(for: .milliseconds(20))
    count.withLock { $0 += 1 }
  }
}

private final class BrokenStore: AnswerStore {
  func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer? { nil }
  func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    throw HoneError(.storeUnavailable, "The disk is full.")
  }
}
