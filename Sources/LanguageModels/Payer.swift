import Basics
import Failures
import JSON
import Messages

/// Gets an answer from the model for money: limiter, budget, attempts with pauses between them, the answer kept, the
/// bill written.
struct Payer: Sendable {
  let model: any LanguageModel
  let configuration: ModelConfiguration
  let answers: any AnswerStore
  let limiter: AdaptiveLimiter
  let pacing: Pacing
  /// What the model usually takes; nil: the process's knowledge of it.
  let times: ResponseTimes?
  let price: PriceTable.Price?
  /// What is known of the price from what the endpoint tells.
  private let learned: LearnedCost

  /// Output tokens reserved in a budget for each completion whose request does not bound them.
  static let assumedMaxTokens = 4096

  init(
    model: any LanguageModel, configuration: ModelConfiguration, answers: any AnswerStore,
    limiter: AdaptiveLimiter, pacing: Pacing, times: ResponseTimes?
  ) {
    self.model = model
    self.configuration = configuration
    self.answers = answers
    self.limiter = limiter
    self.pacing = pacing
    self.times = times
    price = PriceTable.price(of: configuration)
    learned = .shared(for: model.identity)
  }

  /// - Parameter key: where to keep the answer; nil keeps none.
  func pay(
    for request: ModelRequest, key: ContentDigest?, context: CallContext
  ) async -> Result<StoredAnswer, HoneError> {
    context.account.beginPayment()
    defer { context.account.endPayment() }
    do throws(HoneError) {
      return .success(try await paid(request, key: key, context: context))
    } catch {
      return .failure(error)
    }
  }

  private func paid(
    _ request: ModelRequest, key: ContentDigest?, context: CallContext
  ) async throws(HoneError) -> StoredAnswer {
    let started = pacing.now()
    let policy = RetryPolicy(retries: configuration.retries)
    let budget = context.account.budget
    let times = times ?? .shared(for: model.identity, role: context.role)
    var history = RetryPolicy.History()
    let maxWait = configuration.maxWait ?? RetryPolicy.maxWait
    var waited = 0.0
    var terms = Attempt.Terms(
      model: model, request: bounded(request, budget), need: try need(of: request, budget: budget),
      most: most(of: request), budget: budget, limiter: limiter, times: times, now: pacing.now, deadline: 0,
      lateness: lateness(times), noting: noting(request, context), settle: { settle($0, $1, context) })
    if request.options.schema != nil { try model.schemaSupport?.load(from: answers) }
    while true {
      let (permit, reservation) = try await admit(request, context.account, maxWait: maxWait - waited)
      terms.need = reservation.amount
      terms.deadline = configuration.timeout ?? deadline(times, passed: history[.late])
      let attempt = Attempt(terms)
      switch await attempt.run(permit, reservation) {
      case .success(var reply):
        learned.note(reply)
        if !configuration.isSimulated {
          reply.texts = reply.texts.map(Redactor.process.redactKnown)
          reply.reasoning = reply.reasoning.map(Redactor.process.redactKnown)
        }
        var stored = StoredAnswer(
          reply: reply, model: configuration.model, role: context.role, runID: context.account.runID,
          cost: cost(of: reply.usage, told: reply.cost), seconds: pacing.now() - started)
        stored.notes = attempt.notes
        context.account.noteCall(context.role, failed: false)
        if case .failure(let error) = await keep(stored, key) {
          context.account.noteLoss(error)
          throw error
        }
        try await context.account.keepFailures(in: answers)
        return stored
      case .failure(let failure):
        try await context.account.keepFailures(in: answers, closing: attempt.notes)
        if Task.isCancelled { throw .callCancelled }
        if failure.retry == .adapted {
          // At most as often as there are ways to ask.
          try await model.schemaSupport?.keep(in: answers)
          continue
        }
        history.add(failure.fault)
        guard let pause = policy.pause(after: failure.fault, history, advice: failure.retry, random: pacing.random())
        else {
          if failure.error.kind.isPassing { context.account.noteCall(context.role, failed: true) }
          throw withModelAndAttempts(failure.error, attempts: history.total)
        }
        if let limit = budget.timeLimit, pause >= limit.seconds {
          var error = limit.error
          error.cause = withModelAndAttempts(failure.error, attempts: history.total).message
          throw error
        }
        guard waited + pause <= maxWait else {
          throw withModelAndAttempts(tooLong(pause, failure.error, maxWait), attempts: history.total)
        }
        let told = failure.error.redacted(by: Redactor(environment: configuration.secretVariables))
        context.account.announce(pause, model.endpoint, told.messageWithCause)
        waited += pause
        do {
          try await pacing.sleep(pause)
        } catch {
          throw .callCancelled
        }
      }
    }
  }

