package import Failures
package import Tracking

/// What the web server needs from the rest of Hone.
package struct WebBackend: Sendable {
  /// The home directory, which holds the access token.
  package var home: String
  private let opening: @Sendable () async throws(HoneError) -> TrackingStore
  private let making: @Sendable () async throws(HoneError) -> TrackingStore
  /// Answers a JSON-RPC message or batch of the page; nil where nothing is to be answered.
  package var call: @Sendable ([UInt8]) async -> [UInt8]?

  package init(
    home: String, store: @escaping @Sendable () async throws(HoneError) -> TrackingStore,
    madeStore: @escaping @Sendable () async throws(HoneError) -> TrackingStore,
    call: @escaping @Sendable ([UInt8]) async -> [UInt8]?
  ) {
    self.home = home
    opening = store
    making = madeStore
    self.call = call
  }

  /// The store, opened at the first use; an empty one where there is none.
  package func store() async throws(HoneError) -> TrackingStore { try await opening() }
  /// The store, made where there is none, for what is kept in it.
  package func madeStore() async throws(HoneError) -> TrackingStore { try await making() }
}
