import Failures
import HTTPResponses
import HTTPTypes
import Hummingbird
import Logging
import Platform

/// Stands in front of all routes: asks the gatekeeper, turns every failure into a JSON error, and puts the security
/// headers on whatever leaves.
struct GuardedResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == BasicRequestContext {
  let gatekeeper: Gatekeeper
  let inner: Inner
  let largeBodies = LargeBodies()
  let logger: Logger

  func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
    var response: Response
    do {
      switch gatekeeper.decide(request, from: WebConnection.current?.peer ?? .unknown) {
      case .pass:
        response = try await largeBodies.serving {
          try await apart(where: request.mayBeLong) { try await inner.respond(to: request, context: context) }
        }
        // The router's own refusals say nothing.
        if response.status.kind == .clientError, response.body.contentLength == 0 {
          response = .failure(HTTPError(response.status), logger)
        }
      case .refuse(let status, let code, let message):
        let isForPerson = request.headers[.accept]?.contains("text/html") == true
        response = isForPerson ? .text(message, status: status) : .failure(status, code, message)
        if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"Hone\"" }
      case .welcome(let location, let cookie):
        response = Response(status: .seeOther, headers: [.location: location, .setCookie: cookie])
      }
    } catch {
      response = .failure(error, logger)
    }
    for field in securityHeaders where response.headers[field.name] == nil { response.headers.append(field) }
    return response
  }
}

extension Request {
  /// Whether its body takes long to read: it is long, or of a length that is not told.
  fileprivate var mayBeLong: Bool {
    guard method != .get, method != .head else { return false }
    return headers[.contentLength].flatMap { Int($0) } ?? .max > ComputationThreads.longText
  }
}

/// No page but our own may show, run or read anything of ours. There is never a CORS header.
private let securityHeaders: [HTTPField] = [
  ("Content-Security-Policy", ContentPolicy.page), ("X-Content-Type-Options", "nosniff"),
  ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"), ("Cross-Origin-Opener-Policy", "same-origin"),
  ("Cross-Origin-Resource-Policy", "same-origin"), ("Cache-Control", "no-store"),
].compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } }
