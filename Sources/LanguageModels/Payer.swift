import Failures

/// Gets an answer from the model for money: limiter, budget, attempts with a deadline, pauses between
/// them, the answer kept, the bill written.
struct Payer: Sendable {
  let model: any LanguageModel
  let configuration: ModelConfiguration
  let answers: any AnswerStore
  let limiter: AdaptiveLimiter
  let pacing: Pacing
  let price: PriceTable.Price?

  /// Output tokens reserved in a budget for each completion whose request does not bound them.
  static let assumedMaxTokens = 4096

  init(
    model: any LanguageModel, configuration: ModelConfiguration, answers: any AnswerStore,
    limiter: AdaptiveLimiter, pacing: Pacing
  ) {
    self.model = model
    self.configuration = configuration
    self.answers = answers
    self.limiter = limiter
    self.pacing = pacing
    price = PriceTable.price(of: configuration)
  }

  /// - Parameter key: where to keep the answer; nil keeps none.
  func pay(
    for request: ModelRequest, key: ContentDigest?, context: CallContext
  ) async -> Result<StoredAnswer, HoneError> {
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
    let need = try need(of: request, budget: budget)
    var attempt = 0
    while true {
      attempt += 1
      let (permit, reservation) = try await admit(need, budget)
      let outcome = checked(await self.attempt(request), request)
      switch outcome {
      case .success(let reply):
        limiter.release(permit, .succeeded)
        let stored = StoredAnswer(
          reply: reply, model: configuration.model, role: context.role, runID: context.account.runID,
          cost: price?.cost(of: reply.usage), seconds: pacing.now() - started)
        let kept = await keep(stored, key)
        settle(reservation, need, reply.usage, failed: false, context)
        try kept.get()
        return stored
      case .failure(let failure, let usage):
        limiter.release(permit, failure.limiterOutcome)
        settle(reservation, need, usage, failed: true, context)
        if Task.isCancelled { throw .callCancelled }
        guard let pause = policy.pause(after: attempt, advice: failure.retry, random: pacing.random()) else {
          throw described(failure.error, attempts: attempt)
        }
        if let maxSeconds = budget.limits.maxSeconds, let left = budget.remainingSeconds, pause >= left {
          var error = budget.timeIsUp(maxSeconds)
          error.cause = described(failure.error, attempts: attempt).message
          throw error
        }
        do {
          try await pacing.sleep(pause)
        } catch {
          throw .callCancelled
        }
      }
    }
  }

  // MARK: Before a request

  /// The most that one attempt can spend. A token has at least one byte of its text, and each message
  /// costs a few more for its frame.
  private func need(of request: ModelRequest, budget: Budget) throws(HoneError) -> Budget.Amount {
    let requests = model.requests(for: request.options)
    guard budget.limits.maxTokens != nil || budget.limits.maxCost != nil else { return Budget.Amount(calls: requests) }
    var input = 16
    for message in request.prompt.shared.messages { input += message.content.utf8.count + 8 }
    for message in request.prompt.own { input += message.content.utf8.count + 8 }
    let bound = min(request.options.maxTokens ?? Payer.assumedMaxTokens, 1 << 40)
    let usage = TokenUsage(inputTokens: input * requests, outputTokens: bound * max(1, request.options.n))
    if let maxCost = budget.limits.maxCost, price == nil {
      throw HoneError(
        .invalidParams,
        "The budget's maxCost of \(maxCost) cannot be kept: the price of \(configuration.model) is not known.",
        remedy: "State it in the model's configuration as price: {\"input\": …, \"output\": …}, in US dollars per "
          + "million tokens, or use budget.maxTokens instead.",
        details: ["model": configuration.model])
    }
    return Budget.Amount(calls: requests, tokens: usage.totalTokens, cost: price?.cost(of: usage) ?? 0)
  }

