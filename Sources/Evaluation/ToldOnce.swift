import Synchronization

/// What has been told, so that many evaluations tell it once.
package final class ToldOnce: Sendable {
  private let told = Mutex<Set<String>>([])

  package init() {}

  /// Whether it has been told.
  package func has(_ what: String) -> Bool { told.withLock { $0.contains(what) } }

  /// Whether this is the first time.
  package func isFirst(_ what: String) -> Bool { told.withLock { $0.insert(what).inserted } }
}
