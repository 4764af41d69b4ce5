import Failures
import Foundation
package import HTTPTypes
package import Hummingbird
package import JSON
package import Logging
import NIOCore

extension Response {
  /// A JSON document.
  package static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
    json(text: value.encoded(), status: status)
  }

  package static func json(text: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
  }

  /// A text for a person.
  package static func text(_ text: String, status: HTTPResponse.Status) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
  }

  /// An error as MLflow's clients read it, which serves everybody else, too.
  package static func failure(_ status: HTTPResponse.Status, _ code: String, _ message: String) -> Response {
    json(["error_code": .string(code), "message": .string(message)], status: status)
  }

  /// Any error of a route. What is the client's mistake is never a 500, because clients try those again for minutes.
  package static func failure(_ error: any Error, _ logger: Logger) -> Response {
    if let error = error as? HTTPError {
      let code = error.status == .contentTooLarge ? "REQUEST_TOO_LARGE" : "BAD_REQUEST"
      if error.status == .notFound {
        return failure(.notFound, "ENDPOINT_NOT_FOUND", error.body ?? "There is nothing at this address.")
      }
      return failure(error.status, code, error.body ?? error.status.reasonPhrase)
    }
    if let error = error as? WebFailure { return failure(error.status, error.code, error.message) }
    let known = HoneError(wrapping: error)
    let (status, code): (HTTPResponse.Status, String) =
      switch known.kind {
      case .invalidParams, .datasetInvalid, .programInvalid: (.badRequest, "INVALID_PARAMETER_VALUE")
      case .notFound: (.notFound, "RESOURCE_DOES_NOT_EXIST")
      case .storeUnavailable: (.serviceUnavailable, "TEMPORARILY_UNAVAILABLE")
      case .cancelled: (.serviceUnavailable, "CANCELLED")
      default: (.internalServerError, "INTERNAL_ERROR")
      }
    if status.kind == .serverError { logger.warning("A web request failed: \(known.description)") }
    let message = [known.message, known.remedy].compactMap { $0 }.joined(separator: " ")
    return failure(status, code, message)
  }
}

/// A refusal with its status and MLflow's code.
package struct WebFailure: Error {
  package var status: HTTPResponse.Status
  package var code: String
  package var message: String

  package init(_ status: HTTPResponse.Status, _ code: String, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  /// A mistake in a request.
  package static func invalid(_ message: String) -> WebFailure {
    WebFailure(.badRequest, "INVALID_PARAMETER_VALUE", message)
  }

  package static func missing(_ message: String) -> WebFailure {
    WebFailure(.notFound, "RESOURCE_DOES_NOT_EXIST", message)
  }
}

extension Request {
  /// The value of a header that has no name of its own in the library.
  package func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

  /// The whole body, of at most `limit` bytes. A large one waits for its place (`LargeBodies`).
  ///
  /// - Throws: `WebFailure` (413) for a longer one.
  package func bytes(upTo limit: Int) async throws -> [UInt8] {
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw Self.tooLarge(limit) }
    var bytes: [UInt8] = []
    for try await buffer in body {
      guard bytes.count + buffer.readableBytes <= limit else { throw Self.tooLarge(limit) }
      if bytes.count + buffer.readableBytes > LargeBodies.size {
        await LargeBodies.takePlace()
        if let length = headers[.contentLength].flatMap({ Int($0) }) { bytes.reserveCapacity(min(length, limit)) }
      }
      bytes.append(contentsOf: buffer.readableBytesView)
    }
    return bytes
  }

  package static func tooLarge(_ limit: Int) -> WebFailure {
    WebFailure(.contentTooLarge, "REQUEST_TOO_LARGE", "The body is larger than the \(limit) bytes accepted here.")
  }

  /// The kind of the body without its parameters, in lower case.
  package var mediaType: String? {
    headers[.contentType]?.split(separator: ";").first?.trimmed.lowercased()
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  package var trimmed: String {
    var rest = Substring(self)
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}

extension StringProtocol {
  /// A part of a query, decoded once: `+` is a space there (WHATWG URL, application/x-www-form-urlencoded).
  package var formDecoded: String? { replacingOccurrences(of: "+", with: " ").removingPercentEncoding }
}
