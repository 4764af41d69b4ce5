import Platform
import Randomness

/// A tree-structured Parzen estimator over categorical variables, multivariate: values are drawn together.
///
/// Algorithm: Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", in the multivariate form and with
/// the constants that Optuna uses (Falkner et al. 2018, Watanabe 2023, arXiv 2304.11127): the best tenth of the trials
/// (25 at most) make the density l, the others g; each is a mixture of one kernel a trial and a flat prior; of 24 draws from l
/// the one with the largest l/g is taken.
struct TreeParzenSampler {
  /// A trial: the value of each variable, and its score (higher is better).
  typealias Observation = (values: [Int], score: Double)

  /// How many values each variable can take.
  var sizes: [Int]
  var draws = 24

  /// The values to try next, given at least one observation.
  func suggest(after observations: [Observation], random: inout PythonRandom) -> [Int] {
    let ranked = observations.indices.sorted {
      observations[$0].score != observations[$1].score
        ? observations[$0].score > observations[$1].score : $0 < $1
    }
    let split = min((observations.count + 9) / 10, 25)
    let below = Mixture(ranked.prefix(split).sorted().map { observations[$0].values }, sizes: sizes)
    let above = Mixture(ranked.dropFirst(split).sorted().map { observations[$0].values }, sizes: sizes)
    var best: (values: [Int], gain: Double)?
    for _ in 0..<draws {
      let values = below.draw(&random)
      let gain = below.logDensity(values) - above.logDensity(values)
      if gain > best?.gain ?? -.infinity { best = (values, gain) }
    }
    return best?.values ?? sizes.map { _ in 0 }
  }

  /// One kernel for each observed trial and one flat prior.
  struct Mixture {
    private let centers: [[Int]]
    private let sizes: [Int]
    private let weights: [Double]

    init(_ centers: [[Int]], sizes: [Int]) {
      self.centers = centers
      self.sizes = sizes
      // Of many trials the older ones count less; the prior counts as one.
      let count = centers.count
      let ramp = (0..<count).map { index -> Double in
        if count < 25 || index >= count - 25 { return 1.0 }
        let least = 1.0 / Double(count)
        return least + (1 - least) * Double(index) / Double(max(1, count - 26))
      }
      let all = ramp + [1.0]
      let total = all.reduce(0, +)
      weights = all.map { $0 / total }
    }

    /// The chance of `value` for a variable under the kernel of a trial; the prior's where `kernel` is the last.
    private func chance(_ value: Int, variable: Int, kernel: Int) -> Double {
      let flat = 1.0 / Double(weights.count)
      let size = Double(sizes[variable])
      guard kernel < centers.count else { return 1 / size }
      return (flat + (centers[kernel][variable] == value ? 1 : 0)) / (flat * size + 1)
    }

    func draw(_ random: inout PythonRandom) -> [Int] {
      var pick = random.random()
      var kernel = 0
      while kernel < weights.count - 1, pick >= weights[kernel] {
        pick -= weights[kernel]
        kernel += 1
      }
      return sizes.indices.map { variable in
        var rest = random.random()
        for value in 0..<sizes[variable] {
          rest -= chance(value, variable: variable, kernel: kernel)
          if rest < 0 { return value }
        }
        return sizes[variable] - 1
      }
    }

    func logDensity(_ values: [Int]) -> Double {
      var sum = 0.0
      for kernel in weights.indices {
        var product = weights[kernel]
        for (variable, value) in values.enumerated() { product *= chance(value, variable: variable, kernel: kernel) }
        sum += product
      }
      return log(sum)
    }
  }
}
