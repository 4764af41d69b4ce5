import Synchronization

/// How many replies of models some work has used, paid now or kept: the same when the work is done again.
package final class ReplyCounter: Sendable {
  private let count = Mutex(0)

  package init() {}

  package var now: Int { count.withLock { $0 } }

  package func add(_ replies: Int) { count.withLock { $0 += replies } }
}
