package import Failures
import JSON
package import LanguageModels
import Messages
package import Schema
import Synchronization

/// The most that the requests of one session may spend together, whatever each of them says.
///
/// A request's own budget counts within it. Seconds count while any of the requests is under way.
package final class SpendingCeiling: Sendable {
  /// How it is told to another process, which keeps it for one request.
  package struct Terms: ForeignRecord {
    package static let members: [Member<Self>] = [
      Member("limits", \.limits), Member("refusesUnknownPrices", \.refusesUnknownPrices),
    ]
    package var limits = Budget.Limits()
    package var refusesUnknownPrices = false

    package init() {}
  }

  package let budget: Budget
  /// Whether a model whose price is not known is refused, because dollars have to be bounded whatever it is.
  package let refusesUnknownPrices: Bool
  private let clock = BusyClock()

  package init(_ limits: Budget.Limits, refusesUnknownPrices: Bool = false) {
    let clock = clock
    var pacing = Pacing.real
    pacing.now = { clock.seconds }
    budget = Budget(limits, holder: .session, pacing: pacing)
    self.refusesUnknownPrices = refusesUnknownPrices
  }

  /// One for a single request in this process, on whose clock it is until it has ended.
  package convenience init(_ terms: Terms) {
    self.init(terms.limits, refusesUnknownPrices: terms.refusesUnknownPrices)
    begin()
  }

  /// A request has begun to work, and its seconds count; to be followed by `end`.
  package func begin() { clock.begin() }

  package func end() { clock.end() }

  /// What the session may still spend.
  package var left: Budget.Limits { budget.left }

  /// The budget of a request with these bounds of its own. A request that asks nothing but the simulated model spends
  /// nothing, so it has only the time in common with others.
  func budget(_ own: Budget.Limits?, asking models: [ModelConfiguration]) -> Budget {
    var own = own ?? Budget.Limits()
    guard models.allSatisfy(\.isSimulated) else { return Budget(own, within: budget) }
    if let seconds = budget.remainingSeconds { own.maxSeconds = min(own.maxSeconds ?? .infinity, max(0, seconds)) }
    return Budget(own)
  }

  /// A configuration with a price that no request can talk down. Dollars are bounded by it, so where Hone knows the
  /// price, a lower one does not count, and where it does not, what the request says cannot be relied on.
  ///
  /// - Returns: nil where the price has to be known and is not.
  func priced(_ configuration: ModelConfiguration) -> ModelConfiguration? {
    var listed = configuration
    listed.price = nil
    guard let known = PriceTable.price(of: listed) else { return refusesUnknownPrices ? nil : configuration }
    guard configuration.price != nil else { return configuration }
    listed.price = ModelConfiguration.Price(
      input: max(configuration.price?.input ?? 0, known.input),
      output: max(configuration.price?.output ?? 0, known.output))
    return listed
  }

  // MARK: Loans

  /// A part of it that is set aside for a request of another process.
  package struct Loan: Sendable {
    package var terms: Terms
    fileprivate var reservation: Budget.Reservation
  }

  /// Sets aside what a request asks for, of what it does not bound half of what is left, so that others can go on.
  ///
  /// - Throws: `budgetExhausted` where nothing is left.
  package func lend(_ own: Budget.Limits) throws(HoneError) -> Loan {
    while true {
      let left = left
      func part(_ own: Int?, _ left: Int?) -> Int? { left.map { min(own ?? ($0 + 1) / 2, $0) } }
      var terms = Terms()
      terms.refusesUnknownPrices = refusesUnknownPrices
      terms.limits.maxCalls = part(own.maxCalls, left.maxCalls)
      terms.limits.maxTokens = part(own.maxTokens, left.maxTokens)
      terms.limits.maxCost = left.maxCost.map { min(own.maxCost ?? $0 / 2, $0) }
      terms.limits.maxSeconds = left.maxSeconds
      let amount = Budget.Amount(
        calls: max(1, terms.limits.maxCalls ?? 0), tokens: terms.limits.maxTokens ?? 0, cost: terms.limits.maxCost ?? 0)
      // Between the look at what is left and this, others may have taken some.
      if let reservation = try budget.reserveNow(amount) {
        begin()
        return Loan(terms: terms, reservation: reservation)
      }
      guard left.maxCalls != 0 else {
        throw HoneError(
          .budgetExhausted, "All calls that are left of the operator's bounds are set aside for requests under way.",
          remedy: "Wait for one of them, or stop it with cancelRun.")
      }
    }
  }

  /// Takes a loan back.
  ///
  /// - Parameter usage: what the request came to; nil where nobody knows, so that all of it counts as spent.
  package func takeBack(_ loan: Loan, usage: UsageReport.Entry?) {
    end()
    guard let usage else { return budget.settle(loan.reservation, spent: loan.reservation.amount) }
    budget.settle(
      loan.reservation,
      spent: Budget.Amount(calls: usage.calls, tokens: usage.tokens.totalTokens, cost: usage.knownCost))
  }
}

/// Runs while anybody works.
private final class BusyClock: Sendable {
  private struct State {
    var workers = 0
    var since = 0.0
    var before = 0.0
  }

  private let state = Mutex(State())
  private let now = Pacing.real.now

  func begin() {
    let now = now()
    state.withLock { state in
      if state.workers == 0 { state.since = now }
      state.workers += 1
    }
  }

  func end() {
    let now = now()
    state.withLock { state in
      state.workers -= 1
      if state.workers == 0 { state.before += now - state.since }
    }
  }

  var seconds: Double {
    let now = now()
    return state.withLock { $0.before + ($0.workers > 0 ? now - $0.since : 0) }
  }
}
