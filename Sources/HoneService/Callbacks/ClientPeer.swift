import JSON
import JSONRPC
import Programs

/// What a client's functions are asked for, and under which name `initialize` lists them.
enum CallbackKind: String, CaseIterable {
  case metrics, languageModels, tools, programs

  var method: String {
    switch self {
    case .metrics: "metric/score"
    case .languageModels: "languageModel/complete"
    case .tools: "tool/call"
    case .programs: "program/forward"
    }
  }

  var noun: String {
    switch self {
    case .metrics: "metric"
    case .languageModels: "language model"
    case .tools: "tool"
    case .programs: "program"
    }
  }
}

/// The functions that a client said it serves. A kind that it said nothing of is trusted to be there.
package struct ServedCallbacks: Sendable {
  private var names: [CallbackKind: [String]] = [:]

  package init() {}

  /// From the parameters of `initialize`: `capabilities.callbacks`, or `initializationOptions.callbacks` for editors
  /// whose capabilities are not their own to state.
  init(initialize params: JSONObject) {
    let stated = params["capabilities"]?["callbacks"] ?? params["initializationOptions"]?["callbacks"]
    for kind in CallbackKind.allCases {
      guard let list = stated?[kind.rawValue]?.arrayValue else { continue }
      names[kind] = list.compactMap(\.stringValue)
    }
  }

  /// The names of that kind; nil if nothing was said.
  subscript(kind: CallbackKind) -> [String]? { names[kind] }
}

/// A connection as the client of the requests that came over it.
struct ConnectionPeer: CallbackPeer {
  let connection: Connection

  var isGone: Bool { connection.isClosed }

  func ask(_ method: String, _ params: JSONObject, timeout: Double?) async throws(CallbackFailure) -> JSONValue {
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
