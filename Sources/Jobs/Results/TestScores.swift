import Evaluation
public import Schema
public import Statistics

/// What the best program of a search scores on rows that the search never saw, beside the student.
public struct TestScores: ResultObject {
  package static let members: [Member<Self>] = [
    Member("count", \.count, isAlwaysWritten: true, "The rows of the testset that were scored."),
    Member("baselineScore", \.baselineScore, isAlwaysWritten: true, "The student's score on them in percent."),
    Member("score", \.score, isAlwaysWritten: true, "The best program's score on them in percent."),
    Member("interval", \.interval, isAlwaysWritten: true, "The 95 % interval of the score."),
    Member(
      "gap", \.gap, isAlwaysWritten: true,
      "The score of the search less that on the testset, in percent points: what choosing made of it."),
    Member(
      "comparison", \.comparison, as: Schema(.named("Comparison")),
      "Whether the best program is better than the student there, and how surely; corrected for earlier looks."),
    Member(
      "looks", \.looks, isAlwaysWritten: true, "How many searches have looked at these rows so far, this one included."),
    Member("runId", \.runID, "The best program's evaluation on them."),
    Member("baselineRunId", \.baselineRunID, "The student's."),
  ]

  /// The rows of the testset that were scored.
  public var count = 0
  /// The student's score on them in percent.
  public var baselineScore: Double?
  /// The best program's score on them in percent.
  public var score: Double?
  /// The 95 % interval of the score.
  public var interval: PercentInterval?
  /// The score of the search less that on the testset, in percent points.
  public var gap: Double?
  /// Whether the best program is better than the student there, and how surely; nil where both are one.
  public var comparison: PairedComparison?
  /// How many searches have looked at these rows so far, this one included.
  public var looks = 1
  /// The best program's evaluation on them.
  public var runID: String?
  public var baselineRunID: String?

  package init() {}

  /// - Parameters:
  ///   - validation: what the search scored the best program with.
  ///   - looks: how many searches have looked at the rows, this one included.
  init(baseline: EvaluationResult, best: EvaluationResult?, validation: Double?, looks: Int) {
    let own = best ?? baseline
    count = own.count
    baselineScore = baseline.score
    score = own.score
    interval = own.interval
    gap = validation.flatMap { validation in own.score.map { (validation - $0).roundedToHundredths } }
    self.looks = looks
    comparison = best.flatMap { PairedComparison(baseline, $0) }?.corrected(for: looks)
  }

  /// What can be said of it, for a person.
  package var verdict: String {
    guard let comparison else { return "no real gain: the best program is the one that came" }
    switch comparison.verdict {
    case .better: return "a real gain"
    case .worse: return "a real loss"
    case .noClearDifference: return "no real gain"
    }
  }
}

/// By how much a score is too high because the best of several candidates was chosen by it.
public struct Selection: ResultObject {
  package static let members: [Member<Self>] = [
    Member("candidates", \.candidates, isAlwaysWritten: true, "How many programs the best was chosen among."),
    Member(
      "optimism", \.optimism, isAlwaysWritten: true,
      "By how many percent points, on the average at most, the best program's gain is too high for that."),
    Member("scoredOn", \.scoredOn, isAlwaysWritten: true, "Which rows candidates were scored on."),
  ]

  public enum Rows: String, SchemaChoice {
    case valset
    case trainset
    /// A part of the trainset that was set aside.
    case trainsetPart = "a part of the trainset"
    /// Rows that took no part in the search but to confirm what it found.
    case confirming = "rows that did not choose"
  }

  /// How many programs the best was chosen among.
  public var candidates = 0
  /// By how many percent points, on the average at most, the best program's gain is too high for that.
  public var optimism = 0.0
  /// Which rows candidates were scored on.
  public var scoredOn = Rows.valset

  package init() {}

  /// - Parameter differences: what each example gained from the student to the best program.
  ///
  /// Of `k` candidates that are all equally good the best seems better by at most `s √(2 ln k)` on the average, where `s`
  /// is the standard error of a difference: S. Boucheron, G. Lugosi, P. Massart, "Concentration Inequalities", 2013,
  /// theorem 2.5.
  init(candidates: Int, differences: [Double], scoredOn: Rows) {
    self.candidates = candidates
    self.scoredOn = scoredOn
    optimism = SelectionBound.points(candidates: candidates, differences: differences)
  }

  /// For a person.
  ///
  /// - Parameter isTested: whether a testset has told how much of it is luck.
  package func note(isTested: Bool) -> String {
    let rows =
      switch scoredOn {
      case .valset: "the valset"
      case .trainset: "the trainset"
      case .trainsetPart: "a part of the trainset"
      case .confirming: ""
      }
    guard scoredOn != .confirming else {
      return "scored on rows that took no part in the search but to confirm what it found"
    }
    let chosen = "the best of \(candidates) programs, chosen on \(rows)"
    return optimism > 0
      ? "\(chosen): of its gain up to \(optimism) points may be luck\(isTested ? "" : "; a testset tells")" : chosen
  }
}
