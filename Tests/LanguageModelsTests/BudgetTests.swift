import Failures
import JSON
import LanguageModels
import Messages
import Schema
import Testing

@Suite("Budget", .timeLimit(.minutes(1)))
struct BudgetTests {
  @Test("calls are never more than allowed, and all that are allowed are made", arguments: [1, 8, 64])
  func calls(concurrency: Int) async {
    let model = ScriptedModel()
    let account = RunAccount(budget: Budget(Budget.Limits(maxCalls: 37)))
    let refused = await run(model, account, calls: 100, concurrency: concurrency)
    #expect(model.calls == 37 && account.budget.spent.calls == 37)
    #expect(refused.count == 63 && refused.allSatisfy { $0.kind == .budgetExhausted })
    #expect(refused.first?.details["limit"] == "maxCalls")
    #expect(throws: HoneError.self) { try account.budget.reserveNow(Budget.Amount(calls: 1)) }
  }

  @Test("tokens are never more than allowed, and most of them are used", arguments: [1, 8, 64])
  func tokens(concurrency: Int) async {
    let model = ScriptedModel { _, _ in
      await Task.yield()
      return ModelReply(texts: ["yes"], usage: TokenUsage(inputTokens: 20, outputTokens: 30))
    }
    let account = RunAccount(budget: Budget(Budget.Limits(maxTokens: 1000)))
    let refused = await run(model, account, calls: 60, concurrency: concurrency) { $0.sampling.maxTokens = 100 }
    let spent = account.budget.spent.tokens
    // A call may need up to some 130 tokens, and uses 50: none is refused while 130 are left.
    #expect(spent <= 1000 && spent > 1000 - 150)
    #expect(refused.allSatisfy { $0.details["limit"] == "maxTokens" } && !refused.isEmpty)
    #expect(account.usage.total.tokens.totalTokens == spent)
  }

  @Test("dollars are never more than allowed", arguments: [1, 8, 64])
  func cost(concurrency: Int) async {
    let model = ScriptedModel()
    let account = RunAccount(budget: Budget(Budget.Limits(maxCost: 0.01)))
    _ = await run(model, account, calls: 200, concurrency: concurrency) {
      $0.sampling.maxTokens = 10
      $0.price = .init(input: 10, output: 20)
    }
    #expect(account.budget.spent.cost <= 0.01)
    #expect(account.budget.spent.cost > 0.008)
  }

