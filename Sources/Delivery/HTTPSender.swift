import AsyncHTTPClient
package import Failures
import Foundation
import JSON
import NIOCore
package import NIOHTTP1
import Networking

/// Sends documents to a server that was named on the command line, and reads its answers.
///
/// Credentials come from the address's user information or from the environment; neither is ever part of an error.
package struct HTTPSender: Sendable {
  /// The address without credentials and without a final slash.
  package let base: String
  private let authorization: String?
  private let client: HTTPClient
  private let route: Route

  /// The most bytes read of one answer.
  private static let maximumReply = 256 << 20

  package struct Reply: Sendable {
    package var status: Int
    package var body: [UInt8]
    /// The seconds that the server asks to wait, where it says so.
    var retryAfter: Double?

    package var isSuccess: Bool { (200..<300).contains(status) }
    /// Whether the same request may succeed later.
    package var isPassing: Bool { status == 408 || status == 429 || status >= 500 }
  }

  /// - Parameter authorization: the header's value; what the address holds wins.
  /// - Throws: `invalidParams` for what is no http or https address.
  package init(_ address: String, authorization: String? = nil) throws(HoneError) {
    guard var parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
      scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty
    else {
      throw HoneError(
        .invalidParams, "\"\(address)\" is not a server address.",
        remedy: "Give it as http://HOST:PORT or https://HOST/PATH.")
    }
    if let user = parts.user {
      let pair = "\(user):\(parts.password ?? "")"
      self.authorization = "Basic " + Data(pair.utf8).base64EncodedString()
    } else {
      self.authorization = authorization
    }
    parts.user = nil
    parts.password = nil
    var text = parts.string ?? address
    while text.hasSuffix("/") { text.removeLast() }
    base = text
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5)))
    configuration.connectionPool.retryConnectionEstablishment = false
    route = try Route(to: base)
    try route.configure(&configuration)
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  package func send(
    _ method: HTTPMethod, _ path: String, type: String = "application/json", _ body: [UInt8]? = nil,
    headers: [(String, String)] = [], timeout: Int64 = 30
  ) async throws(HoneError) -> Reply {
    var request = route.request(base + path)
    request.method = method
    if let authorization { request.headers.add(name: "Authorization", value: authorization) }
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body {
      request.headers.add(name: "Content-Type", value: type)
      request.body = .bytes(body)
    }
    do {
      let response = try await client.execute(request, timeout: .seconds(timeout))
      let bytes = try await response.body.collect(upTo: Self.maximumReply)
      return Reply(
        status: Int(response.status.code), body: Array(bytes.readableBytesView),
        retryAfter: response.headers.first(name: "Retry-After").flatMap(Double.init))
    } catch {
      if let fault = await ConnectionFault.of(error, on: route) {
        throw HoneError(.storeUnavailable, "\(base) cannot be reached: \(fault.what).", remedy: fault.remedy)
      }
      throw HoneError(
        .storeUnavailable, "\(base) cannot be reached\(route.words): \(ConnectionFault.words(of: error)).",
        remedy: "Check that a server runs there.")
    }
  }

  package func shutdown() async { try? await client.shutdown() }
}
