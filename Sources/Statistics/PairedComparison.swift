public import Schema

/// Whether one program scores better than another on the same examples, example by example.
///
/// Comparing pairs takes the examples' own difficulty out of the noise; comparing two averages with
/// their separate intervals would not. The verdict holds at the 5 % level. Whoever picks the best of many candidates on
/// the same examples picks luck with it: `corrected(for:)` and `holm(_:)` take that into account.
///
/// Sources: Q. McNemar, "Note on the sampling error of the difference between correlated proportions",
/// Psychometrika 12(2), 1947 (exact form); A. Agresti, Y. Min, "Simple improved confidence intervals for
/// comparing matched proportions", Statistics in Medicine 24(5), 2005; R. A. Fisher, "The Design of
/// Experiments", 1935, §21 (sign flips); R. Dror et al., "The Hitchhiker's Guide to Testing Statistical
/// Significance in Natural Language Processing", ACL 2018.
public struct PairedComparison: ResultObject, Hashable {
  package static let summary = "Whether one program scores better than another on the same examples."
  package static let members: [Member<Self>] = [
    Member(
      "difference", \.difference, isAlwaysWritten: true, "The candidate's score less the baseline's, in percent points."
    ),
    Member("interval", \.interval, isAlwaysWritten: true, "The 95 % interval of the difference."),
    Member(
      "pValue", \.pValue, isAlwaysWritten: true,
      "If both were equally good, how probable a difference this large would be."),
    Member("method", \.method, isAlwaysWritten: true, "The test."),
    Member("wins", \.wins, isAlwaysWritten: true, "Examples on which the candidate scores higher."),
    Member("losses", \.losses, isAlwaysWritten: true, "Examples on which it scores lower."),
    Member("count", \.count, isAlwaysWritten: true, "Examples compared."),
    Member("verdict", \.verdict, isAlwaysWritten: true, "What can be said at the 5 % level."),
    Member(
      "comparisons", \.comparisons,
      "How many comparisons this is one of: candidates of the search, or runs compared, or looks at a testset."),
    Member("adjustedPValue", \.adjustedPValue, "pValue, corrected for that many; the verdict goes by it."),
  ]

  public enum Verdict: String, SchemaChoice, Hashable {
    case better
    case worse
    case noClearDifference = "no clear difference"
  }

  public enum Method: String, SchemaChoice, Hashable {
    /// All scores are 0 or 1: the exact test of McNemar.
    case mcnemar = "exact McNemar"
    /// Graded scores, at most 16 of which differ: every way of flipping the differences' signs.
    case signFlip = "exact sign flip"
    /// Graded scores otherwise: the t test of the differences.
    case student = "paired t"
  }

  public var count = 0
  /// The examples on which the candidate scores higher, and lower.
  public var wins = 0
  public var losses = 0
  /// The candidate's score less the baseline's, in percent points.
  public var difference = 0.0
  /// The 95 % interval of the difference in percent points; nil where there is one pair of graded scores.
  public var interval: PercentInterval?
  /// The probability of a difference at least this far from 0, were the programs alike; two-sided.
  public var pValue = 1.0
  public var method = Method.mcnemar
  public var verdict = Verdict.noClearDifference
  /// How many comparisons this is one of; nil where it is the only one.
  public var comparisons: Int?
  /// `pValue`, corrected for that many.
  public var adjustedPValue: Double?

  /// The level below which `pValue` makes a difference clear.
  package static let level = 0.05

  package init() {}

