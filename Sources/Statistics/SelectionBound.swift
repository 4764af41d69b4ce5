import Platform

/// How much better than it is the best of several candidates seems on the rows that it was chosen by.
package enum SelectionBound {
  /// Percent points: `s √(2 ln k)`, an upper bound of the mean of the greatest of `k` equal candidates' noise.
  ///
  /// - Parameter differences: what each example gained from one candidate to another.
  package static func points(candidates: Int, differences: [Double]) -> Double {
    guard candidates > 1, let (_, error) = ScoreSummary.meanAndError(differences) else { return 0 }
    return (100 * error * (2 * log(Double(candidates))).squareRoot()).roundedToHundredths
  }
}
