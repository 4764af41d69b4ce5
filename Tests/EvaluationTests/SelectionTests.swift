import Randomness
import Statistics
import Testing

@Suite("The best of several")
struct SelectionTests {
  private func comparison(wins: Int, losses: Int, of count: Int = 40) -> PairedComparison? {
    let same = [Double](repeating: 1, count: count - wins - losses)
    return PairedComparison(
      baseline: [Double](repeating: 0, count: wins) + [Double](repeating: 1, count: losses) + same,
      candidate: [Double](repeating: 1, count: wins) + [Double](repeating: 0, count: losses) + same)
  }

  @Test("the best of many candidates has to be surer than one alone")
  func bonferroni() throws {
    let alone = try #require(comparison(wins: 7, losses: 0))
    #expect(alone.verdict == .better && alone.adjustedPValue == nil && alone.comparisons == nil)
    #expect(alone.corrected(for: 1) == alone)
    let best = alone.corrected(for: 10)
    #expect(best.pValue == alone.pValue && best.adjustedPValue == 10 * alone.pValue)
    #expect(best.verdict == .noClearDifference && best.comparisons == 10)
    #expect(comparison(wins: 0, losses: 20)?.corrected(for: 10).verdict == .worse)
    #expect(comparison(wins: 1, losses: 0)?.corrected(for: 10).adjustedPValue == 1)
  }

  @Test("Holm: each p-value by its rank, never falling, as in Holm's paper")
  func holm() throws {
    let given = [comparison(wins: 6, losses: 0), nil, comparison(wins: 20, losses: 0), comparison(wins: 7, losses: 0)]
    let found = PairedComparison.holm(given)
    let p = given.map { $0?.pValue ?? -1 }
    #expect(found[1] == nil)
    #expect(found[2]?.adjustedPValue == 3 * p[2])
    #expect(found[3]?.adjustedPValue == 2 * p[3])
    #expect(found[0]?.adjustedPValue == p[0])
    #expect(found.compactMap(\.self).allSatisfy { $0.comparisons == 3 })
    // Two alone: nothing to correct where there is one.
    #expect(PairedComparison.holm([given[0], nil])[0]?.adjustedPValue == nil)
    let equal = PairedComparison.holm([given[0], given[0]])
    #expect(equal.allSatisfy { $0?.adjustedPValue == 2 * p[0] })
  }

  @Test("the bound of luck bounds what the best of equal candidates gains, and is not idle")
  func bound() {
    // Differences of equal candidates: +1, -1 and 0, each with the mean 0.
    var random = PythonRandom(seed: 1)
    var gained = 0.0
    var bounds = 0.0
    let (rounds, candidates, rows) = (200, 12, 100)
    for _ in 0..<rounds {
      var best = -Double.infinity
      var differences: [Double] = []
      for _ in 0..<candidates {
        let sample = (0..<rows).map { _ in [-1.0, 0, 0, 1][random.randint(0...3)] }
        let gain = 100 * sample.reduce(0, +) / Double(rows)
        if gain > best { (best, differences) = (gain, sample) }
      }
      gained += best
      bounds += SelectionBound.points(candidates: candidates, differences: differences)
    }
    #expect(gained <= bounds && gained >= bounds / 3)
    #expect(SelectionBound.points(candidates: 1, differences: [0, 1, 0]) == 0)
    #expect(SelectionBound.points(candidates: 5, differences: []) == 0)
  }
}
