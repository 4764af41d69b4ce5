package import JSON
public import Schema

/// Two bounds of a quantity in percent (of points), rounded to two decimals.
public struct PercentInterval: SchemaValue, Hashable {
  public var low: Double
  public var high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  package static var schema: Schema { Schema(.named("Interval"), "[low, high]") }

  /// What stands under that name.
  package static var shape: Schema {
    Schema(.array(Schema(.number(-.infinity ... .infinity))), "95 % interval [low, high] in percent.")
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> PercentInterval? {
    guard let bounds = [Double].read(value, at: place, problems) else { return nil }
    if bounds.count == 2 { return PercentInterval(low: bounds[0], high: bounds[1]) }
    problems.add(place, "Expected [low, high].")
    return nil
  }

  /// `[low, high]`.
  package var jsonValue: JSONValue { [.double(low), .double(high)] }
}

/// The score of a list of examples in percent, and how sure it is.
package struct ScoreSummary: Sendable, Hashable {
  /// 100 × the mean of the scores, rounded to two decimals (`Double.roundedToHundredths`); 0 for no scores.
  package var percent: Double
  package var count: Int
  /// The 95 % interval of the score over all examples of which these are a sample: Wilson's where every
  /// score is 0 or 1, else Student's t, kept within 0 to 100 where the scores are within 0 to 1. Nil for
  /// no scores, and for a single graded one.
  package var interval: PercentInterval?

  /// From the examples' scores, in their order; those that failed stand in as their failure score.
  ///
  /// Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22,
  /// 1927, recommended by L. Brown, T. Cai, A. DasGupta, "Interval estimation for a binomial proportion",
  /// Statistical Science 16(2), 2001; for evaluations, E. Miller, "Adding Error Bars to Evals",
  /// arXiv:2411.00640.
  package init(scores: [Double]) {
    count = scores.count
    guard count > 0 else {
      percent = 0
      return
    }
    let sum = compensatedSum(scores)
    let size = Double(count)
    percent = (100 * sum / size).roundedToHundredths
    if scores.allSatisfy({ $0 == 0 || $0 == 1 }) {
      interval = Self.wilson(right: sum, count: size)
    } else {
      let isBounded = scores.allSatisfy { (0...1).contains($0) }
      interval = Self.student(scores, bounds: isBounded ? 0...100 : nil)
    }
  }

  static func wilson(right: Double, count: Double) -> PercentInterval {
    let z = Distributions.normal975
    let share = right / count
    let centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    let half =
      z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count * count)).squareRoot()
    // At the ends the bound is the end itself, which rounding would miss by a hair.
    let low = right == 0 ? 0 : max(0, centre - half)
    let high = right == count ? 1 : min(1, centre + half)
    return PercentInterval(low: (100 * low).roundedToHundredths, high: (100 * high).roundedToHundredths)
  }

  /// The t interval of the mean, in percent; nil for fewer than two numbers.
  static func student(_ numbers: [Double], bounds: ClosedRange<Double>?) -> PercentInterval? {
    guard let (mean, error) = meanAndError(numbers) else { return nil }
    let half = Distributions.studentQuantile(twoSided: 0.05, degrees: Double(numbers.count - 1)) * error
    var low = 100 * (mean - half)
    var high = 100 * (mean + half)
    if let bounds {
      low = min(max(low, bounds.lowerBound), bounds.upperBound)
      high = min(max(high, bounds.lowerBound), bounds.upperBound)
    }
    return PercentInterval(low: low.roundedToHundredths, high: high.roundedToHundredths)
  }

  /// The mean and its standard error; nil for fewer than two numbers.
  package static func meanAndError(_ numbers: [Double]) -> (mean: Double, error: Double)? {
    guard numbers.count > 1 else { return nil }
    let size = Double(numbers.count)
    let mean = compensatedSum(numbers) / size
    let squares = compensatedSum(numbers.lazy.map { ($0 - mean) * ($0 - mean) })
    return (mean, (squares / (size - 1) / size).squareRoot())
  }
}
