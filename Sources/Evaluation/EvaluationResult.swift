package import Failures
import JSON
package import Programs
package import Statistics

/// The outcome of an evaluation.
///
/// The score is the mean of the metric over the examples, in percent. An answer that could not be read or judged
/// counts as 0. A refusal (of the endpoint's filter, or of the model) and an outage (the model could not be asked) count
/// towards `failed` and lower `coverage`, but never the score: they say nothing of the program's answers.
package struct EvaluationResult: Sendable {
  /// In the order of the rows asked for; the first of them, where the evaluation was to keep so many.
  package var examples: [ExampleResult]
  /// Those that met an outage and were to be asked once more when the evaluation was stopped, without the example. They
  /// have not been announced.
  package var unsettled: [ExampleResult] = []
  /// How many examples there are.
  package var count: Int
  /// Percent, two decimals; nil where nothing was judged.
  package var score: Double?
  /// What programs are ranked by: the score with refusals as wrong answers, so that none gains by being refused.
  package var rank: Double
  /// A 95 % interval of the score, in percent; nil where there are too few examples to say.
  package var interval: PercentInterval?
  /// Examples without a value: unreadable answers, failed metrics and outages.
  package var failed: Int
  /// Those of them whose text the endpoint or the model refused.
  package var refused: Int
  /// How many of them failed in which way.
  package var failures: [FailureKind: Int]
  /// Those of them that met an outage.
  package var outages: Int
  /// The share of examples that were judged, from 0 to 1.
  package var coverage: Double
  /// What the last example failed with that did.
  private let lastFailure: HoneError?
  /// How the model's replies came out, over all examples.
  package var replies: ReplyCounts
  /// The least and the greatest value of the metric; nil where nothing was judged.
  package var range: ClosedRange<Double>?

  package init(_ examples: [ExampleResult]) {
    var tally = ExampleTally(count: examples.count)
    for (index, example) in examples.enumerated() { tally.note(example, at: index, isFinal: true) }
    self.init(tally, examples)
  }

  init(_ tally: ExampleTally, _ examples: [ExampleResult]) {
    self.examples = examples
    unsettled = tally.unsettled
    count = tally.seen
    let summary = ScoreSummary(scores: tally.scores)
    score = tally.isEmpty ? nil : summary.percent
    interval = tally.isEmpty ? nil : summary.interval
    lastFailure = tally.lastFailure
    failed = tally.failed
    refused = tally.refused
    failures = tally.failures
    outages = tally.outages
    rank = refused == 0 ? summary.percent : ScoreSummary(scores: tally.scoresWithRefusals).percent
    coverage = count == 0 ? 0 : Double(count - outages - refused) / Double(count)
    replies = tally.allReplies
    range = tally.range
  }
}

extension EvaluationResult {
  /// Whether every example was judged right, so that nothing can score better on them.
  package var isPerfect: Bool { count > 0 && failed == 0 && range.map { $0 == 1...1 } == true }

  /// The error of an evaluation in which nobody answered, or nothing could be judged: there is no score, and that is no
  /// success. Nil where anything was judged.
  package var unanswered: HoneError? {
    guard score == nil, count > 0 else { return nil }
    guard let lastFailure else { return HoneError(.metricFailed, "None of the \(count) examples could be judged.") }
    let what =
      refused == count
      ? "All \(count) examples were refused" : "None of the \(count) examples could be judged"
    return HoneError(
      lastFailure.kind, "\(what); the last: \(lastFailure.message)", remedy: lastFailure.remedy,
      details: lastFailure.details, cause: lastFailure.cause)
  }
}

/// What an evaluation's figures need of each example: nine bytes of it.
struct ExampleTally: Sendable {
  private enum Outcome: UInt8 {
    case none, judged
    /// An answer that cannot be used: 0.
    case failed
    /// No answer, or none that the metric can judge: 0 as long as others have one.
    case empty
    case refused, outage
  }

  private var values: [Double]
  private var outcomes: [Outcome]
  /// Examples that are asked once more, by their place.
  private var again: [Int: ExampleResult] = [:]
  private var replies = ReplyCounts()

  init(count: Int) {
    values = Array(repeating: 0, count: count)
    outcomes = Array(repeating: .none, count: count)
  }

  mutating func note(_ result: ExampleResult, at place: Int, isFinal: Bool) {
    values[place] = result.score ?? 0
    outcomes[place] = Self.outcome(of: result)
    if outcomes[place] != .judged, let error = result.error { lastFailure = error }
    if isFinal {
      again[place] = nil
      if let kind = result.error?.kind { failures[kind, default: 0] += 1 }
      replies += result.replies
    } else {
      var result = result
      result.example = [:]
      again[place] = result
    }
  }

  private static func outcome(of result: ExampleResult) -> Outcome {
    if result.isOutage { return .outage }
    if result.isRefused { return .refused }
    if result.isEmpty { return .empty }
    return result.score == nil ? .failed : .judged
  }

  /// Whether nothing was judged: there is no score then.
  var isEmpty: Bool { outcomes.allSatisfy { $0 != .judged && $0 != .failed } }
  /// The least and the greatest value of the metric.
  var range: ClosedRange<Double>? {
    var range: ClosedRange<Double>?
    for (value, outcome) in zip(values, outcomes) where outcome == .judged {
      range = min(range?.lowerBound ?? value, value)...max(range?.upperBound ?? value, value)
    }
    return range
  }
  /// What the last example failed with that did.
  private(set) var lastFailure: HoneError?
  /// How many examples failed in which way.
  private(set) var failures: [FailureKind: Int] = [:]

  var seen: Int { outcomes.count { $0 != .none } }
  var failed: Int { outcomes.count { $0 != .none && $0 != .judged } }
  var refused: Int { outcomes.count { $0 == .refused } }
  var outages: Int { outcomes.count { $0 == .outage } }
  /// What each example counts, in their order, but for refusals and outages.
  var scores: [Double] { scores { $0 == .judged || $0 == .failed || $0 == .empty } }
  /// The same with 0 for refusals.
  var scoresWithRefusals: [Double] { scores { $0 != .none && $0 != .outage } }

  private func scores(where counts: (Outcome) -> Bool) -> [Double] {
    // Not copied where all count.
    outcomes.allSatisfy(counts) ? values : zip(values, outcomes).compactMap { counts($1) ? $0 : nil }
  }
  var unsettled: [ExampleResult] { again.sorted { $0.key < $1.key }.map(\.value) }
  var allReplies: ReplyCounts { again.values.reduce(into: replies) { $0 += $1.replies } }
}
