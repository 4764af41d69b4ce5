package import JSON
import Synchronization

/// How replies came out: how many there were, and how many of them could not be read, were cut off at the token limit,
/// or needed mending to be read.
package struct ReplyCounts: Sendable, Hashable {
  package var replies = 0
  package var unreadable = 0
  package var cut = 0
  package var repaired = 0

  package init() {}

  package static func += (sum: inout ReplyCounts, more: ReplyCounts) {
    sum.replies += more.replies
    sum.unreadable += more.unreadable
    sum.cut += more.cut
    sum.repaired += more.repaired
  }

  /// The counts of several completions that were tries at one answer: one reply, mended where any could be read.
  var asDraws: ReplyCounts {
    var counts = ReplyCounts()
    counts.replies = 1
    counts.unreadable = unreadable == replies ? 1 : 0
    counts.cut = cut == replies ? 1 : 0
    counts.repaired = 1 - counts.unreadable
    return counts
  }

  package var json: JSONValue {
    ["count": .int(replies), "unreadable": .int(unreadable), "cut": .int(cut), "repaired": .int(repaired)]
  }

  /// A part of the replies, from 0 to 1.
  package func share(_ part: KeyPath<ReplyCounts, Int>) -> Double {
    replies == 0 ? 0 : Double(self[keyPath: part]) / Double(replies)
  }
}

/// Counts the replies of one execution while it goes on.
package final class ReplyTally: Sendable {
  private let state = Mutex(ReplyCounts())

  package init() {}

  package var counts: ReplyCounts { state.withLock { $0 } }

  func add(_ counts: ReplyCounts) { state.withLock { $0 += counts } }
}
