import NIOHTTP1
package import AsyncHTTPClient
package import Failures
import NIOSSL

/// The way to an address as the environment has it: directly or through a proxy, and whom to trust there.
package struct Route: Sendable, Hashable {
  package let address: WebAddress
  package let proxy: ProxyServer?
  let trust: TrustRoots

  /// - Parameter url: a URL that begins with http:// or https://.
  /// - Throws: `invalidParams` where a variable names a proxy or certificates that cannot be used.
  package init(to url: String, _ variables: Variables = .process) throws(HoneError) {
    address = WebAddress(url)
    proxy = try ProxyServer.chosen(for: address, variables)
    // Certificates count where there are any.
    trust = try TrustRoots(address.scheme == "https" ? variables : Variables([:]))
  }

  /// The environment variables that say how addresses are reached.
  package static let variables: [String] =
    ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap { [$0, $0.uppercased()] }
    + TrustRoots.fileVariables + [TrustRoots.directoryVariable]

  /// What must be in no message.
  package var secrets: [String] { proxy?.secrets ?? [] }

  /// ` through the proxy … of HTTPS_PROXY`, or nothing.
  package var words: String { proxy.map { " through \($0)" } ?? "" }

  /// A plain request to a proxy names the whole URL; anything else goes through a tunnel.
  private var isAbsolute: Bool { address.scheme == "http" && proxy?.kind == .http }

  /// Makes a client's requests go this way.
  package func configure(_ configuration: inout HTTPClient.Configuration) throws(HoneError) {
    if isAbsolute {
      configuration.http1_1ConnectionDebugInitializer = { AbsoluteForm.add(to: $0) }
    } else if let proxy {
      configuration.proxy =
        proxy.kind == .socks
        ? .socksServer(host: proxy.host, port: proxy.port)
        : .server(host: proxy.host, port: proxy.port, authorization: proxy.authorization)
    }
    if let tls = try trust.configuration() { configuration.tlsConfiguration = tls }
  }

  /// A request to a URL at the route's address, for a client that `configure` has set up.
  package func request(_ url: String) -> HTTPClientRequest {
    guard isAbsolute, let proxy else { return HTTPClientRequest(url: url) }
    let rest = url.dropFirst("http://".count)
    let authority = rest.prefix { !"/?#".contains($0) }
    let host = proxy.host.contains(":") ? "[\(proxy.host)]" : proxy.host
    var request = HTTPClientRequest(url: "http://\(host):\(proxy.port)" + rest.dropFirst(authority.count))
    request.headers.add(name: "host", value: String(authority))
    if let authorization = proxy.authorization {
      request.headers.add(name: "proxy-authorization", value: authorization.headerValue)
    }
    return request
  }
}
