import Failures
import LanguageModels
import Testing

@Suite("AdaptiveLimiter", .timeLimit(.minutes(1)))
struct AdaptiveLimiterTests {
  @Test("no more calls are in flight than the limit allows")
  func bound() async throws {
    let limiter = AdaptiveLimiter(limit: 3, ceiling: 3)
    let most = Locked(0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<60 {
        group.addTask {
          let permit = try await limiter.acquire()
          most.withLock { $0 = max($0, limiter.inFlight) }
          await Task.yield()
          limiter.release(permit, .succeeded)
        }
      }
      try await group.waitForAll()
    }
    #expect(most.withLock { $0 } == 3)
    #expect(limiter.inFlight == 0 && limiter.waiting == 0)
  }

  @Test("callers are served in the order in which they came")
  func order() async throws {
    let limiter = AdaptiveLimiter(limit: 1, ceiling: 1)
    let served = Locked<[Int]>([])
    let first = try await limiter.acquire()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<10 {
        group.addTask {
          let permit = try await limiter.acquire()
          served.withLock { $0.append(number) }
          limiter.release(permit, .neutral)
        }
        #expect(await eventually { limiter.waiting == number + 1 })
      }
      limiter.release(first, .neutral)
      try await group.waitForAll()
    }
    #expect(served.withLock { $0 } == Array(0..<10))
  }

  @Test("a refusal halves the limit, once for all calls that were under way")
  func decrease() async throws {
    let time = FakeTime()
    time.advance(100)
    let limiter = AdaptiveLimiter(limit: 64, pacing: time.pacing)
    var permits: [AdaptiveLimiter.Permit] = []
    for _ in 0..<64 { permits.append(try await limiter.acquire()) }
    time.advance(0.5)
    for permit in permits { limiter.release(permit, .refused(pause: nil)) }
    #expect(limiter.limit == 32)
    // A second later, a refusal of a call sent after the halving counts again.
    time.advance(1)
    for _ in 0..<32 { permits.append(try await limiter.acquire()) }
    for permit in permits.suffix(32) { limiter.release(permit, .refused(pause: nil)) }
    #expect(limiter.limit == 16)
  }

  @Test("refusals at low concurrency lower what was really in flight, never below one")
  func floor() async throws {
    let time = FakeTime()
    let limiter = AdaptiveLimiter(limit: 256, pacing: time.pacing)
    for _ in 0..<5 {
      time.advance(2)
      limiter.release(try await limiter.acquire(), .refused(pause: nil))
    }
    #expect(limiter.limit == 1)
  }

  @Test("a round of successes at the limit adds one")
  func increase() async throws {
    let limiter = AdaptiveLimiter(limit: 4)
    for _ in 0..<3 {
      var permits: [AdaptiveLimiter.Permit] = []
      for _ in 0..<limiter.limit { permits.append(try await limiter.acquire()) }
      for permit in permits { limiter.release(permit, .succeeded) }
    }
    #expect((5...7).contains(limiter.limit))
    let idle = AdaptiveLimiter(limit: 100)
    for _ in 0..<500 { idle.release(try await idle.acquire(), .succeeded) }
    #expect(idle.limit == 100, "successes that did not test the limit say nothing about it")
  }

  @Test("a pause that one caller was told holds back all others")
  func hold() async throws {
    let limiter = AdaptiveLimiter()
    limiter.release(try await limiter.acquire(), .refused(pause: 0.1))
    let started = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<3 { group.addTask { limiter.release(try await limiter.acquire(), .succeeded) } }
      try await group.waitForAll()
    }
    #expect(ContinuousClock.now - started >= .milliseconds(90))
  }

  @Test("a caller that is cancelled while it waits leaves at once and takes no permit")
  func cancelled() async throws {
    let limiter = AdaptiveLimiter(limit: 1, ceiling: 1)
    let held = try await limiter.acquire()
    let task = Task { try await limiter.acquire() }
    #expect(await eventually { limiter.waiting == 1 })
    task.cancel()
    await #expect { try await task.value } throws: { ($0 as? HoneError)?.kind == .cancelled }
    #expect(limiter.waiting == 0)
    limiter.release(held, .neutral)
    #expect(limiter.inFlight == 0)
  }

  @Test("an endpoint has one limiter in the process")
  func shared() {
    #expect(AdaptiveLimiter.shared(for: "http://one") === AdaptiveLimiter.shared(for: "http://one"))
    #expect(AdaptiveLimiter.shared(for: "http://one") !== AdaptiveLimiter.shared(for: "http://two"))
  }
}
