import Messages
import Synchronization

/// What is known of a model's price from what its endpoint tells with each reply (`usage.cost`), where no price is stated.
///
/// One for each model in the process.
package final class LearnedCost: Sendable {
  private struct State {
    /// The most dollars that a token of any reply has cost.
    var rate: Double?
    /// The most that any reply has cost.
    var greatest = 0.0
    /// Whether a reply came that told no cost.
    var isSilent = false
  }

  private static let models = KnownModels<LearnedCost>()
  private let state = Mutex(State())

  package init() {}

  /// What the process knows of the model of that identity.
  static func shared(for identity: String) -> LearnedCost {
    models.of(identity) { LearnedCost() }
  }

  /// Whether the endpoint answers without telling what it costs.
  var isSilent: Bool { state.withLock { $0.isSilent } }

  /// The most that so many tokens cost by what was told so far, never less than what a call has cost; nil where nothing was
  /// told.
  func most(_ tokens: TokenUsage) -> Double? {
    state.withLock { state in state.rate.map { max($0 * Double(tokens.totalTokens), state.greatest) } }
  }

  func note(_ reply: ModelReply) {
    state.withLock { state in
      guard let cost = reply.cost else {
        if state.rate == nil { state.isSilent = true }
        return
      }
      state.isSilent = false
      state.greatest = max(state.greatest, cost)
      guard reply.usage.totalTokens > 0 else { return }
      state.rate = max(state.rate ?? 0, cost / Double(reply.usage.totalTokens))
    }
  }
}
