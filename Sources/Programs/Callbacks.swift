import Basics
package import Failures
package import JSON
package import LanguageModels
package import Messages
import Schema

/// The client that a request came from, as far as it can be asked to take part in the work.
package protocol CallbackPeer: Sendable {
  /// Sends a request and awaits its result. A cancelled task, or an answer that does not come within `timeout` seconds,
  /// tells the client so; what it answers later is passed over.
  func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue

  /// Whether the client has gone, so that every further question would be in vain.
  var isGone: Bool { get }
}

/// Why a client's callback gave nothing.
package enum CallbackFailure: Error, Sendable, Hashable {
  case refused(code: Int, message: String, data: JSONValue?)
  /// No answer came within that many seconds.
  case timedOut(Double)
  case cancelled
  case gone
}

/// One question to a client.
package struct Callback: Sendable {
  package let kind: CallbackKind
  /// Which of the client's functions is asked for.
  package let name: String
  /// What is sent.
  let sent: JSONObject
  /// What makes it this question: the parameters beside the name and those that differ each time.
  let params: JSONObject
  /// What makes it another question without being sent.
  package var distinction = ""
  /// Seconds after which no answer is expected any more.
  package let timeout: Double
  /// What kind of failure it is if the client cannot do it.
  package let failure: FailureKind

  package var method: String { kind.method }

  package init<Question: CallbackQuestion>(_ question: Question, timeout: Double, failure: FailureKind) {
    kind = Question.kind
    name = question.name
    sent = question.given
    params = sent.filter { $0 != "name" && !Question.passing.contains($0) }
    self.timeout = timeout
    self.failure = failure
  }

  /// The function in words, at the beginning of a sentence.
  fileprivate var words: String { "The client's \(kind.noun) \"\(name)\"" }

  /// A failed question as an error of this callback's kind; a client that has gone, and a cancellation, are their own.
  package func error(_ failure: CallbackFailure) -> HoneError {
    switch failure {
    case .refused(let code, let message, _):
      // A client that knows no such callback at all is asked in vain for every example.
      if code == -32601 {
        return HoneError(
          kind == .metrics ? .metricFailed : .programInvalid,
          "The client does not serve \(method), which \"\(name)\" needs: \(message)",
          remedy: "Answer \(method) in the client.", details: ["callback": method])
      }
      return HoneError(
        self.failure, "\(words) failed: \(message)", remedy: "Fix the client's function.",
        details: ["callback": method])
    case .timedOut(let seconds):
      return HoneError(
        self.failure, "\(words) gave no answer within \(seconds) s.",
        remedy: "Make it answer sooner, or set a longer \"timeout\" beside its name.", details: ["callback": method])
    case .cancelled:
      return HoneError(.cancelled, "The request was cancelled.")
    case .gone:
      return HoneError(
        .clientGone, "The client went away before it answered \(method).",
        remedy: "Resume the run from a client that serves \"\(name)\"; nothing that was answered is asked again.",
        details: ["callback": method])
    }
  }

  /// The error for an answer that is not what was asked for.
  package func nonsense(_ answer: JSONValue, expected: String) -> HoneError {
    HoneError(
      failure, "\(words) answered \(answer.excerpt) where \(expected) is expected.",
      remedy: "Fix the client's function.", details: ["callback": method])
  }
}

/// Asks a client, and keeps its answers for the run, so that a run that is done again meets them.
package struct Callbacks: Sendable {
  package let peer: any CallbackPeer
  /// The executions that the client runs at the moment.
  package let executions: HostExecutions
  private let store: (any CallbackStore)?

  package init(
    peer: any CallbackPeer, store: (any CallbackStore)? = nil, executions: HostExecutions = HostExecutions()
  ) {
    self.peer = peer
    self.store = store
    self.executions = executions
  }

  /// Asks, unless the run has the answer already.
  ///
  /// - Parameters:
  ///   - call: whose question it is; its scope tells equal questions of one run apart.
  ///   - reading: what the answer means; throws where it means nothing. Only what can be read is kept.
  /// - Throws: the callback's own kind; `clientGone`, `cancelled`; what `reading` throws.
  package func ask<Value>(
    _ question: Callback, for call: CallContext, reading: (JSONValue) throws(HoneError) -> Value
  ) async throws(HoneError) -> Value {
    guard let run = call.account.runID, let store else { return try reading(try await answer(question)) }
    let key = key(question, run: run, scope: call.scope)
    if call.account.hadAnswer(for: key), let kept = try store.callbackAnswer(for: key) { return try reading(kept) }
    let answer = try await answer(question)
    let value = try reading(answer)
    try await store.keepCallback(answer, run: run, name: "\(question.method) \(question.name)", for: key)
    return value
  }

  /// A failure by its cause: work that was cancelled because its client has gone did not end on anybody's wish.
  package static func causeOf(_ error: HoneError, _ peer: (any CallbackPeer)?) -> HoneError {
    guard error.kind == .cancelled, peer?.isGone == true else { return error }
    return HoneError(
      .clientGone, "The client that asked for this went away.",
      remedy: "Resume the run; nothing that was answered is asked again.", details: error.details)
  }

  /// Asks, without a look at what is kept.
  package func answer(_ question: Callback) async throws(HoneError) -> JSONValue {
    do throws(CallbackFailure) {
      return try await ask(question)
    } catch {
      throw question.error(error)
    }
  }

  /// Asks, without a look at what is kept; says why there is no answer.
  func ask(_ question: Callback) async throws(CallbackFailure) -> JSONValue {
    try await peer.ask(question.method, question.sent, timeout: question.timeout)
  }

  /// What is kept under a question's place in its run, if anything.
  package func kept(_ question: Callback, for call: CallContext) throws(HoneError) -> JSONValue? {
    guard let run = call.account.runID, let store else { return nil }
    let key = key(question, run: run, scope: call.scope)
    return call.account.hadAnswer(for: key) ? try store.callbackAnswer(for: key) : nil
  }

  package func keep(_ answer: JSONValue, of question: Callback, for call: CallContext) async throws(HoneError) {
    guard let run = call.account.runID, let store else { return }
    try await store.keepCallback(
      answer, run: run, name: "\(question.method) \(question.name)",
      for: key(question, run: run, scope: call.scope))
  }

  private func key(_ question: Callback, run: String, scope: String) -> ContentDigest {
    var builder = ContentDigest.Builder()
    builder.add("callback")
    builder.add(run)
    builder.add(scope)
    builder.add(question.method)
    builder.add(question.name)
    builder.add(question.distinction)
    builder.add(JSONValue.object(question.params).encoded())
    return builder.finish()
  }
}
