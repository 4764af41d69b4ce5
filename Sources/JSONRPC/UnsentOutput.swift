import Platform
import Synchronization

/// The bound on what waits for peers to read it, over all connections: each has a bound of its own, but many that do not
/// read would hold too much together.
///
/// Above the bound connections are ended that have read nothing for a while, the one that holds most first; far above it,
/// whichever holds most.
package final class UnsentOutput: Sendable {
  /// For all connections of this process.
  package static let shared = UnsentOutput(limit: 256 << 20)

  /// What one connection holds.
  struct Holding: Sendable, Hashable {
    /// How many bytes wait to be written.
    var bytes: Int
    /// When the peer last took something, or there was nothing for it.
    var lastTaken: ContinuousClock.Instant
  }

  private struct Weak: Sendable {
    weak var connection: Connection?
  }

  private struct State: Sendable {
    var connections: [ObjectIdentifier: Weak] = [:]
    var isWatching = false
  }

  /// How long a peer may read nothing while there is too much.
  private let patience: Duration
  /// In bytes.
  private let limit: Int
  private let total = Atomic(0)
  private let state = Mutex(State())

  package init(limit: Int, patience: Duration = .seconds(1)) {
    self.limit = limit
    self.patience = patience
  }

  /// In bytes, to within what connections leave uncounted.
  var bytes: Int { total.load(ordering: .relaxed) }

  func add(_ connection: Connection) {
    state.withLock { $0.connections[ObjectIdentifier(connection)] = Weak(connection: connection) }
  }

  func remove(_ connection: Connection, _ change: Int) {
    state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
    self.change(by: change)
  }

  func change(by change: Int) {
    guard change != 0 else { return }
    let sum = total.add(change, ordering: .relaxed).newValue
    guard change > 0, sum > limit else { return }
    let isFirst = state.withLock { state in
      defer { state.isWatching = true }
      return !state.isWatching
    }
    // On a thread of its own: those that requests share may be busy with what is to be held, too.
    if isFirst, startDetachedThread({ [self] in watch() }) != 0 { state.withLock { $0.isWatching = false } }
  }

  /// Ends connections until no more is held than may be.
  private func watch() {
    var ended: Set<ObjectIdentifier> = []
    while true {
      let open = state.withLock { state in
        let open = bytes > limit ? state.connections.values.compactMap(\.connection) : []
        state.isWatching = !open.isEmpty
        return open
      }
      if open.isEmpty { return }
      // Those that were ended are gone in a moment.
      let left = open.filter { !ended.contains(ObjectIdentifier($0)) }
      let holdings = left.map(\.unsentOutput)
      if let chosen = Self.chosen(among: holdings, limit: limit, patience: patience, now: .now) {
        ended.insert(ObjectIdentifier(left[chosen]))
        left[chosen].abort()
      } else {
        usleep(50_000)
      }
    }
  }

  /// Whose connection is to end, by its place; nil for nobody's, now.
  static func chosen(
    among holdings: [Holding], limit: Int, patience: Duration, now: ContinuousClock.Instant
  ) -> Int? {
    let sum = holdings.reduce(0) { $0 + $1.bytes }
    guard sum > limit else { return nil }
    return holdings.indices.filter { index in
      holdings[index].bytes > 0 && (sum > 2 * limit || now - holdings[index].lastTaken >= patience)
    }.max { a, b in
      let (a, b) = (holdings[a], holdings[b])
      return a.bytes == b.bytes ? a.lastTaken > b.lastTaken : a.bytes < b.bytes
    }
  }
}
