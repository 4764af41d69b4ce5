package import JSON
package import JSONRPC
package import Programs

/// A connection as the client of the requests that came over it.
package struct ConnectionPeer: CallbackPeer {
  private let connection: Connection

  package init(connection: Connection) { self.connection = connection }

  package var isGone: Bool { connection.isClosed }

  package func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue
  {
    do throws(CallFailure) {
      return try await connection.request(method, params, timeout: timeout.map { .seconds($0) })
    } catch {
      switch error {
      case .refused(let error):
        throw .refused(code: error.code.rawValue, message: error.message, data: error.data)
      case .timedOut: throw .timedOut(timeout ?? 0)
      // A connection that closes cancels the works of its requests first.
      case .cancelled: throw connection.isClosed ? .gone : .cancelled
      case .connectionClosed: throw .gone
      }
    }
  }
}
