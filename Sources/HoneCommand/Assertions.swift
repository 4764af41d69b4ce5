import ArgumentParser
import Failures
import HoneService
import JSON
import Jobs
import LanguageModels
import Messages
import Schema
import Statistics
import Terminal

/// What has to hold of an evaluation, for scripts and CI: `--assert "score >= 80"`.
struct ScoreAssertion: ExpressibleByArgument {
  private enum Relation: String, CaseIterable {
    // Longer ones first, so that "<=" is not read as "<".
    case atLeast = ">="
    case atMost = "<="
    case equal = "=="
    case above = ">"
    case below = "<"

    func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .atLeast: a >= b
      case .atMost: a <= b
      case .equal: a == b
      case .above: a > b
      case .below: a < b
      }
    }
  }

  private let figure: String
  private let relation: Relation
  private let bound: Double

  /// The figures that can be asked for.
  private static let figures: [(name: String, value: @Sendable (JobOutline) -> Double?)] = [
    ("score", { $0.score }), ("low", { $0.interval?.low }), ("high", { $0.interval?.high }),
    ("count", { $0.count.map(Double.init) }), ("failed", { Double($0.failed ?? 0) }),
    ("refused", { Double($0.refused ?? 0) }), ("coverage", { $0.coverage }),
    ("calls", { ($0.usage?.total.calls).map(Double.init) }),
    ("tokens", { ($0.usage?.total.tokens.totalTokens).map(Double.init) }), ("cost", { $0.usage?.total.cost }),
    ("seconds", { $0.seconds }),
  ]

  static let help =
    "as FIGURE RELATION NUMBER: FIGURE is \(figures.map(\.name).joined(separator: ", ")), RELATION is "
    + Relation.allCases.map(\.rawValue).joined(separator: " ")

  init?(argument: String) {
    for relation in Relation.allCases {
      guard let place = argument.firstRange(of: relation.rawValue) else { continue }
      let name = Self.trimmed(argument[..<place.lowerBound])
      guard let bound = Double(Self.trimmed(argument[place.upperBound...])),
        Self.figures.contains(where: { $0.name == name })
      else { return nil }
      (figure, self.relation, self.bound) = (name, relation, bound)
      return
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  /// Whether it holds, and the sentence that says so.
  func check(_ result: JobOutline) -> (holds: Bool, sentence: String) {
    let value = Self.figures.first { $0.name == figure }?.value(result) ?? nil
    let wanted = "\(figure) \(relation.rawValue) \(JSONValue.double(bound).text())"
    guard let value else { return (false, "\(wanted): there is no \(figure)") }
    return (relation.holds(value, bound), "\(wanted): \(figure) is \(JSONValue.double(value).text())")
  }
}

/// The status of a command whose assertions do not hold.
let assertionStatus: Int32 = 5

/// Whether an evaluation is no worse than an earlier one on the rows that both have.
struct NoWorse {
  /// Whether it holds, and the sentence that says so.
  static func check(_ comparison: CompareRunsResult.Entry?, with run: String) -> (holds: Bool, sentence: String) {
    guard let entry = comparison, entry.common > 0, let comparison = entry.comparison else {
      return (false, "no worse than \(run): the two evaluations have no row in common, so they cannot be compared")
    }
    let figures =
      "\(comparison.verdict.rawValue) on \(entry.common) rows (\(WorkReport.number(comparison.difference)) points, p = "
      + "\(WorkReport.short(comparison.pValue)), \(comparison.method.rawValue))"
    let broken = entry.broken.prefix(10).map(String.init).joined(separator: ", ")
    let rows = entry.broken.isEmpty ? "" : "; lower on rows \(broken)\(entry.broken.count > 10 ? " …" : "")"
    return (comparison.verdict != .worse, "no worse than \(run): \(figures)\(rows)")
  }
}