  /// When a second request is sent; nil where it never is.
  private func lateness(_ times: ResponseTimes) -> (@Sendable () -> Double)? {
    guard configuration.hedge ?? (configuration.hedgeAfter != nil || model.isElastic) else { return nil }
    if let seconds = configuration.hedgeAfter { return { seconds } }
    return { times.lateness }
  }

  private func deadline(_ times: ResponseTimes, passed: Int) -> Double {
    // Behind a queue, what others took says little about what this one will take.
    model.isElastic ? times.deadline(passed: passed) : ResponseTimes.deadline(passed: passed)
  }

  // MARK: Before a request

  /// The request as it is sent: where tokens are bounded, so is what the model may write, for it was reserved so.
  private func bounded(_ request: ModelRequest, _ budget: Budget) -> ModelRequest {
    guard budget.boundsSize, request.options.maxTokens == nil else { return request }
    var request = request
    request.options.maxTokens = Payer.assumedMaxTokens
    return request
  }

  /// The most tokens that one request can take. A token has at least one byte of its text, and each message
  /// costs a few more for its frame.
  private func most(of request: ModelRequest) -> TokenUsage {
    var input = 16
    for message in request.prompt.shared.messages { input += message.content.utf8.count + 8 }
    for message in request.prompt.own { input += message.content.utf8.count + 8 }
    if let schema = request.options.schema { input += schema.encoded().count }
    if !request.options.extra.isEmpty { input += JSONValue.object(request.options.extra).encoded().count }
    let bound = min(request.options.maxTokens ?? Payer.assumedMaxTokens, 1 << 40)
    return TokenUsage(inputTokens: input, outputTokens: bound * max(1, request.options.n))
  }

  /// The most that one request can spend of what the budget bounds.
  func need(of request: ModelRequest, budget: Budget) throws(HoneError) -> Budget.Amount {
    guard budget.boundsSize else { return Budget.Amount(calls: 1) }
    let usage = most(of: request)
    let most = price?.cost(of: usage) ?? learned.most(usage)
    guard most == nil, let maxCost = budget.limits.maxCost else {
      return Budget.Amount(calls: 1, tokens: usage.totalTokens, cost: most ?? 0)
    }
    guard !learned.isSilent else {
      throw HoneError(
        .invalidParams,
        "The budget's maxCost of \(maxCost) cannot be kept: the price of \(configuration.model) is not known, and its "
          + "endpoint does not tell what a call costs.",
        remedy: "State it in the model's configuration as price: {\"input\": …, \"output\": …}, in US dollars per "
          + "million tokens, or use budget.maxTokens instead.",
        details: ["model": configuration.model])
    }
    // The first call shows whether the endpoint tells what it costs. All that is left is held for it, so it goes alone.
    let left = max(maxCost - budget.spent.cost, .leastNormalMagnitude)
    return Budget.Amount(calls: 1, tokens: usage.totalTokens, cost: left)
  }

  /// US dollars of a request: as the endpoint told, else by the price; nil where nobody knows.
  private func cost(of tokens: TokenUsage, told: Double?) -> Double? { told ?? price?.cost(of: tokens) }

