package import JSON
package import JSONRPC

/// What a session understands beside the service's methods, for one kind of client.
package protocol SessionExtension: Sendable {
  /// What `initialize` announces of it, as members of `capabilities`.
  static var capabilities: JSONObject { get }

  /// - Parameter requests: the session's long requests, which may be cancelled by their progress token.
  init(service: Service, requests: CancellableRequests)

  /// The client has introduced itself, with the parameters of `initialize`.
  func begin(_ params: JSONObject)

  /// How a request is answered; nil for a method that is none of the extension's.
  func plan(_ request: IncomingRequest, baseDirectory: String) -> RequestPlan?

  /// Takes a notification; false for one that is none of the extension's.
  func receive(_ notification: IncomingNotification, baseDirectory: String) -> Bool

  /// The connection is closed.
  func end()
}
