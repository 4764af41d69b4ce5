public import Schema
import Synchronization

/// How replies came out: how many there were, and how many of them could not be read, were cut off at the token limit,
/// or needed mending to be read.
public struct ReplyCounts: ResultObject, Hashable {
  package static let summary =
    "How many replies of the model there were, and how many of them could not be read, were cut off, or needed repair."
  package static let members: [Member<Self>] = [
    Member("count", \.replies, isAlwaysWritten: true, "All replies."),
    Member("unreadable", \.unreadable, isAlwaysWritten: true, "Those that could not be read."),
    Member("cut", \.cut, isAlwaysWritten: true, "Those that were cut off at the token limit."),
    Member("repaired", \.repaired, isAlwaysWritten: true, "Those that needed repair to be read."),
  ]

  /// All replies.
  public var replies = 0
  /// Those that could not be read.
  public var unreadable = 0
  /// Those that were cut off at the token limit.
  public var cut = 0
  /// Those that needed repair to be read.
  public var repaired = 0

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
