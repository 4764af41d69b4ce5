package import Failures
package import JSON
import Platform
package import Schema
import Synchronization

/// The bounds of what a run may spend: calls, tokens, dollars, seconds. Never passed, whatever the
/// concurrency.
///
/// Before a request is sent, the most that it can cost is reserved; when it is done, the reservation
/// is settled for what it did cost. A request that does not fit beside what others hold reserved waits
/// for them; one that does not fit beside what is spent is refused.
package final class Budget: Sendable {
  /// Calls, tokens and dollars, spent or to be spent.
  package struct Amount: Sendable, Hashable {
    package var calls: Int
    package var tokens: Int
    package var cost: Double

    package init(calls: Int = 0, tokens: Int = 0, cost: Double = 0) {
      self.calls = calls
      self.tokens = tokens
      self.cost = cost
    }

    static func += (a: inout Amount, b: Amount) {
      a.calls += b.calls
      a.tokens += b.tokens
      a.cost += b.cost
    }

    static func -= (a: inout Amount, b: Amount) {
      a.calls -= b.calls
      a.tokens -= b.tokens
      a.cost -= b.cost
    }
  }

  /// The bounds; nil is no bound.
  package struct Limits: SchemaObject, Hashable {
    package static let members: [Member<Self>] = [
      Member("maxCalls", \.maxCalls, in: 0...Int.max, "The most model calls to make."),
      Member("maxTokens", \.maxTokens, in: 0...Int.max, "The most tokens to use."),
      Member("maxCost", \.maxCost, in: 0 ... .infinity, "The most US dollars to spend."),
      Member("maxSeconds", \.maxSeconds, in: 0 ... .infinity, "The most seconds to take."),
    ]

    package static var schema: Schema { Schema(.named("Budget"), "an object with bounds such as maxCalls") }
    /// What stands under that name.
    package static var shape: Schema { Schema(.object(fields)) }

    package var maxCalls: Int?
    package var maxTokens: Int?
    package var maxCost: Double?
    /// Counted from when the budget was made.
    package var maxSeconds: Double?

    package init() {}

    package init(
      maxCalls: Int? = nil, maxTokens: Int? = nil, maxCost: Double? = nil, maxSeconds: Double? = nil
    ) {
      self.maxCalls = maxCalls
      self.maxTokens = maxTokens
      self.maxCost = maxCost
      self.maxSeconds = maxSeconds
    }
  }

  /// Whose bounds they are.
  package enum Holder: Sendable {
    /// The request's own.
    case request
    /// The operator's, for all requests of a session.
    case session
  }

  /// What one request may spend. To be settled or refunded exactly once.
  package struct Reservation: Sendable { package let amount: Amount }

  private enum Verdict {
    case granted
    /// Fits, once others have settled.
    case busy
    case refused(HoneError)
  }

  private struct State {
    var spent = Amount()
    /// Seconds that count beside those since the budget was made.
    var secondsBefore = 0.0
    var reserved = Amount()
    var holders = 0
    /// Callers that wait for others to settle, in the order they came.
    var waiting: [UInt64: Promise<Void>] = [:]
    var nextTicket: UInt64 = 0
  }

  package let limits: Limits
  /// What several requests share: whatever this budget grants has to fit there, too.
  package let ceiling: Budget?
  /// Who can raise it, for messages.
  private let holder: Holder
  private let state = Mutex(State())
  private let now: @Sendable () -> Double
  private let started: Double

  /// A budget whose time begins now. Without limits it only adds up.
  package init(
    _ limits: Limits = Limits(), within ceiling: Budget? = nil, holder: Holder = .request, pacing: Pacing = .real
  ) {
    self.limits = limits
    self.ceiling = ceiling
    self.holder = holder
    now = pacing.now
    started = pacing.now()
  }

  /// Reads the `budget` of a request; notes every problem and then returns nil. Null is a budget without limits.
  package convenience init?(_ value: JSONValue, path: String, problems: ProblemList) {
    guard let limits = Limits?.read(value, at: path, problems) else { return nil }
    self.init(limits ?? Limits())
  }

  /// The limits that are set, as a request would state them.
  package var json: JSONObject { limits.given }

  /// What was spent so far, reservations left out.
  package var spent: Amount { state.withLock { $0.spent } }

  /// Seconds since the budget was made, and those added with `charge(seconds:)`.
  package var elapsed: Double { now() - started + state.withLock { $0.secondsBefore } }

  /// Whether there is any bound at all.
  package var isLimited: Bool { limits != Limits() || ceiling?.isLimited == true }

  /// Whether it matters how much a request may say: tokens or dollars are bounded.
  var boundsSize: Bool { limits.maxTokens != nil || limits.maxCost != nil || ceiling?.boundsSize == true }

  /// Seconds until the first `maxSeconds` is over, and the error of calls that it ends; nil without that limit.
  var timeLimit: (seconds: Double, error: HoneError)? {
    let own = limits.maxSeconds.map { ($0 - elapsed, timeIsUp($0)) }
    guard let above = ceiling?.timeLimit else { return own }
    guard let own, own.0 <= above.seconds else { return above }
    return own
  }

  /// Seconds until the first `maxSeconds` is over, nil without that limit.
  package var remainingSeconds: Double? { timeLimit?.seconds }

  /// What can still be reserved, never less than nothing: the least of its own and the ceiling's.
  package var left: Limits {
    let used = state.withLock { state in
      var used = state.spent
      used += state.reserved
      return used
    }
    let above = ceiling?.left
    func least<Value: Comparable>(_ own: Value?, _ above: Value?) -> Value? {
      guard let own, let above else { return own ?? above }
      return min(own, above)
    }
    return Limits(
      maxCalls: least(limits.maxCalls.map { max(0, $0 - used.calls) }, above?.maxCalls),
      maxTokens: least(limits.maxTokens.map { max(0, $0 - used.tokens) }, above?.maxTokens),
      maxCost: least(limits.maxCost.map { max(0, $0 - used.cost) }, above?.maxCost),
      maxSeconds: remainingSeconds.map { max(0, $0) })
  }

  // MARK: Reserving and settling

  /// Reserves `need`, the most that a request can spend, without waiting; nil where it does not fit beside what others hold reserved.
  /// - Throws: `budgetExhausted` where it can fit no more.
  package func reserveNow(_ need: Amount) throws(HoneError) -> Reservation? {
    if let maxSeconds = limits.maxSeconds, elapsed >= maxSeconds { throw timeIsUp(maxSeconds) }
    switch state.withLock({ judge(need, &$0) }) {
    case .granted: break
    case .busy: return nil
    case .refused(let error): throw error
    }
    let reservation = Reservation(amount: need)
    guard let ceiling else { return reservation }
    do throws(HoneError) {
      if try ceiling.reserveNow(need) != nil { return reservation }
    } catch {
      endHere(reservation, spent: Amount())
      throw error
    }
    endHere(reservation, spent: Amount())
    return nil
  }

  /// Whether `need` can still be spent, whatever others hold reserved.
  /// - Throws: `budgetExhausted` where it cannot.
  func check(_ need: Amount) throws(HoneError) {
    let verdict = state.withLock { state in
      var copy = State()
      copy.spent = state.spent
      return judge(need, &copy)
    }
    if case .refused(let error) = verdict { throw error }
    try ceiling?.check(need)
  }

  private func judge(_ need: Amount, _ state: inout State) -> Verdict {
    let spent = state.spent
    let held = state.reserved
    var isBusy = false
    if let most = limits.maxCalls {
      if spent.calls + need.calls > most { return .refused(exhausted("maxCalls", most, spent.calls, need.calls)) }
      isBusy = spent.calls + held.calls + need.calls > most
    }
    if let most = limits.maxTokens {
      let room = most - spent.tokens
      if need.tokens > room { return .refused(exhausted("maxTokens", most, spent.tokens, need.tokens)) }
      isBusy = isBusy || need.tokens > room - held.tokens
    }
    if let most = limits.maxCost {
      if spent.cost + need.cost > most { return .refused(exhausted("maxCost", most, spent.cost, need.cost)) }
      // Sums in floating point: the last reservation returned may leave a residue behind.
      isBusy = isBusy || (state.holders > 0 && spent.cost + held.cost + need.cost > most)
    }
    if isBusy, state.holders > 0 { return .busy }
    state.reserved += need
    state.holders += 1
    return .granted
  }

  /// Ends a reservation, with what was really spent.
  package func settle(_ reservation: Reservation, spent: Amount) {
    endHere(reservation, spent: spent)
    ceiling?.settle(reservation, spent: spent)
  }

  private func endHere(_ reservation: Reservation, spent: Amount) {
    wake(
      state.withLock { state in
        state.reserved -= reservation.amount
        state.holders -= 1
        if state.holders == 0 { state.reserved = Amount() }
        state.spent += spent
        return takeWaiting(&state)
      })
  }

  /// Ends a reservation of which nothing was spent: the request was never sent.
  package func refund(_ reservation: Reservation) { settle(reservation, spent: Amount()) }

  /// Adds what was spent without a reservation: an interrupted run's bill, which is none of the ceiling's.
  package func charge(_ amount: Amount) {
    wake(
      state.withLock { state in
        state.spent += amount
        return takeWaiting(&state)
      })
  }

  /// Adds time that passed before the budget was made: an interrupted run's.
  package func charge(seconds: Double) { state.withLock { $0.secondsBefore += seconds } }

  private func takeWaiting(_ state: inout State) -> [UInt64: Promise<Void>] {
    defer { state.waiting.removeAll() }
    return state.waiting
  }

  private func wake(_ waiting: [UInt64: Promise<Void>]) {
    for (_, promise) in waiting.sorted(by: { $0.key < $1.key }) { promise.fulfil(()) }
  }

  /// Waits until some reservation has ended, or none is held.
  package func waitForSettlement() async throws(HoneError) {
    // Whatever ends here ends there, and it may be the ceiling that has no room.
    if let ceiling { return try await ceiling.waitForSettlement() }
    let promise = Promise<Void>()
    let ticket = state.withLock { state -> UInt64? in
      guard state.holders > 0 else { return nil }
      let ticket = state.nextTicket
      state.nextTicket += 1
      state.waiting[ticket] = promise
      return ticket
    }
    if let ticket {
      await withTaskCancellationHandler {
        await promise.wait()
      } onCancel: {
        _ = state.withLock { $0.waiting.removeValue(forKey: ticket) }
        promise.fulfil(())
      }
    }
    if Task.isCancelled { throw .callCancelled }
  }

  // MARK: Refusals

  private func exhausted(_ limit: String, _ most: Int, _ spent: Int, _ need: Int) -> HoneError {
    exhausted(limit, most.description, spent.description, need.description, nothingLeft: spent >= most)
  }

  private func exhausted(_ limit: String, _ most: Double, _ spent: Double, _ need: Double) -> HoneError {
    exhausted(limit, most.description, spent.description, need.description, nothingLeft: spent >= most)
  }

  private func exhausted(
    _ limit: String, _ most: String, _ spent: String, _ need: String, nothingLeft: Bool
  ) -> HoneError {
    let why = nothingLeft ? "" : ", and the next call may need up to \(need)"
    return HoneError(
      .budgetExhausted, "\(title(limit, most)) is used up: \(spent) spent\(why).",
      remedy: remedy(limit, nothingLeft ? "" : ", or lower the model's maxTokens"),
      details: ["limit": limit, "maximum": most, "spent": spent, "needed": need])
  }

  private func title(_ limit: String, _ most: String) -> String {
    switch holder {
    case .request: "The budget's \(limit) of \(most)"
    case .session: "The operator's \(limit) of \(most) for all requests of this session"
    }
  }

  private func remedy(_ limit: String, _ other: String = "") -> String {
    switch holder {
    case .request: "Raise budget.\(limit)\(other), and resume the run."
    case .session: "Only the operator can raise it, where the service starts\(other). The run can be resumed then."
    }
  }

  /// The error of calls that `maxSeconds` ends.
  private func timeIsUp(_ maxSeconds: Double) -> HoneError {
    HoneError(
      .budgetExhausted, "\(title("maxSeconds", maxSeconds.description)) is used up.", remedy: remedy("maxSeconds"),
      details: ["limit": "maxSeconds", "maximum": maxSeconds.description, "spent": elapsed.description, "needed": "0"])
  }
}
