import JSON
package import Programs
package import Statistics

/// The outcome of an evaluation.
///
/// The score is the mean of the metric over the examples, in percent. An answer that could not be read or judged
/// counts as 0; an outage (the model could not be asked) counts towards `failed` and lowers
/// `coverage`, but never the score.
package struct EvaluationResult: Sendable {
  /// In the order of the rows asked for; the first of them, where the evaluation was to keep so many.
  package var examples: [ExampleResult]
  /// Those that met an outage and were to be asked once more when the evaluation was stopped, without the example. They
  /// have not been announced.
  package var unsettled: [ExampleResult] = []
  /// How many examples there are.
  package var count: Int
  /// Percent, two decimals.
  package var score: Double
  /// A 95 % interval of the score, in percent; nil where there are too few examples to say.
  package var interval: PercentInterval?
  /// Examples without a value: unreadable answers, failed metrics and outages.
  package var failed: Int
  /// The share of examples that were judged, from 0 to 1.
  package var coverage: Double
  /// How the model's replies came out, over all examples.
  package var replies: ReplyCounts

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
    score = summary.percent
    interval = summary.interval
    failed = tally.failed
    coverage = count == 0 ? 0 : Double(count - tally.outages) / Double(count)
    replies = tally.allReplies
  }
}

/// What an evaluation's figures need of each example: nine bytes of it.
struct ExampleTally: Sendable {
  private enum Outcome: UInt8 { case none, judged, failed, outage }

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
    outcomes[place] = result.isOutage ? .outage : result.score == nil ? .failed : .judged
    if isFinal {
      again[place] = nil
      replies += result.replies
    } else {
      var result = result
      result.example = [:]
      again[place] = result
    }
  }

  var seen: Int { outcomes.count { $0 != .none } }
  var failed: Int { outcomes.count { $0 == .failed || $0 == .outage } }
  var outages: Int { outcomes.count { $0 == .outage } }
  /// What each example counts, in their order, but for outages.
  var scores: [Double] {
    // Not copied where all count.
    outcomes.contains { $0 == .none || $0 == .outage }
      ? zip(values, outcomes).compactMap { $1 == .judged || $1 == .failed ? $0 : nil } : values
  }
  var unsettled: [ExampleResult] { again.sorted { $0.key < $1.key }.map(\.value) }
  var allReplies: ReplyCounts { again.values.reduce(into: replies) { $0 += $1.replies } }
}
