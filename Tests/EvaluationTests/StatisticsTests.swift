import JSON
import Randomness
import Schema
import Testing

@testable import Evaluation
@testable import Statistics

struct RoundingTests {
  // Python: round(x, 2)
  @Test(arguments: [
    (2.675, 2.67), (1.005, 1.0), (0.125, 0.12), (0.375, 0.38), (66.66666666666667, 66.67), (33.335, 33.34),
    (50.005, 50.01), (-2.675, -2.67), (72.125, 72.12), (28.499999999999996, 28.5), (12.345, 12.35), (1e20, 1e20),
    (73.645, 73.64), (77.375, 77.38), (62.195, 62.2), (34.395, 34.4), (15.375, 15.38), (79.935, 79.94),
    (4.645, 4.64), (63.865, 63.87), (0, 0), (-0.001, 0),
  ])
  func `two decimals come out as Python's`(value: Double, expected: Double) {
    #expect(value.roundedToHundredths == expected)
  }

  @Test func `sums do not lose small numbers beside large ones`() {
    #expect(compensatedSum([1, 1e100, 1, -1e100]) == 2)
    #expect(compensatedSum([Double](repeating: 0.1, count: 10)) == 1)
    #expect(compensatedSum([]) == 0)
  }
}

struct DistributionTests {
  private func near(_ a: Double, _ b: Double, _ tolerance: Double = 1e-10) -> Bool {
    abs(a - b) <= tolerance * max(1, abs(b))
  }

