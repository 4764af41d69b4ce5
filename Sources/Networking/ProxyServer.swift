import AsyncHTTPClient
import Failures
import Foundation

/// A proxy that the environment names.
///
/// Its password is a secret: it is in nothing that describes the proxy.
package struct ProxyServer: Sendable, Hashable, CustomStringConvertible {
  enum Kind: Sendable, Hashable { case http, socks }

  let kind: Kind
  let host: String
  let port: Int
  let user: String?
  let password: String?
  /// The variable that names it.
  let variable: String

  /// For messages.
  package var description: String { "the proxy \(host.contains(":") ? "[\(host)]" : host):\(port) of \(variable)" }

  /// The proxy for an address; nil where it is reached directly.
  ///
  /// As curl has it: `https_proxy` or `http_proxy` by the address's scheme, else `all_proxy`, each in either case, and
  /// `no_proxy` for what is reached without.
  ///
  /// - Throws: `invalidParams` for a value that names no proxy that can be used.
  static func chosen(for address: WebAddress, _ variables: Variables) throws(HoneError) -> ProxyServer? {
    let names = ["\(address.scheme)_proxy", "all_proxy"].flatMap { [$0, $0.uppercased()] }
    guard let (variable, value) = variables.first(of: names),
      !DirectHosts(variables.first(of: ["no_proxy", "NO_PROXY"])?.value).contains(address)
    else { return nil }
    return try ProxyServer(value, variable: variable)
  }

  init(_ value: String, variable: String) throws(HoneError) {
    func unusable(_ why: String) -> HoneError {
      let message = "The environment variable \(variable) names no proxy that can be used: \(why)."
      return HoneError(
        .invalidParams, message,
        remedy: "Set \(variable) to http://HOST:PORT or socks5://HOST:PORT, or list the host in NO_PROXY.",
        problems: [Problem(path: "lm", message: message)])
    }
    let (scheme, rest) =
      value.firstRange(of: "://").map { (value[..<$0.lowerBound].lowercased(), value[$0.upperBound...]) }
      ?? ("http", value[...])
    switch scheme {
    case "http": kind = .http
    case "socks5", "socks5h", "socks": kind = .socks
    case "https": throw unusable("a proxy that is itself reached by https is not supported")
    default: throw unusable("only http and socks5 are supported")
    }
    let authority = rest.prefix { !"/?#".contains($0) }
    let at = authority.lastIndex(of: "@")
    let credentials = at.map { authority[..<$0] }
    let parts = WebAddress.split(at.map { authority[authority.index(after: $0)...] } ?? authority)
    let port = parts.port.map { Int($0) } ?? (kind == .http ? 80 : 1080)
    guard !parts.host.isEmpty, let port, (1...65_535).contains(port),
      !parts.host.contains(where: { $0.isWhitespace || "<>\"'`\\^{}|%".contains($0) })
    else { throw unusable("it has no host, or no port that there is") }
    host = parts.host
    self.port = port
    self.variable = variable
    func decoded(_ text: Substring) -> String { text.removingPercentEncoding ?? String(text) }
    if let credentials {
      let colon = credentials.firstIndex(of: ":")
      user = decoded(credentials[..<(colon ?? credentials.endIndex)])
      password = decoded(colon.map { credentials[credentials.index(after: $0)...] } ?? "")
      if kind == .socks { throw unusable("a user name and password for SOCKS are not supported") }
    } else {
      user = nil
      password = nil
    }
  }

  var authorization: HTTPClient.Authorization? {
    user.map { .basic(username: $0, password: password ?? "") }
  }

  /// What must be in no message.
  var secrets: [String] {
    guard let user else { return [] }
    return [password ?? "", "\(user):\(password ?? "")"].filter { !$0.isEmpty }
  }
}
