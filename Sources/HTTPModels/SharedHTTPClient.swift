import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The process's one HTTP client: made when first needed, so that starting costs nothing, and shut
/// down explicitly.
package enum SharedHTTPClient {
  /// A client remembers every host that it has been to. URLs come from requests: one that has been to so many is replaced.
  private static let mostURLs = 256
  /// Longer than any request takes.
  private static let retirement = Duration.seconds(700)

  private struct State {
    var client: HTTPClient?
    var urls: Set<String> = []
    /// Those that are replaced and may have requests under way.
    var retired: [HTTPClient] = []
  }

  private static let state = Mutex(State())

  /// The client for a request to that URL.
  static func client(for url: String) -> HTTPClient {
    let (client, retired) = state.withLock { state -> (HTTPClient, HTTPClient?) in
      var retired: HTTPClient?
      if !state.urls.contains(url), state.urls.count >= mostURLs {
        retired = state.client
        if let retired { state.retired.append(retired) }
        state.client = nil
        state.urls = []
      }
      state.urls.insert(url)
      let client = state.client ?? make()
      state.client = client
      return (client, retired)
    }
    if let retired { Task { await end(retired) } }
    return client
  }

  /// Shuts a client down that gets no more requests, once those under way are over.
  private static func end(_ client: HTTPClient) async {
    try? await Task.sleep(for: retirement)
    let isLeft = state.withLock { state in
      let count = state.retired.count
      state.retired.removeAll { $0 === client }
      return state.retired.count < count
    }
    if isLeft { try? await client.shutdown() }
  }

  private static func make() -> HTTPClient {
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
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// The most bytes that are read of one reply.
  static let maximumReplySize = 16 << 20

  /// Closes all connections; requests under way fail. A later request makes a new client.
  package static func shutdown() async {
    let clients = state.withLock { state in
      defer { state = State() }
      return state.retired + [state.client].compactMap(\.self)
    }
    for client in clients { try? await client.shutdown() }
  }
}
