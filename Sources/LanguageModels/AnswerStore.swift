package import Failures

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

/// A note in the store that a request is under way, so that it is on the bill if the process ends before its answer.
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

  package init(role: CallRole, requests: Int, tokens: TokenUsage = TokenUsage(), cost: Double? = 0) {
    self.role = role
    self.requests = requests
    self.tokens = tokens
    self.cost = cost
  }
}

/// What a call is made for; each role is counted apart.
package enum CallRole: String, Sendable, CaseIterable, Codable {
  /// The program under optimization.
  case task
  /// The teacher that writes demos.
  case teacher
  /// Proposing instructions.
  case prompt
  /// A metric's judge.
  case judge
}

/// Where answers are kept: the cache across runs and, at once, the journal within one.
///
/// An answer is written before anybody uses it and never changed afterwards, so that a run that is
/// done again meets the same answers and pays for none of them twice.
package protocol AnswerStore: Sendable {
  /// The answer kept under that key, if any. Quick: a look-up by primary key.
  func answer(for key: ContentDigest) throws(HoneError) -> StoredAnswer?

  /// Keeps an answer; returns when it would survive the process. The first answer under a key stays.
  func keep(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError)

  /// Keeps an answer that the model would give again for nothing: it is found from now on, but may be lost with the
  /// process.
  func keepSoon(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError)

  /// What was learned of a model's endpoint under that name; nil if nothing was.
  func capability(_ name: String, of identity: String) throws(HoneError) -> String?

  /// Keeps what was learned of a model's endpoint, in place of what was known before.
  func keepCapability(_ name: String, _ value: String, of identity: String) async throws(HoneError)

  /// Notes requests that a run is about to send; returns when the note would survive the process.
  func noteSending(_ requests: Int, role: CallRole, run: String) async throws(HoneError) -> RequestNote?

  /// Keeps what a run's failed requests cost; the notes that were made of them go.
  func keep(_ failed: [FailedRequests], run: String, closing notes: [RequestNote]) async throws(HoneError)
}

extension AnswerStore {
  package func noteSending(_ requests: Int, role: CallRole, run: String) async throws(HoneError) -> RequestNote? { nil }
  package func keep(_ failed: [FailedRequests], run: String, closing notes: [RequestNote]) async throws(HoneError) {}
  package func capability(_ name: String, of identity: String) throws(HoneError) -> String? { nil }
  package func keepCapability(_ name: String, _ value: String, of identity: String) async throws(HoneError) {}

  package func keepSoon(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    try await keep(answer, for: key)
  }
}
