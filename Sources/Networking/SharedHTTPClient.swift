package import AsyncHTTPClient
package import Failures
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The process's HTTP clients, one for each way there is (direct, a proxy, other certificates): made when first needed, so
/// that starting costs nothing.
package enum SharedHTTPClient {
  /// A client remembers every host that it has been to. URLs come from requests: one that has been to so many is replaced.
  private static let mostURLs = 256
  /// Longer than any request takes.
  private static let retirement = Duration.seconds(700)

  /// What the requests of one client have in common.
  private struct Way: Hashable {
    var proxy: ProxyServer?
    var scheme: String?
    var trust: TrustRoots

    init(_ route: Route) {
      proxy = route.proxy
      // Plain requests go to a proxy in another form than those through a tunnel.
      scheme = route.proxy.map { _ in route.address.scheme }
      trust = route.trust
    }
  }

  private struct Client {
    var client: HTTPClient
    var urls: Set<String> = []
  }

  private static let clients = Mutex<[Way: Client]>([:])

  /// The client for a request to that URL by that route.
  ///
  /// - Throws: `invalidParams` where the route's certificates cannot be used.
  package static func client(for url: String, by route: Route) throws(HoneError) -> HTTPClient {
    let way = Way(route)
    if let client = clients.withLock({ clients -> HTTPClient? in
      guard let known = clients[way], known.urls.contains(url) || known.urls.count < mostURLs else { return nil }
      clients[way]?.urls.insert(url)
      return known.client
    }) {
      return client
    }
    let made = try make(route)
    let (client, retired) = clients.withLock { clients -> (HTTPClient, HTTPClient?) in
      // Another request may have made one meanwhile.
      if let known = clients[way], known.urls.count < mostURLs {
        clients[way]?.urls.insert(url)
        return (known.client, made)
      }
      let former = clients[way]?.client
      clients[way] = Client(client: made, urls: [url])
      return (made, former)
    }
    if let retired { Task { await end(retired, after: retired === made ? .zero : retirement) } }
    return client
  }

  /// Shuts a client down that gets no more requests, once those under way are over.
  private static func end(_ client: HTTPClient, after delay: Duration) async {
    try? await Task.sleep(for: delay)
    try? await client.shutdown()
  }

  private static func make(_ route: Route) throws(HoneError) -> HTTPClient {
    var configuration = HTTPClient.Configuration(
      // The key must not travel to wherever an endpoint points.
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(10)))
    // The limiter decides how many calls are in flight; connections only have to keep up with it.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1024
    configuration.connectionPool.idleTimeout = .seconds(60)
    // Not asked for, but some servers compress all the same; bounded, because a small body may hold a huge one.
    configuration.decompression = .enabled(limit: .size(maximumReplySize))
    // A refused connection is known at once; pauses and further attempts are the caller's.
    configuration.connectionPool.retryConnectionEstablishment = false
    try route.configure(&configuration)
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// The most bytes that are read of one reply.
  package static let maximumReplySize = 16 << 20
}
