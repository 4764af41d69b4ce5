package import Basics
package import Failures
import JSON
package import Messages

/// A model as programs use it: answers from the store, else from the model, within the budget, through
/// the limiter, with retries; every paid answer is kept before it is returned.
///
/// Equal calls made at the same time, anywhere in the process, become one. Each way of waiting (for the
/// limiter, the budget, a pause, the model, an equal call) ends at once when the task is cancelled.
package struct ModelClient: Sendable {
  package let model: any LanguageModel
  package let configuration: ModelConfiguration
  private let answers: any AnswerStore
  private let payer: Payer
  private let flightStore: ObjectIdentifier?
  /// The digest of everything in a call's key that the configuration decides.
  private let configurationDigest: ContentDigest

  private static let flights = SingleFlight<StoredAnswer>()

  /// - Parameters:
  ///   - limiter: the limiter to pass through; the process's one for the model's endpoint if nil.
  ///   - pacing: the clock, pauses and random numbers; tests put their own here.
  ///   - times: what the model usually takes; the process's knowledge of it if nil.
  package init(
    model: any LanguageModel, configuration: ModelConfiguration, answers: any AnswerStore,
    limiter: AdaptiveLimiter? = nil, pacing: Pacing = .real, times: ResponseTimes? = nil
  ) {
    self.model = model
    self.configuration = configuration
    self.answers = answers
    payer = Payer(
      model: model, configuration: configuration, answers: answers,
      limiter: limiter ?? .shared(for: model.endpoint), pacing: pacing, times: times)
    // Answers are kept by whoever pays, so only callers with the same store may share a call.
    flightStore = type(of: answers) is AnyObject.Type ? ObjectIdentifier(answers as AnyObject) : nil
    configurationDigest = ModelClient.digest(of: configuration.sampling, model: model)
  }

  /// Completes a prompt with the configuration's options, or with `options` in their place.
  ///
  /// - Throws: the model's own error once retries are used up or pointless (`languageModelUnavailable`,
  ///   `rateLimited`, `authentication`, `languageModelRejected`, `contextWindowExceeded`,
  ///   `malformedReply`, `timeout`), with `model`, `endpoint` and `attempts` in its details;
  ///   `budgetExhausted`; `cancelled`; `storeUnavailable`.
  package func complete(
    _ prompt: Prompt, options: SamplingOptions? = nil, context: CallContext
  ) async throws(HoneError) -> ModelAnswer {
    let request = ModelRequest(
      prompt: prompt, options: options ?? configuration.sampling, rollout: context.rollout)
    guard model.splitsChoices, request.options.n > 1 else { return try await complete(request, context: context) }
    return try await completeInParts(request, context: context)
  }

  /// Several completions of an endpoint that gives one a request: a call for each, kept by itself, so that those that
  /// were paid are not asked for again where another fails.
  private func completeInParts(
    _ request: ModelRequest, context: CallContext
  ) async throws(HoneError) -> ModelAnswer {
    // Earlier versions kept all completions as one answer.
    if let whole = try kept(key(of: request, context: context), context) { return whole }
    let parts = (0..<request.options.n).map { index in
      var part = request
      part.options.n = 1
      // One seed for all would give the same text n times.
      if let seed = request.options.seed { part.options.seed = seed &+ index }
      return part
    }
    // Refused before the first is paid, where the budget has no room for all.
    let budget = context.account.budget
    if budget.isLimited {
      var need = Budget.Amount()
      for (index, part) in parts.enumerated() where try answers.answer(for: key(of: part, index, context)) == nil {
        need += try payer.need(of: part, budget: budget)
      }
      if need != Budget.Amount() { try budget.check(need) }
    }
    let results = await withTaskGroup(of: (index: Int, result: Result<ModelAnswer, HoneError>).self) { group in
      for (index, part) in parts.enumerated() {
        group.addTask {
          do throws(HoneError) {
            return (index, .success(try await complete(part, part: index, context: context)))
          } catch {
            return (index, .failure(error))
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.index < $1.index }
    }
    var merged = ModelAnswer(reply: ModelReply(texts: []), source: .cache, cost: 0)
    for (_, result) in results {
      let answer = try result.get()
      merged.reply.append(answer.reply)
      if answer.source == .model { merged.source = .model }
      merged.cost = merged.cost.flatMap { cost in answer.cost.map { cost + $0 } }
    }
    return merged
  }

  /// - Parameter part: which of several completions this is, where each is a call of its own.
  private func complete(
    _ request: ModelRequest, part: Int? = nil, context: CallContext
  ) async throws(HoneError) -> ModelAnswer {
    let account = context.account
    let digest = key(of: request, part, context)
    let key = SingleFlight<StoredAnswer>.Key(digest: digest, store: flightStore)
    let isKept = keepsAnswers(account)
    while true {
      let mark = Self.flights.mark(key)
      if let answer = try kept(digest, context) { return answer }
      if let error = account.refusal(of: digest) { throw error }
      if Task.isCancelled { throw .callCancelled }
      let joined = Self.flights.join(key, since: mark) { [payer] in
        await payer.pay(for: request, key: isKept ? digest : nil, context: context)
      }
      guard case .seat(let seat) = joined else { continue }
      let started = payer.pacing.now()
      let outcome = await Self.flights.ride(seat, limit: account.budget.timeLimit)
      account.noteWaiting(context.role, seconds: payer.pacing.now() - started)
      switch outcome {
      case .success(let stored):
        if seat.leads { return ModelAnswer(reply: stored.reply, source: .model, cost: stored.cost) }
        account.noteCached(context.role)
        return ModelAnswer(reply: stored.reply, source: .cache, cost: 0)
      case .failure(let error):
        if error.kind.isRefusal { account.note(refusal: error, of: digest) }
        // The one who paid ran out of budget or was cancelled: that is not this caller's affair.
        let isOthers = !seat.leads && (error.kind == .budgetExhausted || error.kind == .cancelled)
        guard isOthers, !Task.isCancelled, account.budget.remainingSeconds ?? 1 > 0 else { throw error }
      }
    }
  }

  // MARK: Kept answers

  private func keepsAnswers(_ account: RunAccount) -> Bool { configuration.cache || account.runID != nil }

  /// The answer that the store has for a call, noted in the account; nil where there is none.
  private func kept(_ digest: ContentDigest, _ context: CallContext) throws(HoneError) -> ModelAnswer? {
    let account = context.account
    guard keepsAnswers(account), let stored = try answers.answer(for: digest) else { return nil }
    // What the run had paid before it was interrupted stands in its bill already.
    if account.takeReplay(of: digest) { return ModelAnswer(reply: stored.reply, source: .model, cost: stored.cost) }
    account.noteCached(context.role)
    return ModelAnswer(reply: stored.reply, source: .cache, cost: 0)
  }

  // MARK: Keys

  /// What a call is known by in the store: calls of one key may share an answer.
  package func key(of request: ModelRequest, context: CallContext) -> ContentDigest {
    key(of: request, nil, context)
  }

  private func key(of request: ModelRequest, _ part: Int?, _ context: CallContext) -> ContentDigest {
    var builder = ContentDigest.Builder()
    builder.add(
      request.options == configuration.sampling
        ? configurationDigest : ModelClient.digest(of: request.options, model: model))
    builder.add(request.prompt.shared.digest)
    builder.add(request.prompt.own.count.description)
    for message in request.prompt.own {
      builder.add(message.role.rawValue)
      builder.add(message.content)
    }
    builder.add(context.rollout.description)
    if let part { builder.add("part \(part)") }
    if !configuration.cache {
      // A run that is done again meets its own answers; nobody else does.
      builder.add("uncached")
      let nobody = "none \(UInt64.random(in: .min ... .max)) \(UInt64.random(in: .min ... .max))"
      builder.add(context.account.runID ?? nobody)
      builder.add(String(context.place))
    }
    return builder.finish()
  }

  private static func digest(of options: SamplingOptions, model: any LanguageModel) -> ContentDigest {
    var builder = ContentDigest.Builder()
    builder.add(model.identity)
    let members = options.json.sorted { $0.key < $1.key }
    builder.add(JSONValue.object(JSONObject(members.map { ($0.key, $0.value) })).encoded())
    return builder.finish()
  }
}
