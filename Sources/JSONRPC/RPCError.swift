package import Failures
package import JSON
import Schema

/// The `error` of a JSON-RPC response.
package struct RPCError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The number by which machines tell errors apart: an open set with the named ones of JSON-RPC and LSP.
  package struct Code: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The text is not JSON, or its framing is broken.
    package static let parseError = Code(rawValue: -32700)
    /// JSON, but no request; or one that this connection cannot take now.
    package static let invalidRequest = Code(rawValue: -32600)
    package static let methodNotFound = Code(rawValue: -32601)
    package static let invalidParams = Code(rawValue: -32602)
    package static let internalError = Code(rawValue: -32603)
    package static let serverNotInitialized = Code(rawValue: -32002)
    /// The client cancelled the request.
    package static let requestCancelled = Code(rawValue: -32800)
    /// The server cancelled the request (it is shutting down).
    package static let serverCancelled = Code(rawValue: -32802)
    /// The request was understood and could not be fulfilled.
    package static let requestFailed = Code(rawValue: -32803)
  }

  package var code: Code
  package var message: String
  package var data: JSONValue?

  package init(_ code: Code, _ message: String, data: JSONValue? = nil) {
    self.code = code
    self.message = message
    self.data = data
  }

  /// What requests get that a service which is ending does not begin.
  static let ending = RPCError(.serverCancelled, "The service is ending and has not begun this request.")

  package var description: String { "\(message) (\(code.rawValue))" }

  /// The error as the value of a response's `error` member.
  package var json: JSONValue {
    var object = JSONObject()
    object.append("code", .int(code.rawValue))
    object.append("message", .string(message))
    if let data { object.append("data", data) }
    return .object(object)
  }

  /// Reads a peer's error leniently: a missing code or message is made up rather than refused.
  package init(reading value: JSONValue) {
    code = Code(rawValue: value["code"]?.intValue ?? Code.internalError.rawValue)
    message = value["message"]?.stringValue ?? "The peer answered with an error that has no message."
    data = value["data"]
  }

  package static func methodNotFound(_ method: String, known: some Sequence<String> = [String]()) -> RPCError {
    let name = String(method.prefix(100))
    guard let suggestion = nearest(to: name, among: known) else {
      return RPCError(.methodNotFound, "There is no method \"\(name)\".")
    }
    return RPCError(
      .methodNotFound, "There is no method \"\(name)\". Did you mean \"\(suggestion)\"?",
      data: ["suggestion": .string(suggestion)])
  }
}

extension RPCError {
  /// Any error of a handler as the error of its response: an `RPCError` as it is, everything else by
  /// way of `HoneError`.
  package init(_ error: any Error) {
    if let known = error as? RPCError {
      self = known
    } else {
      self.init(HoneError(wrapping: error))
    }
  }

  /// Bad parameters are -32602, a cancellation -32800, a fault of our own -32603, all else -32803.
  /// `data` is an `ErrorData`.
  package init(_ error: HoneError) {
    let code: Code =
      switch error.kind {
      case .invalidParams: .invalidParams
      case .cancelled: .requestCancelled
      case .internalError: .internalError
      default: .requestFailed
      }
    self.init(code, error.message, data: ErrorData(error).jsonValue)
  }
}
