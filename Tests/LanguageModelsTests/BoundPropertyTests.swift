import Failures
import LanguageModels
import Messages
import Synchronization
import Testing

/// What a budget promises, by the endpoint's own count.
@Suite("Bounds on what is produced", .timeLimit(.minutes(2)))
struct BoundPropertyTests {
  /// An endpoint that does its work and then, as the seed says, answers, answers badly, late, or not at all.
  private final class Endpoint: LanguageModel {
    let identity = "producer"
    let endpoint: String
    let isElastic = true
    let splitsChoices: Bool
    private let random: Mutex<SystemDraw>
    private let made = Mutex((calls: 0, usage: TokenUsage()))
    private let faults: Double

    init(seed: UInt64, splitsChoices: Bool, faults: Double) {
      endpoint = "producer \(seed)"
      self.splitsChoices = splitsChoices
      self.faults = faults
      random = Mutex(SystemDraw(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1))
    }

    var calls: Int { made.withLock { $0.calls } }
    var usage: TokenUsage { made.withLock { $0.usage } }

    func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
      let (fault, kind, length) = random.withLock { ($0.unit(), $0.below(9), $0.below(request.options.maxTokens ?? 1)) }
      let isFree = fault < faults && kind < 2
      let bytes = request.prompt.messages.reduce(0) { $0 + $1.content.utf8.count }
      let count = max(1, request.options.n)
      let usage = TokenUsage(inputTokens: bytes, outputTokens: (length + 1) * count)
      made.withLock { made in
        made.calls += 1
        if !isFree { made.usage += usage }
      }
      var reply = ModelReply(
        texts: Array(repeating: String(repeating: "ab ", count: length + 1), count: count), usage: usage)
      await Task.yield()
      guard fault < faults else { return reply }
      switch kind {
      case 0: throw ModelFailure(HoneError(.rateLimited, "Later."), retry: .backOff, spent: .nothing)
      case 1: throw ModelFailure(HoneError(.languageModelUnavailable, "Down."), retry: .backOff, spent: .nothing)
      case 2: throw ModelFailure(HoneError(.malformedReply, "Cut."), retry: .backOff)
      case 3: throw ModelFailure(HoneError(.malformedReply, "No choices."), retry: .backOff, spent: .counted(usage))
      case 4:
        reply.isUsageEstimated = true
        reply.usage = TokenUsage()
      case 5: reply.texts = reply.texts.map { _ in "" }
      case 6: try? await Task.sleep(for: .milliseconds(30))
      // Heeds no cancellation.
      case 7: await Task.detached { try? await Task.sleep(for: .milliseconds(60)) }.value
      default: throw ModelFailure(HoneError(.languageModelUnavailable, "The connection broke."), retry: .backOff)
      }
      return reply
    }
  }

  private struct SystemDraw: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }
    mutating func unit() -> Double { Double.random(in: 0..<1, using: &self) }
  }

  @Test("no mixture of faults, completions, callers that leave, and second requests passes a bound", arguments: 0..<40)
  func bounds(seed: Int) async throws {
    var draw = SystemDraw(state: UInt64(seed &+ 1) &* 0xBF58_476D_1CE4_E5B9 | 1)
    for _ in 0..<8 { _ = draw.next() }
    let endpoint = Endpoint(
      seed: UInt64(seed + 1), splitsChoices: draw.below(2) == 0, faults: [0, 0.3, 0.7][draw.below(3)])
    var limits = Budget.Limits()
    let kind = draw.below(4)
    if kind == 0 || kind == 3 { limits.maxCalls = 10 + draw.below(60) }
    if kind == 1 || kind == 3 { limits.maxTokens = 500 + draw.below(6000) }
    if kind == 2 || kind == 3 { limits.maxCost = 0.001 + draw.unit() * 0.05 }
    let budget = Budget(limits)
    let account = RunAccount(budget: budget)
    let price = PriceTable.Price(input: 1, output: 10)
    let choices = [1, 1, 2, 5][draw.below(4)]
    let client = client(
      endpoint,
      {
        $0.sampling.maxTokens = 20
        $0.sampling.n = choices
        $0.price = .init(input: 1, output: 10)
        $0.hedgeAfter = 0.005
        $0.timeout = 0.02
      }, pacing: Pacing(now: Pacing.real.now, sleep: { _ in await Task.yield() }, random: { 0.5 }))
    let concurrency = [1, 8, 64][draw.below(3)]
    let leaves = draw.below(2) == 0
    await withTaskGroup(of: Void.self) { group in
      for worker in 0..<concurrency {
        group.addTask {
          for number in 0..<max(3, 120 / concurrency) {
            let role = [CallRole.task, .judge, .prompt][number % 3]
            let call = Task {
              try await client.complete(
                prompt("\(worker) \(number)"), context: CallContext(account: account, role: role))
            }
            if leaves, number % 5 == 4 {
              await Task.yield()
              call.cancel()
            }
            _ = try? await call.value
          }
        }
      }
    }
    try await account.close(in: MemoryAnswerStore())
    let (made, bill) = (endpoint.usage, account.usage.total)
    #expect(endpoint.calls <= limits.maxCalls ?? .max)
    #expect(made.totalTokens <= limits.maxTokens ?? .max)
    #expect(price.cost(of: made) <= (limits.maxCost ?? .infinity) + 1e-9)
    // The bill is what the budget counted, and no less than what was produced where tokens are bounded.
    #expect(bill.calls == budget.spent.calls && bill.tokens.totalTokens == budget.spent.tokens)
    #expect(endpoint.calls <= bill.calls)
    if limits.maxTokens != nil || limits.maxCost != nil { #expect(made.totalTokens <= bill.tokens.totalTokens) }
    #expect(endpoint.calls > 0)
  }
}
