import JSON
import Jobs

/// What a search would ask for and cost, found out without asking a model.
public struct Estimate: Sendable, Hashable {
  /// From one number to another.
  public struct Bounds: Sendable, Hashable {
    /// At least.
    public let least: Double
    /// At most; nil where that is not known.
    public let most: Double?

    init(_ bracket: CompileEstimate.Bracket) {
      least = bracket.min.doubleValue ?? 0
      most = bracket.max?.doubleValue
    }
  }

  /// Model calls.
  public let calls: Bounds
  /// Tokens of prompts and replies together.
  public let tokens: Bounds
  /// US dollars; nil where a price is not known.
  public let cost: Bounds?
  /// How long it takes.
  public let seconds: Bounds
  /// What is assumed, in sentences.
  public let assumptions: [String]
  /// What would go otherwise than asked.
  public let warnings: [String]

  init(_ report: CompileEstimate.Report) {
    calls = Bounds(report.calls)
    tokens = Bounds(report.totalTokens)
    cost = report.cost.map { Bounds($0) }
    seconds = Bounds(report.seconds)
    assumptions = report.assumptions
    warnings = report.warnings
  }
}
