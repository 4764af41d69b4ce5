import LanguageModels
import Synchronization

/// Which member bounds a model's output tokens, where an endpoint has refused the usual one and named the other: a
/// deployment may be called anything, so that its name tells nothing.
///
/// One for each model in the process.
final class LearnedTokenLimit: Sendable {
  private static let models = KnownModels<LearnedTokenLimit>()
  private let limit: Mutex<Provider.TokenLimit>

  private init(_ limit: Provider.TokenLimit) { self.limit = Mutex(limit) }

  /// What the process knows of the model of that identity, to begin with `usual`.
  static func shared(for identity: String, usual: Provider.TokenLimit) -> LearnedTokenLimit {
    models.of(identity) { LearnedTokenLimit(usual) }
  }

  var value: Provider.TokenLimit { limit.withLock { $0 } }

  /// Takes the other member where the refusal of `asked` names both, or calls the one unsupported.
  ///
  /// - Returns: whether the next request will differ.
  func learn(from words: EndpointWords, refused asked: Provider.TokenLimit) -> Bool {
    let other: Provider.TokenLimit = asked == .maxTokens ? .maxCompletionTokens : .maxTokens
    // "max_tokens" is no part of "max_completion_tokens".
    guard words.say(asked.rawValue), words.say(other.rawValue) || Self.refusals.contains(where: words.say) else {
      return false
    }
    return limit.withLock { limit in
      // Once: an endpoint that refuses both is not asked for ever.
      guard limit == asked, asked == .maxTokens else { return limit != asked }
      limit = other
      return true
    }
  }

  private static let refusals = [
    "unsupported parameter", "unsupported_parameter", "unknown parameter", "extra inputs are not permitted",
    "unrecognized request argument", "extra_forbidden", "unknown name", "unknown field",
  ]
}
