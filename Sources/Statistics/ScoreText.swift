/// A score with its interval for people: `85.00 [70.10, 93.20]`.
package func scoreText(_ score: Double, _ interval: PercentInterval?) -> String {
  interval.map { "\(twoDecimals(score)) [\(twoDecimals($0.low)), \(twoDecimals($0.high))]" } ?? twoDecimals(score)
}

/// A percentage with two decimals.
package func twoDecimals(_ value: Double) -> String {
  guard let hundredths = Int(exactly: (value * 100).rounded()) else { return "\(value)" }
  let digits = String(hundredths.magnitude % 100)
  let sign = hundredths < 0 ? "-" : ""
  return "\(sign)\(hundredths.magnitude / 100).\(digits.count == 1 ? "0" : "")\(digits)"
}
