import Foundation
import HTTPResponses
import HTTPTypes
import Hummingbird

/// Decides on each request, before any route sees it, whether whoever sent it may.
///
/// - The `Host` must be an address, or a name that was allowed: a page of another name that resolves to this machine
///   (DNS rebinding) is turned away.
/// - What changes something must not come from another site's page (`Origin`, `Sec-Fetch-Site`); neither may such a
///   page read, except by leading a person here.
/// - Where a token is asked for, it comes as a bearer token, as a password, or in the cookie that `?token=` leaves.
struct Gatekeeper: Sendable {
  enum Decision {
    case pass
    case refuse(HTTPResponse.Status, code: String, String)
    /// The token was in the address: move it into a cookie and go on without it.
    case welcome(location: String, cookie: String)
  }

  private let isLoopback: Bool
  private let allowedNames: Set<String>
  private let token: AccessToken?
  private static let cookie = "hone-token"

  init(configuration: WebConfiguration, token: AccessToken?) {
    isLoopback = HostName.isLoopback(configuration.host)
    allowedNames = Set((configuration.allowedHosts + ["localhost", configuration.host]).map { $0.lowercased() })
    self.token = token
  }

  func decide(_ request: Request) -> Decision {
    guard let authority = request.head.authority, let name = HostName.name(of: authority), isAllowed(name) else {
      return .refuse(
        .forbidden, code: "PERMISSION_DENIED",
        "This server does not accept the name in the Host header. Allow it with --allowed-host.")
    }
    if let refusal = foreignSite(request, authority: authority) { return refusal }
    guard let token else { return .pass }
    if hasToken(token, request) { return .pass }
    if let welcome = welcome(token, request) { return welcome }
    return .refuse(
      .unauthorized, code: "UNAUTHENTICATED",
      "This server asks for the token in the file \"\(AccessToken.fileName)\" of its home directory: as a bearer token "
        + "(MLFLOW_TRACKING_TOKEN), as a password, or once as ?token= in the browser's address.")
  }

  private func isAllowed(_ name: String) -> Bool {
    if allowedNames.contains(name) { return true }
    // No name but an address: nobody can make it resolve elsewhere.
    return HostName.isAddress(name) && (!isLoopback || HostName.isLoopback(name))
  }

  private func foreignSite(_ request: Request, authority: String) -> Decision? {
    let refusal = Decision.refuse(
      .forbidden, code: "PERMISSION_DENIED", "Pages of other sites may not use this server.")
    let site = request.header("Sec-Fetch-Site")?.lowercased()
    let isForeign = site == "cross-site" || site == "same-site"
    if request.method == .get || request.method == .head {
      let isNavigation = request.header("Sec-Fetch-Mode")?.lowercased() == "navigate"
      return isForeign && !isNavigation ? refusal : nil
    }
    if isForeign { return refusal }
    guard let origin = request.headers[.origin] else { return nil }
    guard origin == "http://" + authority || origin == "https://" + authority else { return refusal }
    return nil
  }

  private func hasToken(_ token: AccessToken, _ request: Request) -> Bool {
    if let text = request.headers[.authorization] {
      let parts = text.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { return false }
      switch parts[0].lowercased() {
      case "bearer": return token.isEqual(to: parts[1].trimmed)
      case "basic":
        guard let data = Data(base64Encoded: parts[1].trimmed) else { return false }
        let pair = String(decoding: data, as: UTF8.self).split(
          separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        return pair.count == 2 && token.isEqual(to: pair[1])
      default: return false
      }
    }
    for header in request.headers[values: .cookie] {
      for pair in header.split(separator: ";") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        if parts.count == 2, parts[0].trimmed == Self.cookie, token.isEqual(to: parts[1].trimmed) { return true }
      }
    }
    return false
  }

  private func welcome(_ token: AccessToken, _ request: Request) -> Decision? {
    guard request.method == .get, let query = request.uri.query else { return nil }
    var rest: [Substring] = []
    var isKnown = false
    for pair in query.split(separator: "&") {
      if pair.hasPrefix("token=") {
        isKnown = token.isEqual(to: pair.dropFirst("token=".count))
      } else {
        rest.append(pair)
      }
    }
    guard isKnown else { return nil }
    // One slash in front, whatever came: two would lead to another host.
    let path = "/" + request.uri.path.drop { $0 == "/" || $0 == "\\" }
    return .welcome(
      location: path + (rest.isEmpty ? "" : "?" + rest.joined(separator: "&")),
      cookie: "\(Self.cookie)=\(token.text); Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000")
  }
}
