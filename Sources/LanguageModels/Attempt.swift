import Failures
import Messages
import Platform
import Synchronization

/// One attempt at a completion: a request and, where its answer is unusually late, another one beside it; where that is
/// late too, a third after twice the time, and a fourth. The first answer wins, the others are aborted.
///
/// Each request has a reservation and a deadline of its own, and is on the bill whether it won or not. The permit is
/// one for all: a request that is late takes up none of the endpoint's capacity, as far as can be told, so the next one has
/// its place. Else lost replies would fill up what the limiter allows, and stall every call.
final class Attempt: Sendable {
  /// What the attempt works with.
  struct Terms: Sendable {
    var model: any LanguageModel
    var request: ModelRequest
    /// The most that one request can spend.
    var need: Budget.Amount
    /// The most tokens that one request can take.
    var most: TokenUsage
    var budget: Budget
    var limiter: AdaptiveLimiter
    var times: ResponseTimes
    var now: @Sendable () -> Double
    /// Seconds that each request may take.
    var deadline: Double
    /// When a request is late enough for a second one; nil never sends one.
    var lateness: (@Sendable () -> Double)?
    /// Where requests are noted before they are sent; nil where that need not be known after a crash.
    var noting: Noting?
    /// Writes the bill of one request.
    var settle: @Sendable (Budget.Reservation, Bill) -> Void
  }

  /// What one request took.
  struct Bill: Sendable {
    var tokens: TokenUsage
    /// US dollars that the endpoint told; nil where it told none.
    var cost: Double?
    /// Whether nobody counted the tokens.
    var isEstimated = false
    /// Whether it brought no answer that is used.
    var failed: Bool
  }

  /// Notes a run's requests.
  struct Noting: Sendable {
    var answers: any AnswerStore
    /// The request, with the most that it can cost.
    var request: FailedRequests
    var run: String
  }

  /// The most requests of one attempt.
  private static let mostRequests = 4
  /// How long aborted requests may take to end, so that what they still cost is on the bill.
  private static let abortPeriod = 0.25

  private struct Sent: Sendable {
    /// Nil once another request has it.
    var permit: AdaptiveLimiter.Permit?
    var reservation: Budget.Reservation
    var started: Double
    var task: Task<Void, Never>?
    var deadline: Alarms.Token?
    var isOpen = true
    /// Whether the model has been asked, so that it may cost something.
    var isAsked = false
  }

  private struct State {
    var sent: [Sent] = []
    /// Whether the outcome is known.
    var isOver = false
    /// The tokens of the prompt, as counted for one of the requests, which are all alike.
    var inputTokens: Int?
    /// Requests whose bill is not written yet.
    var unsettled = 0
    var watch: Alarms.Token?
    var notes: [RequestNote] = []

    var open: Int { sent.count { $0.isOpen } }
  }

  private let terms: Terms
  private let state = Mutex(State())
  private let outcome = Promise<Result<ModelReply, ModelFailure>>()
  private let settled = Promise<Void>()

  init(_ terms: Terms) { self.terms = terms }

  /// Makes the attempt. Ends at once when the task is cancelled, even if the model does not heed that.
  func run(
    _ permit: AdaptiveLimiter.Permit, _ reservation: Budget.Reservation
  ) async -> Result<ModelReply, ModelFailure> {
    terms.times.noteSent()
    send(permit, reservation)
    if terms.lateness != nil { watch() }
    let result = await withTaskCancellationHandler {
      await outcome.wait()
    } onCancel: {
      abandon()
      outcome.fulfil(.failure(ModelFailure(.callCancelled, retry: .never)))
    }
    if let watch = state.withLock({ $0.watch }) { Alarms.shared.clear(watch) }
    if state.withLock({ $0.unsettled > 0 }) {
      let alarm = Alarms.shared.set(in: Self.abortPeriod) { self.abandon() }
      await settled.wait()
      Alarms.shared.clear(alarm)
    }
    return result
  }

  // MARK: Requests

