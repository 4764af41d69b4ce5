package import Basics
package import Failures
package import JSON

/// Where the answers of a client's callbacks are kept, for the run that they were given for.
///
/// The same rule as for `AnswerStore`: an answer is written before anybody uses it and never changed afterwards, so
/// that a run that is done again asks its client nothing twice.
package protocol CallbackStore: Sendable {
  /// The answer kept under that key, if any. Quick: a look-up by primary key.
  func callbackAnswer(for key: ContentDigest) throws(HoneError) -> JSONValue?

  /// Keeps an answer; returns when it would survive the process. The first answer under a key stays.
  ///
  /// - Parameter name: what was asked for (`metric/score exact`), for people who look into the store.
  func keepCallback(_ answer: JSONValue, run: String, name: String, for key: ContentDigest) async throws(HoneError)
}
