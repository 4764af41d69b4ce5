/// A model's answer as it is kept: what it was, who paid for it, and what it cost.
package struct StoredAnswer: Sendable, Hashable {
  package var reply: ModelReply
  /// The model's name as asked for.
  package var model: String
  package var role: CallRole
  /// The run that paid for it, if it was made for one.
  package var runID: String?
  /// In US dollars, where prices are known.
  package var cost: Double?
  /// Seconds from request to reply, retries and waiting included.
  package var seconds: Double
  /// The notes on the requests that were made for it, which go when the answer is kept.
  package var notes: [RequestNote] = []

  package init(
    reply: ModelReply, model: String, role: CallRole, runID: String? = nil, cost: Double? = nil, seconds: Double = 0
  ) {
    self.reply = reply
    self.model = model
    self.role = role
    self.runID = runID
    self.cost = cost
    self.seconds = seconds
  }
}

/// A note in the store that a request is under way, so that the most that it can cost is on the bill if the process ends
/// before its answer.
package struct RequestNote: Sendable, Hashable {
  package let id: Int64
  package init(id: Int64) { self.id = id }
}

/// Requests that were sent and brought no answer that is used.
package struct FailedRequests: Sendable, Hashable {
  package var role: CallRole
  package var requests: Int
  package var tokens: TokenUsage
  /// US dollars; nil where the price is not known.
  package var cost: Double?
  /// Whether nobody counted the tokens: they are the most that the requests can have used.
  package var isEstimated: Bool

  package init(
    role: CallRole, requests: Int, tokens: TokenUsage = TokenUsage(), cost: Double? = 0, isEstimated: Bool = false
  ) {
    self.role = role
    self.requests = requests
    self.tokens = tokens
    self.cost = cost
    self.isEstimated = isEstimated
  }
}