  /// - Parameter permit: nil takes over that of the request before.
  private func send(_ permit: AdaptiveLimiter.Permit?, _ reservation: Budget.Reservation) {
    let isSent = state.withLock { state in
      guard !state.isOver else { return false }
      let index = state.sent.count
      var permit = permit
      if permit == nil, let holder = state.sent.firstIndex(where: { $0.isOpen && $0.permit != nil }) {
        permit = state.sent[holder].permit
        state.sent[holder].permit = nil
      }
      var sent = Sent(permit: permit, reservation: reservation, started: terms.now())
      let (model, request) = (terms.model, terms.request)
      sent.task = Task {
        do throws(ModelFailure) {
          try await self.note()
          guard self.noteAsking(index) else { return }
          self.finish(index, .success(try await model.complete(request)))
        } catch {
          self.finish(index, .failure(error))
        }
      }
      sent.deadline = Alarms.shared.set(in: terms.deadline) { self.deadlinePassed(index) }
      state.sent.append(sent)
      state.unsettled += 1
      return true
    }
    guard !isSent else { return }
    if let permit { terms.limiter.release(permit, .neutral) }
    terms.budget.refund(reservation)
  }

  /// The notes made of the requests.
  var notes: [RequestNote] { state.withLock { $0.notes } }

  /// Whether the request is still wanted, and counts as sent from here on.
  private func noteAsking(_ index: Int) -> Bool {
    state.withLock { state in
      guard state.sent[index].isOpen else { return false }
      state.sent[index].isAsked = true
      return true
    }
  }

  private func note() async throws(ModelFailure) {
    guard let noting = terms.noting else { return }
    do throws(HoneError) {
      let note = try await noting.answers.noteSending(noting.request, run: noting.run)
      guard let note else { return }
      let isOver = state.withLock { state in
        if !state.isOver { state.notes.append(note) }
        return state.isOver
      }
      // It ended meanwhile, and its bill is written: nothing is sent.
      guard isOver else { return }
      try await noting.answers.keep([], run: noting.run, closing: [note])
      throw HoneError.callCancelled
    } catch {
      throw ModelFailure(error, retry: .never, spent: .nothing)
    }
  }

  /// Looks whether the request under way is late, now and as long as that may become so.
  private func watch() {
    guard let lateness = terms.lateness else { return }
    let seen: (seconds: Double, others: Int)? = state.withLock { state in
      guard !state.isOver, state.sent.count < Self.mostRequests, let last = state.sent.last else { return nil }
      return (terms.now() - last.started, max(0, state.open - 1))
    }
    guard let seen else { return }
    let left = lateness() * Double(1 << seen.others) - seen.seconds
    if left <= 0 { sendAnother() }
    // What the model usually takes may become known meanwhile.
    let alarm = Alarms.shared.set(in: left <= 0 ? 1 : min(max(left, 0.01), 1)) { self.watch() }
    let isOver = state.withLock { state in
      state.watch = alarm
      return state.isOver
    }
    if isOver { Alarms.shared.clear(alarm) }
  }

  /// Sends another request if the budget and the endpoint's state have room for it now.
  private func sendAnother() {
    guard let reservation = try? terms.budget.reserveNow(terms.need) else { return }
    guard terms.times.takeRepeat() else { return terms.budget.refund(reservation) }
    send(nil, reservation)
  }

  private func deadlinePassed(_ index: Int) {
    let seconds = terms.deadline
    let error = HoneError(
      .timeout, "The language model did not answer within \(seconds) s.",
      remedy: "Raise the model's timeout, or check whether the endpoint is overloaded.")
    let task = state.withLock { $0.sent[index].task }
    finish(index, .failure(ModelFailure(error, retry: .backOff)))
    task?.cancel()
  }

  // MARK: Ends

  /// Takes what became of one request; passed over where its deadline or the attempt's end came first.
  private func finish(_ index: Int, _ result: Result<ModelReply, ModelFailure>) {
    let (result, spent) = checked(result)
    let verdict: (sent: Sent, bill: Bill, decides: Bool)? = state.withLock { state in
      guard state.sent[index].isOpen else { return nil }
      state.sent[index].isOpen = false
      if case .counted(let tokens, _) = spent { state.inputTokens = tokens.inputTokens }
      var decides = false
      if !state.isOver {
        if case .success = result { decides = true } else { decides = state.open == 0 }
      }
      if decides { state.isOver = true }
      return (state.sent[index], bill(spent, result, state), decides)
    }
    guard let verdict else { return }
    if let deadline = verdict.sent.deadline { Alarms.shared.clear(deadline) }
    var isAnswer = false
    switch result {
    case .success:
      isAnswer = true
      terms.times.noteAnswer(after: terms.now() - verdict.sent.started)
      if let permit = verdict.sent.permit { terms.limiter.release(permit, .succeeded) }
    case .failure(let failure):
      if failure.error.kind == .timeout { terms.times.noteDeadlinePassed() }
      if let permit = verdict.sent.permit { terms.limiter.release(permit, failure.limiterOutcome) }
    }
    var paid = verdict.bill
    // An answer that came second is paid for like a failed request: nobody uses it.
    paid.failed = !(isAnswer && verdict.decides)
    settle(verdict.sent, paid)
    guard verdict.decides else { return }
    for task in state.withLock({ $0.sent.filter(\.isOpen).compactMap(\.task) }) { task.cancel() }
    outcome.fulfil(result)
  }

