/// A race of a candidate against a program that is known on all rows: row by row it says whether the candidate can be
/// dropped.
///
/// It bets against the hypothesis that the candidate's mean gain over all rows is at least `margin`, on rows drawn
/// without replacement in a random order. Whoever holds a true hypothesis loses money on the average, so that the capital
/// ever reaches 1/`alpha` with a probability of at most `alpha` (Ville's inequality): one may look after every row and
/// stop at any. Beside the bets stands what is certain: a candidate is dropped, too, once the rows that are left cannot
/// make up for those it lost.
///
/// Source: I. Waudby-Smith, A. Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, and
/// "Estimating means of bounded random variables by betting", JRSS B 86(1), 2024; bets are the approximate Kelly bets of
/// the latter.
package struct BettingRace: Sendable {
  /// How many rows there are in all.
  package let rows: Int
  /// How probable it may be that a candidate which gains `margin` is dropped by the bets.
  package let alpha: Double
  /// The mean gain that is asked of it.
  package let margin: Double

  private let mayTie: Bool
  /// The most that the candidate can gain on the rows from each one on.
  private let possible: [Double]
  /// How many rows have been noted.
  package private(set) var count = 0
  /// What it has gained in all.
  package private(set) var gain = 0.0
  /// What the bets have made of 1.
  package private(set) var capital = 1.0
  package private(set) var isDropped = false
  private var squares = 0.0

  /// - Parameters:
  ///   - headroom: for each row, in the order of asking, the most that the candidate can gain there: the best possible
  ///     score less the known program's.
  ///   - mayTie: whether no gain at all over all rows is enough where `margin` is 0.
  package init(headroom: [Double], alpha: Double = 0.1, margin: Double = 0, mayTie: Bool = false) {
    rows = headroom.count
    self.alpha = alpha
    self.margin = margin
    self.mayTie = mayTie
    var sum = 0.0
    possible =
      [0]
      + headroom.reversed().map { room in
        sum += room
        return sum
      }
  }

  /// The same where a row may bring as much as a score can: 1.
  package init(rows: Int, alpha: Double = 0.1, margin: Double = 0, mayTie: Bool = false) {
    self.init(headroom: Array(repeating: 1, count: rows), alpha: alpha, margin: margin, mayTie: mayTie)
  }

  /// Notes the candidate's score less the known program's on the next row, from -1 to 1.
  ///
  /// - Returns: whether the candidate is dropped.
  @discardableResult
  package mutating func note(difference: Double) -> Bool {
    guard !isDropped, count < rows else { return isDropped }
    let loss = -min(1, max(-1, difference))
    // What the rows left may lose on the average if the hypothesis is true.
    let bound = (gain - margin * Double(rows)) / Double(rows - count)
    if bound > -1 { capital *= 1 + bet(against: bound) * (loss - bound) }
    gain -= loss
    squares += loss * loss
    count += 1
    isDropped = capital >= 1 / alpha || cannotSucceed
    return isDropped
  }

  /// The share of the capital that is put on a loss, decided before the row is seen.
  private func bet(against bound: Double) -> Double {
    // No bet may cost more than there is: a row loses -1 at the least.
    let most = 0.95 / (1 + bound)
    guard count > 0 else { return min(0.2, most) }
    let mean = -gain / Double(count + 1)
    let variance = (squares + 0.25) / Double(count + 2)
    let edge = mean - bound
    return min(min(0.7, max(0.05, edge / (variance + edge * edge))), most)
  }

  private static let slack = 1e-9

  /// Whether even the best on all rows left would not be enough.
  private var cannotSucceed: Bool {
    let most = gain + possible[rows - count]
    return most < margin * Double(rows) - Self.slack || (!mayTie && most <= Self.slack)
  }
}
