package import Basics
package import Failures
package import Messages
import Platform
import Synchronization

/// What one run has asked for and paid, all roles, and what it may still spend.
package final class RunAccount: Sendable {
  /// The run that calls are made for; nil for calls outside any run.
  package let runID: String?
  /// The bounds of what may be spent, shared with other accounts where they were given the same budget.
  package let budget: Budget
  private let figures: Mutex<UsageReport>
  private let replays: Mutex<Set<ContentDigest>>
  /// Failed requests that are not in the store yet.
  private let unkept = Mutex<[FailedRequests]>([])
  /// Why an answer that was paid for is lost.
  private let loss = Mutex<HoneError?>(nil)
  private let failures = Mutex<[CallRole: Int]>([:])
  /// Calls that were refused for their text: they would be again.
  private let refusals = Mutex<[ContentDigest: HoneError]>([:])
  private let waits = Mutex((last: 0, tell: (@Sendable (EndpointWait) -> Void)?.none))
  private let payments = Mutex((open: 0, waiting: [Promise<Void>]()))

  /// - Parameters:
  ///   - paidBefore: what the run had paid before it was interrupted; it counts in `usage` and against the budget.
  ///   - replays: the keys of the answers it had paid for, which it will meet again.
  package init(
    runID: String? = nil, budget: Budget = Budget(), paidBefore: UsageReport = UsageReport(),
    replays: Set<ContentDigest> = []
  ) {
    self.runID = runID
    self.budget = budget
    figures = Mutex(paidBefore)
    self.replays = Mutex(replays)
    let paid = paidBefore.total
    if paid != UsageReport.Entry() {
      budget.charge(Budget.Amount(calls: paid.calls, tokens: paid.tokens.totalTokens, cost: paid.knownCost))
    }
  }

  /// What was asked for so far, that before an interruption included.
  package var usage: UsageReport { figures.withLock { $0 } }

  /// Whether an answer found in the store is one that the run paid for before it was interrupted, met for the first
  /// time since: it is in the bill as a call, and counts as no other.
  func takeReplay(of key: ContentDigest) -> Bool { replays.withLock { $0.remove(key) != nil } }

  /// Whether the run had an answer under that key before it was interrupted. Spares a run that is new the look into the
  /// store.
  package func hadAnswer(for key: ContentDigest) -> Bool { replays.withLock { $0.contains(key) } }

  /// Notes an answer that came without asking a model.
  package func noteCached(_ role: CallRole) { note(role) { $0.cached += 1 } }

  /// Notes a request that was sent, and what it cost in US dollars (nil where the price is not known).
  ///
  /// - Parameter isEstimated: whether nobody counted the tokens.
  package func noteSent(
    _ role: CallRole, failed: Bool, tokens: TokenUsage = TokenUsage(), cost: Double? = 0, isEstimated: Bool = false
  ) {
    note(role) {
      $0.calls += 1
      if failed { $0.failed += 1 }
      $0.tokens += tokens
      if let cost { $0.knownCost += cost } else { $0.unpriced += 1 }
      if isEstimated { $0.estimates += .init(requests: 1, tokens: tokens.totalTokens, cost: cost ?? 0) }
    }
    guard failed, runID != nil else { return }
    unkept.withLock {
      $0.append(FailedRequests(role: role, requests: 1, tokens: tokens, cost: cost, isEstimated: isEstimated))
    }
  }

  /// How many calls of a role have failed in a row with all their attempts, with none answered between them.
  package func failuresInARow(_ role: CallRole) -> Int { failures.withLock { $0[role] ?? 0 } }

  func noteCall(_ role: CallRole, failed: Bool) {
    failures.withLock { $0[role] = failed ? ($0[role] ?? 0) + 1 : 0 }
  }

  private static let mostRefusals = 10_000

  /// Why the endpoint refused a call of that key earlier in the run; nil where it did not.
  func refusal(of key: ContentDigest) -> HoneError? { refusals.withLock { $0[key] } }

  func note(refusal error: HoneError, of key: ContentDigest) {
    refusals.withLock { known in
      if known.count < Self.mostRefusals { known[key] = error }
    }
  }

  /// Has `tell` called whenever the run has to wait for an endpoint; at once, and in no task of the run.
  package func onWait(_ tell: @escaping @Sendable (EndpointWait) -> Void) { waits.withLock { $0.tell = tell } }

  /// Shorter waits are no news.
  private static let leastWait = 2.0

  /// Tells that a call waits. Calls that wait for the same tell it once.
  func announce(_ seconds: Double, _ endpoint: String, _ reason: String) {
    guard seconds >= Self.leastWait else { return }
    let wait = EndpointWait(endpoint: endpoint, seconds: seconds, reason: reason)
    let tell = waits.withLock { waits -> (@Sendable (EndpointWait) -> Void)? in
      guard wait.until > waits.last + 1000 else { return nil }
      waits.last = wait.until
      return waits.tell
    }
    tell?(wait)
  }

  func beginPayment() { payments.withLock { $0.open += 1 } }

  func endPayment() {
    let waiting = payments.withLock { payments in
      payments.open -= 1
      guard payments.open == 0 else { return [Promise<Void>]() }
      defer { payments.waiting = [] }
      return payments.waiting
    }
    for promise in waiting { promise.fulfil(()) }
  }

  /// How long calls that were cancelled may take to write their bills.
  private static let closingPeriod = 0.25

  /// Makes the bill whole when the work has ended: waits for calls whose callers have left, and keeps what failed.
  package func close(in store: any AnswerStore) async throws(HoneError) {
    let promise = payments.withLock { payments -> Promise<Void>? in
      guard payments.open > 0 else { return nil }
      let promise = Promise<Void>()
      payments.waiting.append(promise)
      return promise
    }
    if let promise {
      // One that others wait for, too, goes on.
      let alarm = Alarms.shared.set(in: Self.closingPeriod) { promise.fulfil(()) }
      await promise.wait()
      Alarms.shared.clear(alarm)
    }
    try await keepFailures(in: store)
  }

  /// Keeps the failed requests noted so far, so that they are on the bill when the run is done again.
  func keepFailures(in store: any AnswerStore, closing notes: [RequestNote] = []) async throws(HoneError) {
    guard let runID else { return }
    let failed = unkept.withLock { unkept in
      defer { unkept = [] }
      return unkept
    }
    if !failed.isEmpty || !notes.isEmpty { try await store.keep(failed, run: runID, closing: notes) }
  }

  /// Notes that an answer could not be kept, so that nothing more is paid for.
  func noteLoss(_ error: HoneError) { loss.withLock { $0 = $0 ?? error } }

  /// - Throws: why an answer could not be kept, if one could not.
  func checkLosses() throws(HoneError) {
    if let error = loss.withLock({ $0 }) { throw error }
  }

  /// Notes the seconds that a caller waited for a model.
  package func noteWaiting(_ role: CallRole, seconds: Double) { note(role) { $0.seconds += seconds } }

  private func note(_ role: CallRole, _ change: (inout UsageReport.Entry) -> Void) {
    figures.withLock { change(&$0.byRole[role, default: UsageReport.Entry()]) }
  }
}
