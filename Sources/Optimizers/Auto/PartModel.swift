import Platform
import Randomness

/// How much each part of a program and each row contributes to a right answer: Bayesian logistic regression with a Gaussian
/// posterior, one observation at a time.
///
/// The chance that a row is answered rightly is σ(sum of the features that are present): a constant, the row, and the parts
/// in use. An observation moves the mean and narrows the covariance by one rank (the extended Kalman filter's step for a
/// logistic link: D. Spiegelhalter, S. Lauritzen 1990, "Sequential updating of conditional probabilities on directed
/// graphical structures"; the chance under uncertainty by MacKay 1992). Every answer so teaches about all parts that were
/// in use, which comparing whole programs would not.
struct PartModel: Sendable {
  private(set) var means: [Double] = []
  private var covariance: [[Double]] = []

  /// Adds a feature with what is believed of it beforehand; gives its number.
  mutating func add(mean: Double, deviation: Double) -> Int {
    for index in covariance.indices { covariance[index].append(0) }
    covariance.append([Double](repeating: 0, count: means.count) + [deviation * deviation])
    means.append(mean)
    return means.count - 1
  }

  func deviation(of feature: Int) -> Double { covariance[feature][feature].squareRoot() }

  /// The chance of a right answer with these features.
  ///
  /// - Parameter variance: what is unknown beside them.
  func chance(_ features: [Int], variance: Double = 0) -> Double {
    Self.chance(mean(features), self.variance(features) + variance)
  }

  private static func chance(_ mean: Double, _ variance: Double) -> Double {
    1 / (1 + exp(-mean / (1 + .pi * variance / 8).squareRoot()))
  }

  private func mean(_ features: [Int]) -> Double { features.reduce(0) { $0 + means[$1] } }

  private func variance(_ features: [Int]) -> Double {
    features.reduce(0) { sum, a in sum + features.reduce(0) { $0 + covariance[a][$1] } }
  }

  /// Takes in that a row was answered rightly (1), wrongly (0) or in part with these features.
  mutating func observe(_ features: [Int], _ outcome: Double) {
    var spread = [Double](repeating: 0, count: means.count)
    for feature in features {
      for index in spread.indices { spread[index] += covariance[feature][index] }
    }
    let variance = features.reduce(0) { $0 + spread[$1] }
    let chance = Self.chance(mean(features), variance)
    let information = max(chance * (1 - chance), 0.02)
    let weight = 1 + information * variance
    let step = (outcome - chance) / weight
    let narrowing = information / weight
    for index in spread.indices where spread[index] != 0 {
      means[index] += spread[index] * step
      let factor = narrowing * spread[index]
      for other in spread.indices { covariance[index][other] -= factor * spread[other] }
    }
  }

  /// A draw of what features contribute, together, from what is believed of them.
  ///
  /// - Parameter scale: less than 1 keeps nearer to the mean.
  func draw(_ features: [Int], scale: Double, random: inout PythonRandom) -> [Double] {
    // Cholesky: the covariance of these features as L Lᵀ.
    var lower = features.map { _ in [Double](repeating: 0, count: features.count) }
    for row in features.indices {
      for column in 0...row {
        var sum = covariance[features[row]][features[column]] + (row == column ? 1e-9 : 0)
        for inner in 0..<column { sum -= lower[row][inner] * lower[column][inner] }
        lower[row][column] = row == column ? max(sum, 1e-12).squareRoot() : sum / lower[column][column]
      }
    }
    let noise = features.map { _ in Self.normal(&random) }
    return features.indices.map { row in
      means[features[row]] + scale * (0...row).reduce(0) { $0 + lower[row][$1] * noise[$1] }
    }
  }

  /// A standard normal number (Box and Muller 1958).
  private static func normal(_ random: inout PythonRandom) -> Double {
    let (a, b) = (1 - random.random(), random.random())
    return (-2 * log(a)).squareRoot() * cos(2 * .pi * b)
  }
}