  @Test("attempts that fail count as calls")
  func failures() async {
    let model = ScriptedModel { _, _ throws(ModelFailure) in throw failure(.languageModelUnavailable, .backOff) }
    let account = RunAccount(budget: Budget(Budget.Limits(maxCalls: 3)))
    let client = client(model, pacing: FakeTime().pacing)
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: account))
    }
    #expect(error?.kind == .budgetExhausted && model.calls == 3)
  }

  @Test("cached answers are free of any budget")
  func cached() async throws {
    let account = RunAccount(budget: Budget(Budget.Limits(maxCalls: 1)))
    let client = client(ScriptedModel())
    for _ in 0..<5 { _ = try await client.complete(prompt(), context: CallContext(account: account)) }
    #expect(account.usage.total.cached == 4)
  }

  @Test("a bound on dollars refuses a model whose price is not known")
  func unknownPrice() async {
    let account = RunAccount(budget: Budget(Budget.Limits(maxCost: 1)))
    let model = ScriptedModel()
    let client = client(model) { $0.model = "openai/unheard-of" }
    let error = await errorOf { () throws(HoneError) in
      try await client.complete(prompt(), context: CallContext(account: account))
    }
    #expect(error?.kind == .invalidParams && error?.remedy?.contains("price") == true)
    #expect(model.calls == 0)
  }

  @Test("what was paid before an interruption counts")
  func resumed() async {
    var paid = UsageReport()
    paid[.task].calls = 9
    paid[.task].tokens = TokenUsage(inputTokens: 5, outputTokens: 5)
    let account = RunAccount(runID: "r", budget: Budget(Budget.Limits(maxCalls: 10)), paidBefore: paid)
    let model = ScriptedModel()
    _ = await run(model, account, calls: 5, concurrency: 1)
    #expect(model.calls == 1)
    #expect(account.usage.total.calls == 10 && account.budget.spent.tokens == 25)
  }

  @Test("time is measured from when the budget was made, on its clock")
  func time() {
    let time = FakeTime()
    time.advance(1000)
    let budget = Budget(Budget.Limits(maxSeconds: 10), pacing: time.pacing)
    #expect(budget.remainingSeconds == 10)
    time.advance(10)
    #expect(budget.remainingSeconds == 0)
    #expect { try budget.reserveNow(Budget.Amount(calls: 1)) } throws: {
      ($0 as? HoneError)?.details["limit"] == "maxSeconds"
    }
  }

  @Test("a refusal says what is spent, what is needed and what to do")
  func refusal() throws {
    let budget = Budget(Budget.Limits(maxTokens: 100))
    budget.charge(Budget.Amount(tokens: 60))
    #expect { try budget.reserveNow(Budget.Amount(calls: 1, tokens: 50)) } throws: { error in
      let error = error as? HoneError
      return error?.details == ["limit": "maxTokens", "maximum": "100", "spent": "60", "needed": "50"]
        && error?.remedy?.contains("budget.maxTokens") == true
    }
  }

  @Test("who waits for others to settle is served, or leaves when cancelled")
  func waiting() async throws {
    let budget = Budget(Budget.Limits(maxCalls: 2))
    let held = try await budget.reserve(Budget.Amount(calls: 2))
    let waiter = Task { try await budget.reserve(Budget.Amount(calls: 1)) }
    let other = Task { try await budget.reserve(Budget.Amount(calls: 1)) }
    other.cancel()
    await #expect { try await other.value } throws: { ($0 as? HoneError)?.kind == .cancelled }
    budget.refund(held)
    budget.settle(try await waiter.value, spent: Budget.Amount(calls: 1))
    #expect(budget.spent.calls == 1)
  }

  @Test("a request's budget is read with all its problems")
  func json() throws {
    let problems = ProblemList()
    let budget = try #require(
      Budget(["maxCalls": 5, "max_cost": 2.5], path: "budget", problems: problems))
    #expect(budget.limits == Budget.Limits(maxCalls: 5, maxCost: 2.5))
    #expect(budget.json == ["maxCalls": 5, "maxCost": 2.5])
    #expect(Budget(nil, path: "budget", problems: problems)?.limits == Budget.Limits())
    #expect(problems.isEmpty)
    #expect(Budget(["maxCalls": -1, "maxSecond": 3], path: "budget", problems: problems) == nil)
    #expect(problems.problems.map(\.path) == ["budget.maxCalls", "budget.maxSecond"])
    #expect(problems.problems.last?.suggestion == "maxSeconds")
    #expect(Budget(7, path: "budget", problems: ProblemList()) == nil)
  }

  /// Makes different calls, so many at once; the errors of those that failed.
  private func run(
    _ model: ScriptedModel, _ account: RunAccount, calls: Int, concurrency: Int,
    _ change: (inout ModelConfiguration) -> Void = { _ in }
  ) async -> [HoneError] {
    let client = client(model, change)
    let next = Locked(0)
    return await withTaskGroup(of: [HoneError].self) { group in
      for _ in 0..<concurrency {
        group.addTask {
          var errors: [HoneError] = []
          while true {
            let number = next.withLock { next in
              next += 1
              return next
            }
            guard number <= calls else { return errors }
            let error = await errorOf { () throws(HoneError) in
              try await client.complete(prompt("call \(number)"), context: CallContext(account: account))
            }
            if let error { errors.append(error) }
          }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }
}

@Suite("UsageReport")
struct UsageReportTests {
  @Test("figures are told in total and by role; an unknown price makes the cost unknown")
  func json() {
    let account = RunAccount()
    account.noteSent(.task, failed: false, tokens: TokenUsage(inputTokens: 10, outputTokens: 2), cost: 0.5)
    account.noteSent(.task, failed: true)
    account.noteCached(.judge)
    #expect(
      account.usage.json == [
        "calls": 2, "cached": 1, "failed": 1, "inputTokens": 10, "outputTokens": 2, "totalTokens": 12, "cost": 0.5,
        "byRole": [
          "task": [
            "calls": 2, "cached": 0, "failed": 1, "inputTokens": 10, "outputTokens": 2, "totalTokens": 12, "cost": 0.5,
          ],
          "judge": [
            "calls": 0, "cached": 1, "failed": 0, "inputTokens": 0, "outputTokens": 0, "totalTokens": 0, "cost": 0.0,
          ],
        ],
      ])
    account.noteSent(.teacher, failed: false, tokens: TokenUsage(inputTokens: 1), cost: nil)
    #expect(account.usage.json["cost"] == .null)
    #expect(account.usage.json["knownCost"] == 0.5)
    #expect(account.usage[.task].cost == 0.5 && account.usage[.teacher].cost == nil)
  }

  @Test("reports add up role by role")
  func sum() {
    var a = UsageReport()
    a[.task].calls = 1
    var b = UsageReport()
    b[.task].calls = 2
    b[.judge].cached = 3
    #expect((a + b)[.task].calls == 3 && (a + b).total.cached == 3)
  }
}

extension Budget {
  /// Reserves as a payer does: waits while others hold what is needed.
  fileprivate func reserve(_ need: Amount) async throws(HoneError) -> Reservation {
    while true {
      if let reservation = try reserveNow(need) { return reservation }
      try await waitForSettlement()
    }
  }
}