  /// Compares the scores of a candidate with those of a baseline, in the same order of examples; nil if
  /// there are none or the lists differ in length.
  package init?(baseline: [Double], candidate: [Double]) {
    guard baseline.count == candidate.count, !baseline.isEmpty else { return nil }
    let differences = zip(candidate, baseline).map { $0 - $1 }
    count = differences.count
    wins = differences.count { $0 > 0 }
    losses = differences.count { $0 < 0 }
    difference = (100 * compensatedSum(differences) / Double(count)).roundedToHundredths
    if (baseline + candidate).allSatisfy({ $0 == 0 || $0 == 1 }) {
      method = .mcnemar
      pValue = min(1, 2 * Distributions.fairBinomialAtMost(min(wins, losses), of: wins + losses))
      interval = Self.agrestiMin(wins: Double(wins), losses: Double(losses), count: Double(count))
    } else {
      let isBounded = (baseline + candidate).allSatisfy { (0...1).contains($0) }
      interval = ScoreSummary.student(differences, bounds: isBounded ? -100...100 : nil)
      let moved = differences.filter { $0 != 0 }
      if moved.count <= Self.maximumFlips {
        method = .signFlip
        pValue = Self.signFlipProbability(moved)
      } else {
        method = .student
        pValue = Self.studentProbability(differences)
      }
    }
    decide(by: pValue)
  }

  private mutating func decide(by probability: Double) {
    // The rounded difference may be 0 where the sum is not; then more examples win or lose.
    let direction = difference != 0 ? difference : Double(wins - losses)
    verdict = probability >= Self.level || direction == 0 ? .noClearDifference : direction > 0 ? .better : .worse
  }

  /// The same as one of `count` comparisons of which the best was picked (Bonferroni's correction).
  package func corrected(for count: Int) -> PairedComparison {
    guard count > 1 else { return self }
    return adjusted(min(1, pValue * Double(count)), count)
  }

  private func adjusted(_ probability: Double, _ count: Int) -> PairedComparison {
    var comparison = self
    comparison.comparisons = count
    comparison.adjustedPValue = probability
    comparison.decide(by: probability)
    return comparison
  }

  /// Several comparisons with one baseline, corrected for each other: S. Holm, "A simple sequentially rejective multiple
  /// test procedure", Scandinavian Journal of Statistics 6(2), 1979.
  package static func holm(_ comparisons: [PairedComparison?]) -> [PairedComparison?] {
    let order = comparisons.indices.filter { comparisons[$0] != nil }
      .sorted { (comparisons[$0]?.pValue ?? 1, $0) < (comparisons[$1]?.pValue ?? 1, $1) }
    guard order.count > 1 else { return comparisons }
    var result = comparisons
    var greatest = 0.0
    for (rank, index) in order.enumerated() {
      guard let comparison = comparisons[index] else { continue }
      greatest = max(greatest, min(1, comparison.pValue * Double(order.count - rank)))
      result[index] = comparison.adjusted(greatest, order.count)
    }
    return result
  }

  /// The interval of a difference of matched shares with half a pair added to each of the four outcomes.
  private static func agrestiMin(wins: Double, losses: Double, count: Double) -> PercentInterval {
    let size = count + 2
    let difference = (wins - losses) / size
    let error = ((wins + losses + 1) - (wins - losses) * (wins - losses) / size).squareRoot() / size
    let half = Distributions.normal975 * error
    return PercentInterval(
      low: (100 * max(-1, difference - half)).roundedToHundredths,
      high: (100 * min(1, difference + half)).roundedToHundredths)
  }

  private static let maximumFlips = 16

  /// The share of all sign patterns whose sum is at least as far from 0 as that of the differences.
  private static func signFlipProbability(_ differences: [Double]) -> Double {
    let observed = abs(compensatedSum(differences))
    // Sums that are equal but for rounding count as equal.
    let slack = 1e-9 * compensatedSum(differences.map { abs($0) })
    let patterns = 1 << differences.count
    var extreme = 0
    for pattern in 0..<patterns {
      var sum = 0.0
      for (index, difference) in differences.enumerated() {
        sum += pattern >> index & 1 == 0 ? difference : -difference
      }
      if abs(sum) >= observed - slack { extreme += 1 }
    }
    return Double(extreme) / Double(patterns)
  }

  private static func studentProbability(_ differences: [Double]) -> Double {
    guard let (mean, error) = ScoreSummary.meanAndError(differences) else { return 1 }
    guard error > 0 else { return mean == 0 ? 1 : 0 }
    return Distributions.studentTwoSided(mean / error, degrees: Double(differences.count - 1))
  }
}