  private func tooLong(_ pause: Double, _ failure: HoneError, _ maxWait: Double) -> HoneError {
    let until = EndpointWait(endpoint: model.endpoint, seconds: pause, reason: "").until
    var error = HoneError(
      failure.kind == .quotaExhausted ? .quotaExhausted : .waitTooLong,
      "\(failure.message) It asks to wait until \(EndpointWait.clock(until)) "
        + "(\(EndpointWait.duration(Int(min(pause, 1e9) * 1000)))), longer than maxWait allows "
        + "(\(EndpointWait.duration(Int(maxWait * 1000)))).",
      remedy: "Go on when that time has come, or raise the model's maxWait (seconds) to wait for it.",
      details: failure.details, cause: failure.cause)
    error.details["retryAfter"] = pause.description
    error.details["causeKind"] = failure.kind.rawValue
    return error
  }

  /// Waits for a permit and a reservation; never holds the one while waiting for the other.
  private func admit(
    _ request: ModelRequest, _ account: RunAccount, maxWait: Double
  ) async throws(HoneError) -> (AdaptiveLimiter.Permit, Budget.Reservation) {
    let budget = account.budget
    while true {
      let held = limiter.held
      if held > 0 {
        let told = HoneError(.rateLimited, "\(model.endpoint) has asked to be left alone.")
        guard held <= maxWait else { throw withModelAndAttempts(tooLong(held, told, maxWait), attempts: 0) }
        account.announce(held, model.endpoint, told.message)
      }
      let permit = try await limiter.acquire()
      do throws(HoneError) {
        try account.checkLosses()
        // What others learned meanwhile counts.
        let need = try need(of: request, budget: budget)
        if let reservation = try budget.reserveNow(need) { return (permit, reservation) }
      } catch {
        limiter.release(permit, .neutral)
        throw error
      }
      limiter.release(permit, .neutral)
      try await budget.waitForSettlement()
    }
  }

  /// Where requests are noted before they are sent. Should the process end, those under way count when the run is
  /// resumed.
  private func noting(_ request: ModelRequest, _ context: CallContext) -> Attempt.Noting? {
    guard let run = context.account.runID, !model.isReproducible else { return nil }
    let most = most(of: request)
    return Attempt.Noting(
      answers: answers,
      request: FailedRequests(
        role: context.role, requests: 1, tokens: most, cost: price?.cost(of: most) ?? learned.most(most),
        isEstimated: true), run: run)
  }

  // MARK: After a request

  private func settle(_ reservation: Budget.Reservation, _ bill: Attempt.Bill, _ context: CallContext) {
    let cost = cost(of: bill.tokens, told: bill.cost) ?? (bill.isEstimated ? learned.most(bill.tokens) : nil)
    context.account.budget.settle(
      reservation, spent: Budget.Amount(calls: 1, tokens: bill.tokens.totalTokens, cost: cost ?? 0))
    let isFree = bill.tokens == TokenUsage() && bill.failed
    context.account.noteSent(
      context.role, failed: bill.failed, tokens: bill.tokens, cost: isFree ? 0 : cost, isEstimated: bill.isEstimated)
  }

  /// Keeps a paid answer even if everybody who asked for it has left meanwhile.
  private func keep(_ answer: StoredAnswer, _ key: ContentDigest?) async -> Result<Void, HoneError> {
    guard let key else { return .success(()) }
    guard Task.isCancelled else { return await write(answer, key) }
    return await Task.detached { await write(answer, key) }.value
  }

  private func write(_ answer: StoredAnswer, _ key: ContentDigest) async -> Result<Void, HoneError> {
    do throws(HoneError) {
      if model.isReproducible { return .success(try await answers.keepSoon(answer, for: key)) }
      return .success(try await answers.keep(answer, for: key))
    } catch {
      return .failure(error)
    }
  }

  /// The error that leaves the client: which model, where, after how many attempts; no secrets.
  private func withModelAndAttempts(_ error: HoneError, attempts: Int) -> HoneError {
    let redactor = Redactor(environment: configuration.secretVariables)
    let times = attempts == 0 ? "not asked" : attempts == 1 ? "1 attempt" : "\(attempts) attempts"
    var error = error.redacted(by: redactor)
    error.message += " (\(configuration.model) at \(model.endpoint), \(times))"
    error.details["model"] = configuration.model
    error.details["endpoint"] = model.endpoint
    error.details["attempts"] = attempts.description
    return error
  }
}