  /// Waits for a permit and a reservation; never holds the one while waiting for the other.
  private func admit(
    _ need: Budget.Amount, _ budget: Budget
  ) async throws(HoneError) -> (AdaptiveLimiter.Permit, Budget.Reservation) {
    while true {
      let permit = try await limiter.acquire()
      do throws(HoneError) {
        if let reservation = try budget.reserveNow(need) { return (permit, reservation) }
      } catch {
        limiter.release(permit, .neutral)
        throw error
      }
      limiter.release(permit, .neutral)
      try await budget.waitForSettlement()
    }
  }

  // MARK: The request

  private enum Outcome {
    case success(ModelReply)
    case failure(ModelFailure, TokenUsage)
  }

  /// One attempt, ended by its deadline or by cancellation even if the model does not heed them.
  private func attempt(_ request: ModelRequest) async -> Result<ModelReply, ModelFailure> {
    let promise = Promise<Result<ModelReply, ModelFailure>>()
    let task = Task { [model] in
      do throws(ModelFailure) {
        promise.fulfil(.success(try await model.complete(request)))
      } catch {
        promise.fulfil(.failure(error))
      }
    }
    let alarm = Alarms.shared.set(in: configuration.timeout) { [timeout = configuration.timeout] in
      let error = HoneError(
        .timeout, "The language model did not answer within \(timeout) s.",
        remedy: "Raise the model's timeout, or look whether the endpoint is overloaded.")
      if promise.fulfil(.failure(ModelFailure(error, retry: .backOff))) { task.cancel() }
    }
    defer { Alarms.shared.clear(alarm) }
    return await withTaskCancellationHandler {
      await promise.wait()
    } onCancel: {
      promise.fulfil(.failure(ModelFailure(.callCancelled, retry: .never)))
      task.cancel()
    }
  }

  /// A reply without any text is a failed attempt, though a paid one.
  private func checked(_ result: Result<ModelReply, ModelFailure>, _ request: ModelRequest) -> Outcome {
    switch result {
    case .failure(let failure):
      return .failure(failure, TokenUsage())
    case .success(let reply):
      let isBlank = reply.texts.allSatisfy { text in text.utf8.allSatisfy { $0 <= 0x20 } }
      guard isBlank else { return .success(reply) }
      let wasCut = reply.finishReasons.contains("length")
      let error =
        wasCut
        ? HoneError(
          .malformedReply, "The language model used up its tokens before it wrote any text.",
          remedy: "Raise the model's maxTokens.")
        : HoneError(
          .malformedReply, "The language model answered with no text.",
          remedy: "Look at the endpoint's log; a content filter or a wrong chat template may have emptied the answer.")
      return .failure(ModelFailure(error, retry: wasCut ? .never : .backOff), reply.usage)
    }
  }

  // MARK: After a request

  private func settle(
    _ reservation: Budget.Reservation, _ need: Budget.Amount, _ usage: TokenUsage, failed: Bool, _ context: CallContext
  ) {
    let cost = price?.cost(of: usage)
    context.account.budget.settle(
      reservation, spent: Budget.Amount(calls: need.calls, tokens: usage.totalTokens, cost: cost ?? 0))
    let isFree = usage == TokenUsage() && failed
    context.account.noteSent(
      context.role, requests: need.calls, failed: failed, tokens: usage, cost: isFree ? 0 : cost)
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
  private func described(_ error: HoneError, attempts: Int) -> HoneError {
    let redactor = Redactor(environment: [configuration.apiKeyEnv].compactMap { $0 })
    var error = error
    let times = attempts == 1 ? "1 attempt" : "\(attempts) attempts"
    error.message = redactor.redact(error.message) + " (\(configuration.model) at \(model.endpoint), \(times))"
    error.cause = error.cause.map(redactor.redact)
    error.details["model"] = configuration.model
    error.details["endpoint"] = model.endpoint
    error.details["attempts"] = attempts.description
    return error
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
    case .never: return .neutral
    }
  }
}
