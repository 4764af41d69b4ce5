import AsyncHTTPClient
import NIOCore
import NIOHTTPCompression
import Synchronization

/// The process's one HTTP client: made when first needed, so that starting costs nothing, and shut
/// down explicitly.
package enum SharedHTTPClient {
  private static let client = Mutex<HTTPClient?>(nil)

  static var current: HTTPClient {
    client.withLock { client in
      if let client { return client }
      let made = make()
      client = made
      return made
    }
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
    let current = client.withLock { client -> HTTPClient? in
      defer { client = nil }
      return client
    }
    try? await current?.shutdown()
  }
}
