import Platform

/// Tail probabilities and quantiles that intervals and tests need.
enum Distributions {
  /// The 97.5 % quantile of the standard normal distribution.
  static let normal975 = 1.959963984540054

  /// The natural logarithm of the gamma function for positive arguments, by Stirling's series behind
  /// enough steps of the recurrence (Abramowitz and Stegun, 6.1.41); to about 14 digits.
  static func logGamma(_ x: Double) -> Double {
    var shift = 0.0
    var z = x
    while z < 12 {
      shift += log(z)
      z += 1
    }
    let square = z * z
    let series = (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square) / square) / z
    return (z - 0.5) * log(z) - z + 0.5 * log(2 * Double.pi) + series - shift
  }

  /// The probability that a binomial count of `n` fair throws is at most `k`.
  static func fairBinomialAtMost(_ k: Int, of n: Int) -> Double {
    guard k < n else { return 1 }
    guard k >= 0 else { return 0 }
    let logTotal = logGamma(Double(n) + 1) - Double(n) * log(2)
    return min(
      1,
      compensatedSum(
        (0...k).lazy.map { exp(logTotal - logGamma(Double($0) + 1) - logGamma(Double(n - $0) + 1)) }))
  }

  /// The probability that |T| is greater than `t` for Student's T with so many degrees of freedom
  /// (Abramowitz and Stegun, 26.7.1 with 26.5.2).
  static func studentTwoSided(_ t: Double, degrees: Double) -> Double {
    guard t.isFinite else { return 0 }
    return incompleteBeta(degrees / (degrees + t * t), a: degrees / 2, b: 0.5)
  }

  /// The t for which |T| is greater with probability `probability`, by bisection.
  static func studentQuantile(twoSided probability: Double, degrees: Double) -> Double {
    var low = 0.0
    var high = 2.0
    while studentTwoSided(high, degrees: degrees) > probability, high < 1e12 { high *= 2 }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if middle == low || middle == high { break }
      if studentTwoSided(middle, degrees: degrees) > probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The regularized incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and
  /// Stegun, 26.5.8), evaluated by Lentz's method ("Generating Bessel functions in Mie scattering
  /// calculations", Applied Optics 15(3), 1976).
  static func incompleteBeta(_ x: Double, a: Double, b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast only below the mean.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, a: b, b: a) }
    let logFactor =
      a * log(x) + b * log(1 - x) - log(a) + logGamma(a + b) - logGamma(a) - logGamma(b)
    let tiny = 1e-300
    var fraction = 1.0
    var c = 1.0
    var d = 1 / nonzero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for step in 1...500 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / nonzero(1 + even * d, tiny)
      c = nonzero(1 + even / c, tiny)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + odd * d, tiny)
      c = nonzero(1 + odd / c, tiny)
      let change = d * c
      fraction *= change
      if abs(change - 1) < 1e-15 { break }
    }
    return min(1, max(0, exp(logFactor) * fraction))
  }

  private static func nonzero(_ x: Double, _ tiny: Double) -> Double { abs(x) < tiny ? tiny : x }
}
