import Failures
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
/// - A process of the user whom this server belongs to needs no more, on a loopback address. Everybody else needs the
///   token: as a bearer token, as a password, or in the cookie that `?token=` leaves.
struct Gatekeeper: Sendable {
  enum Decision {
    case pass
    case refuse(HTTPResponse.Status, code: String, String)
    /// The token was in the address: move it into a cookie and go on without it.
    case welcome(location: String, cookie: String)
  }

  private let isLoopback: Bool
  private let allowedNames: Set<String>
  private let keptToken: KeptToken
  /// Whether the owner's own processes need the token, too.
  private let asksOwner: Bool
  private static let cookie = "hone-token"

  init(configuration: WebConfiguration, token: KeptToken) {
    isLoopback = HostName.isLoopback(configuration.host)
    allowedNames = Set((configuration.allowedHosts + ["localhost", configuration.host]).map { $0.lowercased() })
    keptToken = token
    asksOwner = configuration.asksOwner
  }

  func decide(_ request: Request, from peer: WebConnection.Peer) -> Decision {
    if let name = Self.repeated(request.headers) {
      return .refuse(.badRequest, code: "BAD_REQUEST", "The request has more than one \(name) header.")
    }
    guard let authority = request.head.authority, let name = HostName.name(of: authority), isAllowed(name) else {
      return .refuse(
        .forbidden, code: "PERMISSION_DENIED",
        "This server does not accept the name in the Host header. Allow it with --allowed-host.")
    }
    if let refusal = foreignSite(request, authority: authority) { return refusal }
    if !asksOwner, peer == .owner { return .pass }
    let token: AccessToken
    do throws(HoneError) {
      token = try keptToken.token()
    } catch {
      return .refuse(.internalServerError, code: "INTERNAL_ERROR", error.message)
    }
    if hasToken(token, request) { return .pass }
    if let welcome = welcome(token, request) { return welcome }
    return .refuse(.unauthorized, code: "UNAUTHENTICATED", reason(peer) + Self.remedy)
  }

  private func reason(_ peer: WebConnection.Peer) -> String {
    switch peer {
    case _ where asksOwner: "This server asks for a token."
    case .otherUser: "This server belongs to another user of this machine, who can let you in with a token."
    case .owner, .unknown: "This server cannot tell which user of this machine you are, and asks for a token."
    }
  }

  private static let remedy =
    " It is in the file \"\(AccessToken.fileName)\" of the server's home directory. Send it as a bearer token "
    + "(MLFLOW_TRACKING_TOKEN), as a password, or once as ?token= in the browser's address."

  /// Headers of which another reader could take another one than we do.
  private static let single: [HTTPField.Name] =
    [
      .authorization, .contentEncoding, .contentLength, .contentType, .origin, .transferEncoding,
    ] + ["Host", "Sec-Fetch-Mode", "Sec-Fetch-Site"].compactMap { HTTPField.Name($0) }

  /// A header that stands more than once and must not. The first `Host` is no field any more: it is the authority.
  private static func repeated(_ headers: HTTPFields) -> String? {
    var seen: Set<HTTPField.Name> = []
    for field in headers where single.contains(field.name) {
      if field.name.canonicalName == "host" || !seen.insert(field.name).inserted { return field.name.rawName }
    }
    return nil
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