  /// Ends all requests here and now, whatever the model does.
  private func abandon() {
    let (open, lost) = state.withLock { state in
      state.isOver = true
      let open = state.sent.filter(\.isOpen)
      for index in state.sent.indices { state.sent[index].isOpen = false }
      return (open, lostBill(state))
    }
    for sent in open {
      if let deadline = sent.deadline { Alarms.shared.clear(deadline) }
      sent.task?.cancel()
      if let permit = sent.permit { terms.limiter.release(permit, .neutral) }
      settle(sent, lost)
    }
  }

  // MARK: Bills

  /// The bill of a request that nobody counted: the most that it can have taken.
  private func lostBill(_ state: State) -> Bill {
    var tokens = terms.most
    if let counted = state.inputTokens { tokens.inputTokens = counted }
    return Bill(tokens: tokens, isEstimated: true, failed: true)
  }

  private func bill(_ spent: Spending, _ result: Result<ModelReply, ModelFailure>, _ state: State) -> Bill {
    switch spent {
    case .nothing: return Bill(tokens: TokenUsage(), failed: true)
    case .counted(let tokens, let cost): return Bill(tokens: tokens, cost: cost, failed: true)
    case .unknown:
      guard case .success(let reply) = result else { return lostBill(state) }
      return Bill(tokens: reply.usage, cost: reply.cost, isEstimated: true, failed: true)
    }
  }

  private func settle(_ sent: Sent, _ bill: Bill) {
    if sent.isAsked { terms.settle(sent.reservation, bill) } else { terms.budget.refund(sent.reservation) }
    let isLast = state.withLock { state in
      state.unsettled -= 1
      return state.unsettled == 0 && state.isOver
    }
    if isLast { settled.fulfil(()) }
  }

  /// A reply without any text is a failed request, though a paid one, unless it says why.
  ///
  /// Where a budget bounds the tokens and the endpoint counted none, the reply counts for the most that it can be: one
  /// token for each byte.
  private func checked(
    _ result: Result<ModelReply, ModelFailure>
  ) -> (Result<ModelReply, ModelFailure>, Spending) {
    var reply: ModelReply
    switch result {
    case .success(let received): reply = received
    case .failure(let failure): return (result, failure.spent)
    }
    if reply.isUsageEstimated, terms.need.tokens > 0 {
      let bytes = (reply.texts + reply.reasoning).reduce(16 * reply.texts.count) { $0 + $1.utf8.count }
      reply.usage = TokenUsage(
        inputTokens: terms.most.inputTokens, outputTokens: min(terms.most.outputTokens, bytes))
    }
    let spent = reply.isUsageEstimated ? Spending.unknown : .counted(reply.usage, cost: reply.cost)
    let isBlank = reply.texts.allSatisfy { text in text.utf8.allSatisfy { $0 <= 0x20 } }
    // One that says why there is none, a cut, a tool call or a refusal, is an answer: the next would be the same.
    let isExplained = reply.finishReasons.contains {
      [FinishReason.cut, FinishReason.refused, FinishReason.toolCall].contains($0)
    }
    guard isBlank, !isExplained else { return (.success(reply), spent) }
    let error = HoneError(
      .replyEmpty, "The language model answered with no text.",
      remedy: "Check the endpoint's log; a wrong chat template may have emptied the answer.", details: ["fault": "row"])
    // Without chance the same request gets the same reply.
    let retry: RetryAdvice = terms.request.options.temperature == 0 ? .never : .backOff
    return (.failure(ModelFailure(error, retry: retry, spent: spent)), spent)
  }
}

extension ModelFailure {
  fileprivate var limiterOutcome: AdaptiveLimiter.Outcome {
    guard error.kind == .rateLimited else {
      // A server that names a pause means everybody, whatever its reason.
      if case .after(let seconds) = retry { return .refused(pause: seconds) }
      return .neutral
    }
    switch retry {
    case .after(let seconds): return .refused(pause: seconds)
    case .backOff: return .refused(pause: nil)
    case .never, .adapted: return .neutral
    }
  }
}
