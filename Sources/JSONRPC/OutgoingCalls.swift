package import Failures
import JSON

/// Why a request of ours got no result.
package enum CallFailure: Error, Sendable, Hashable, CustomStringConvertible {
  /// The peer answered with an error.
  case refused(RPCError)
  /// No answer came in time.
  case timedOut(Duration)
  /// The task that asked was cancelled.
  case cancelled
  /// The peer has gone, or has closed its sending side and cannot answer any more.
  case connectionClosed

  package var description: String {
    switch self {
    case .refused(let error): "the client answered with an error: \(error)"
    case .timedOut(let duration): "the client gave no answer within \(duration)"
    case .cancelled: "the request was cancelled"
    case .connectionClosed: "the client has gone"
    }
  }

  /// This failure as an error that may leave a room; `method` is what was asked for.
  package func honeError(method: String) -> HoneError {
    switch self {
    case .refused(let error):
      HoneError(
        FailureKind(rawValue: "clientError"), "The client could not fulfil \(method): \(error.message)",
        remedy: "Fix the client's handler of \(method).", details: ["code": String(error.code.rawValue)])
    case .timedOut(let duration):
      HoneError(
        .timeout, "The client gave no answer to \(method) within \(duration).",
        remedy: "Make the client answer sooner, or allow it more time.")
    case .cancelled: HoneError(.cancelled, "The request \(method) to the client was cancelled.")
    case .connectionClosed:
      HoneError(
        .clientGone, "The client went away before it answered \(method).",
        remedy: "Keep the connection open until the answer has come.")
    }
  }
}

/// The requests that we have sent and that await their answers.
///
/// Ids are integers from 1,000,000,000 up: some peers take only integers, and mistake a request for an
/// answer if its id is one of their own.
struct OutgoingCalls: Sendable {
  typealias Continuation = CheckedContinuation<Result<JSONValue, CallFailure>, Never>

  static let firstID = 1_000_000_000
  private var nextID = firstID
  private var open: [Int: Continuation] = [:]

  var isEmpty: Bool { open.isEmpty }

  mutating func makeID() -> Int {
    defer { nextID += 1 }
    return nextID
  }

  mutating func add(_ id: Int, _ continuation: Continuation) { open[id] = continuation }

  mutating func take(_ id: Int) -> Continuation? { open.removeValue(forKey: id) }

  /// The one that the peer's `id` names, if it still waits.
  mutating func take(_ id: RequestID) -> Continuation? {
    if case .string = id.value { return nil }
    return id.value.intValue.flatMap { take($0) }
  }

  mutating func takeAll() -> [Continuation] {
    defer { open = [:] }
    return open.sorted { $0.key < $1.key }.map(\.value)
  }
}
