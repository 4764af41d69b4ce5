package import JSON

/// A request that awaits its answer.
package struct IncomingRequest: Sendable {
  package let id: RequestID
  package let method: String
  /// By name; empty where there are none.
  package let params: JSONObject
  /// Where the request came from, and where callbacks and progress go.
  package let connection: Connection
}

/// A message that wants no answer.
package struct IncomingNotification: Sendable {
  package let method: String
  package let params: JSONObject
  package let connection: Connection
}

/// How a request is going to be answered.
package enum RequestPlan: Sendable {
  /// At once.
  case answer(JSONValue)
  /// At once, with an error.
  case failure(RPCError)
  /// By work that runs as a task of its own, which is cancelled when the request is.
  case work(@Sendable () async throws -> JSONValue)
}

/// Whose places a request takes, of which each lane has its own.
///
/// A request waits for the peer where it asks it something, and the peer may have to ask in turn before it can answer:
/// in a lane further down. So none ever queues behind requests that wait for it.
package enum RequestLane: Int, CaseIterable, Sendable {
  /// Runs for long, and may ask the peer for anything meanwhile.
  case work
  /// Whatever is in no other lane.
  case call
  /// Part of what the peer does for a request of ours.
  case part
}

/// What serves one connection.
///
/// `plan` and `receive` are called one at a time, in the order in which the messages came, and must not
/// wait: whatever depends on that order (state changes, barriers, queue places) is settled there, before
/// the work begins. The works run concurrently.
package protocol RequestHandler: Sendable {
  /// The lane of a request that has just come; called under the connection's lock.
  func lane(of method: String, _ params: JSONObject) -> RequestLane
  func plan(_ request: IncomingRequest) -> RequestPlan
  /// `$/cancelRequest` is taken care of by the connection and does not come here.
  func receive(_ notification: IncomingNotification)
  /// The peer sends nothing more; what it has sent is still answered.
  func inputEnded(_ connection: Connection)
  /// The connection is closed; the tasks of its requests have been cancelled.
  func connectionClosed(_ connection: Connection)
}

extension RequestHandler {
  package func lane(of method: String, _ params: JSONObject) -> RequestLane { .call }
  package func receive(_ notification: IncomingNotification) {}
  package func inputEnded(_ connection: Connection) {}
  package func connectionClosed(_ connection: Connection) {}
}
