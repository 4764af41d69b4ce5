import Foundation

extension CandidateNote {
  /// The note in one line: `7 from 3, instruction of answer: +6.0 on 41 rows, dropped (not ahead after 40 rows)`.
  package var words: String {
    var origin = "\(number)"
    if !parents.isEmpty { origin += " from " + parents.map(String.init).joined(separator: " and ") }
    let what = [origin, change].filter { !$0.isEmpty }.joined(separator: ", ")
    let outcome = outcome
    return outcome.isEmpty ? what : "\(what): \(outcome)"
  }

  /// What became of it: the gain with its rows, the estimate, the verdict and why. Empty for the program that came.
  package var outcome: String {
    guard number > 0 || !parents.isEmpty else { return "" }
    var parts: [String] = []
    if let gain {
      let on = pairs.map { " on \($0) row\($0 == 1 ? "" : "s")" } ?? ""
      parts.append(Self.points(gain) + on)
    }
    if let estimate { parts.append(String(format: "estimated %.1f", estimate)) }
    parts.append(verdict.rawValue + (reason.map { $0.isEmpty ? "" : " (\($0))" } ?? ""))
    return parts.joined(separator: ", ")
  }

  /// Percent points with their sign; what rounds to nothing has a plus.
  private static func points(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return String(format: "%+.1f", tenths == 0 ? 0 : tenths)
  }
}