  @Test func `log gamma agrees with the C library`() {
    for (x, expected) in [
      (0.5, 0.5723649429247004), (1, 0), (2.5, 0.2846828704729196), (10, 12.801827480081467),
      (150.5, 602.5139548705855), (1e4, 82099.71749644238),
    ] { #expect(near(Distributions.logGamma(x), expected, 1e-13)) }
  }

  @Test func `Student's quantiles agree with tables`() {
    for (degrees, expected) in [
      (1.0, 12.70620474), (4, 2.77644511), (9, 2.26215716), (29, 2.04522964), (299, 1.96792967),
    ] { #expect(near(Distributions.studentQuantile(twoSided: 0.05, degrees: degrees), expected, 1e-8)) }
    #expect(near(Distributions.studentTwoSided(2.1, degrees: 9), 0.06511828241215196))
    #expect(Distributions.studentTwoSided(0, degrees: 3) == 1)
  }

  @Test func `fair binomial tails are exact`() {
    #expect(near(Distributions.fairBinomialAtMost(3, of: 13), 0.09228515625 / 2))
    #expect(near(Distributions.fairBinomialAtMost(70, of: 170), 0.02584438758134169 / 2))
    #expect(near(Distributions.fairBinomialAtMost(600, of: 1300), 0.0060157938610449525 / 2))
    #expect(Distributions.fairBinomialAtMost(0, of: 0) == 1)
    #expect(Distributions.fairBinomialAtMost(-1, of: 5) == 0)
  }
}

struct ScoreSummaryTests {
  private func binary(_ right: Int, of count: Int) -> [Double] {
    (0..<count).map { $0 < right ? 1 : 0 }
  }

  @Test(arguments: [
    (0, 10, 0.0, 0.0, 27.75), (10, 10, 100, 72.25, 100), (5, 10, 50, 23.66, 76.34), (81, 263, 30.8, 25.53, 36.62),
    (1, 1, 100, 20.65, 100), (15, 148, 10.14, 6.24, 16.05),
  ])
  func `right and wrong get Wilson's interval`(right: Int, count: Int, percent: Double, low: Double, high: Double) {
    let summary = ScoreSummary(scores: binary(right, of: count))
    #expect(summary.percent == percent)
    #expect(summary.interval == PercentInterval(low: low, high: high))
    #expect(summary.count == count)
  }

  @Test func `graded scores get Student's interval, kept within 0 to 100`() {
    // mean 0.5, deviation 0.3162…, t(4) = 2.7764
    let summary = ScoreSummary(scores: [0.1, 0.3, 0.5, 0.7, 0.9])
    #expect(summary.percent == 50)
    #expect(summary.interval == PercentInterval(low: 10.74, high: 89.26))
    #expect(ScoreSummary(scores: [0.5, 1, 1]).interval == PercentInterval(low: 11.62, high: 100))
    #expect(ScoreSummary(scores: [-3, 8]).interval?.low ?? 0 < -100)
  }

  @Test func `few or no scores have no interval`() {
    #expect(ScoreSummary(scores: []).percent == 0)
    #expect(ScoreSummary(scores: []).interval == nil)
    #expect(ScoreSummary(scores: [0.5]).interval == nil)
  }

  @Test func `Wilson's interval covers the truth about 95 times in 100`() {
    var random = PythonRandom(seed: 0)
    for share in [0.1, 0.5, 0.9] {
      var covered = 0
      for _ in 0..<1000 {
        let scores = (0..<60).map { _ in random.random() < share ? 1.0 : 0 }
        if let interval = ScoreSummary(scores: scores).interval,
          (interval.low...interval.high).contains(100 * share)
        {
          covered += 1
        }
      }
      #expect((925...985).contains(covered), "\(share): \(covered)")
    }
  }
}

struct PairedComparisonTests {
  /// Scores of two programs of which one wins, loses and ties so often.
  private func pairs(wins: Int, losses: Int, ties: Int) -> (baseline: [Double], candidate: [Double]) {
    let outcomes = [(0.0, 1.0)] * wins + [(1.0, 0.0)] * losses + [(1.0, 1.0)] * ties
    return (outcomes.map(\.0), outcomes.map(\.1))
  }

  @Test func `right and wrong are compared by McNemar's exact test`() throws {
    let (baseline, candidate) = pairs(wins: 10, losses: 3, ties: 37)
    let result = try #require(PairedComparison(baseline: baseline, candidate: candidate))
    #expect(result.method == .mcnemar)
    #expect(result.difference == 14)
    #expect(abs(result.pValue - 0.09228515625) < 1e-12)
    #expect(result.interval == PercentInterval(low: -0.16, high: 27.08))
    #expect(result.verdict == .noClearDifference)
    #expect((result.wins, result.losses, result.count) == (10, 3, 50))
  }

  @Test func `six wins and no loss are clear, five are not`() throws {
    let six = pairs(wins: 6, losses: 0, ties: 4)
    #expect(PairedComparison(baseline: six.baseline, candidate: six.candidate)?.verdict == .better)
    #expect(PairedComparison(baseline: six.candidate, candidate: six.baseline)?.verdict == .worse)
    let five = pairs(wins: 5, losses: 0, ties: 95)
    #expect(PairedComparison(baseline: five.baseline, candidate: five.candidate)?.verdict == .noClearDifference)
  }

  @Test func `a pairing finds what two intervals hide`() throws {
    var (baseline, candidate) = pairs(wins: 9, losses: 0, ties: 41)
    baseline += [0] * 50
    candidate += [0] * 50
    let one = try #require(ScoreSummary(scores: baseline).interval)
    let two = try #require(ScoreSummary(scores: candidate).interval)
    #expect(one.high > two.low)
    #expect(PairedComparison(baseline: baseline, candidate: candidate)?.verdict == .better)
  }

  @Test func `few graded differences are compared by all flips of sign`() throws {
    let baseline = [Double](repeating: 0.25, count: 8)
    let result = try #require(PairedComparison(baseline: baseline, candidate: [0.5] * 6 + [0.25, 0.0]))
    #expect(result.method == .signFlip)
    // Of 2^7 sign patterns of seven equal differences, 16 have a sum at least as far from 0 as six against one.
    #expect(result.pValue == 16.0 / 128)
    #expect(result.verdict == .noClearDifference)
    let clear = try #require(PairedComparison(baseline: baseline, candidate: [0.5] * 8))
    #expect(clear.pValue == 2.0 / 256)
    #expect(clear.verdict == .better)
  }

  @Test func `many graded differences are compared by the t test`() throws {
    var random = PythonRandom(seed: 1)
    let baseline = (0..<200).map { _ in random.random() * 0.5 }
    let candidate = baseline.map { $0 + 0.1 + random.random() * 0.2 }
    let result = try #require(PairedComparison(baseline: baseline, candidate: candidate))
    #expect(result.method == .student)
    #expect(result.verdict == .better)
    let interval = try #require(result.interval)
    #expect(interval.low < result.difference && result.difference < interval.high)
  }

  @Test func `alike programs seldom differ clearly`() {
    var random = PythonRandom(seed: 2)
    var clear = 0
    for round in 0..<400 {
      let graded = round.isMultiple(of: 2)
      let scores = (0..<2).map { _ in
        (0..<40).map { _ in graded ? random.random() : random.random() < 0.6 ? 1.0 : 0 }
      }
      if PairedComparison(baseline: scores[0], candidate: scores[1])?.verdict != .noClearDifference { clear += 1 }
    }
    #expect(clear <= 32, "\(clear)")
  }

  @Test func `the same scores are no clear difference, and unlike lists are not compared`() {
    let same = PairedComparison(baseline: [0.5, 1], candidate: [0.5, 1])
    #expect(same?.pValue == 1)
    #expect(same?.verdict == .noClearDifference)
    #expect(PairedComparison(baseline: [1], candidate: [1])?.pValue == 1)
    #expect(PairedComparison(baseline: [1], candidate: [1, 0]) == nil)
    #expect(PairedComparison(baseline: [], candidate: []) == nil)
  }

  @Test func `it is told in JSON`() {
    let json = PairedComparison(baseline: [0, 0], candidate: [1, 0])?.json
    #expect(json?["verdict"] == "no clear difference")
    #expect(json?["method"] == "exact McNemar")
    #expect(json?["difference"] == 50.0)
  }
}

private func * <Element>(elements: [Element], count: Int) -> [Element] {
  (0..<count).flatMap { _ in elements }
}
