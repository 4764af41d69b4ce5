import Evaluation
import Failures
public import Programs
public import Schema
public import Statistics

/// A score over examples, and how sure it is.
public struct ScoreFigures: ResultObject {
  package static let members: [Member<Self>] = [
    Member(
      "score", \.score, isAlwaysWritten: true,
      "The mean of the metric in percent, two decimals; null where nothing was judged."),
    Member("count", \.count, isAlwaysWritten: true, "Examples asked."),
    Member("failed", \.failed, isAlwaysWritten: true, "Examples without a value of the metric."),
    Member(
      "refused", \.refused,
      "Those of them whose text the endpoint or the model refused: left out of the score."),
    Member("failures", \.failures, "How many of them failed in which way, by the kind of the error."),
    Member("coverage", \.coverage, isAlwaysWritten: true, "The share of examples that were judged, from 0 to 1."),
    Member("interval", \.interval, isAlwaysWritten: true, "The 95 % interval of the score."),
    Member(
      "replies", \.replies, isAlwaysWritten: true, as: Schema(.named("Replies")), "How the model's replies came out."),
  ]

  /// The mean of the metric in percent, two decimals; nil where nothing was judged.
  public var score: Double?
  public var count = 0
  /// Examples without a value of the metric: unreadable answers, failed metrics, outages.
  public var failed = 0
  /// Those of them whose text the endpoint's filter or the model refused: left out of the score; nil where there is none.
  public var refused: Int?
  /// How many of them failed in which way, by the kind of the error.
  public var failures: [String: Int] = [:]
  /// The share of examples that were judged, from 0 to 1.
  public var coverage = 0.0
  /// The 95 % interval of the score, in percent.
  public var interval: PercentInterval?
  public var replies = ReplyCounts()

  package init() {}

  init(_ result: EvaluationResult) {
    score = result.score
    count = result.count
    failed = result.failed
    failures = Dictionary(uniqueKeysWithValues: result.failures.map { ($0.rawValue, $1) })
    refused = result.refused > 0 ? result.refused : nil
    coverage = result.coverage
    interval = result.interval
    replies = result.replies
  }
}
