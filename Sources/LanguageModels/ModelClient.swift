package import Failures
import Synchronization

/// Whose call it is, for accounting and for the identity of uncached calls.
package struct CallContext: Sendable {
  package var account: RunAccount
  package var role: CallRole
  /// Where in the run the call stands (`trial 3/row 17`): the same whenever the run is done again,
  /// whatever the concurrency. Tells calls of one content apart where the cache is off.
  package var scope: String
  /// A number that makes an otherwise equal request a new one; 0 is the first.
  package var rollout: Int

  package init(account: RunAccount, role: CallRole = .task, scope: String = "", rollout: Int = 0) {
    self.account = account
    self.role = role
    self.scope = scope
    self.rollout = rollout
  }
}

/// A completion as the program gets it.
package struct ModelAnswer: Sendable {
  package enum Source: String, Sendable {
    /// Asked for, and paid, now.
    case model
    /// Found in the store.
    case cache
  }
  package var reply: ModelReply
  package var source: Source
  /// US dollars of this call; nil where the price is unknown, 0 from the cache.
  package var cost: Double?
}

/// A model as programs use it: answers from the store, else from the model, within the budget, through
/// the limiter, with retries; every paid answer is kept before it is returned.
package struct ModelClient: Sendable {
  package let model: any LanguageModel
  package let configuration: ModelConfiguration
  private let answers: any AnswerStore

  package init(model: any LanguageModel, configuration: ModelConfiguration, answers: any AnswerStore) {
    self.model = model
    self.configuration = configuration
    self.answers = answers
  }

  /// Completes a prompt with the configuration's options, or with `options` in their place.
  package func complete(
    _ prompt: Prompt, options: SamplingOptions? = nil, context: CallContext
  ) async throws(HoneError) -> ModelAnswer {
    let request = ModelRequest(prompt: prompt, options: options ?? configuration.sampling)
    let key = key(of: request, context: context)
    if let stored = try answers.answer(for: key) {
      return ModelAnswer(reply: stored.reply, source: .cache, cost: 0)
    }
    do throws(ModelFailure) {
      let reply = try await model.complete(request)
      return ModelAnswer(reply: reply, source: .model, cost: nil)
    } catch {
      throw error.error
    }
  }

  private func key(of request: ModelRequest, context: CallContext) -> ContentDigest {
    var builder = ContentDigest.Builder()
    builder.add(model.identity)
    builder.add(request.prompt.shared.digest)
    return builder.finish()
  }
}
