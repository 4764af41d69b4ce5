package import Basics
package import Failures

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

  /// Notes a request that a run is about to send, with the most that it can cost; returns when the note would survive the
  /// process.
  func noteSending(_ request: FailedRequests, run: String) async throws(HoneError) -> RequestNote?

  /// Keeps what a run's failed requests cost; the notes that were made of them go.
  func keep(_ failed: [FailedRequests], run: String, closing notes: [RequestNote]) async throws(HoneError)
}

extension AnswerStore {
  package func noteSending(_ request: FailedRequests, run: String) async throws(HoneError) -> RequestNote? { nil }
  package func keep(_ failed: [FailedRequests], run: String, closing notes: [RequestNote]) async throws(HoneError) {}
  package func capability(_ name: String, of identity: String) throws(HoneError) -> String? { nil }
  package func keepCapability(_ name: String, _ value: String, of identity: String) async throws(HoneError) {}

  package func keepSoon(_ answer: StoredAnswer, for key: ContentDigest) async throws(HoneError) {
    try await keep(answer, for: key)
  }
}
