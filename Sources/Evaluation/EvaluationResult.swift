package import Programs
package import Statistics

/// The outcome of an evaluation.
///
/// The score is the mean of the metric over the examples, in percent. An answer that could not be read or judged
/// counts as 0; an outage (the model could not be asked) counts towards `failed` and lowers
/// `coverage`, but never the score.
package struct EvaluationResult: Sendable {
  /// In the order of the rows asked for.
  package var examples: [ExampleResult]
  /// Percent, two decimals.
  package var score: Double
  /// A 95 % interval of the score, in percent; nil where there are too few examples to say.
  package var interval: PercentInterval?
  /// Examples without a value: unreadable answers, failed metrics and outages.
  package var failed: Int
  /// How the model's replies came out, over all examples.
  package var replies = ReplyCounts()

  package init(_ examples: [ExampleResult]) {
    self.examples = examples
    let values = examples.filter { !$0.isOutage }.map { $0.score ?? 0 }
    let summary = ScoreSummary(scores: values)
    score = summary.percent
    interval = summary.interval
    failed = examples.count { $0.score == nil }
    for example in examples { replies += example.replies }
  }

  package var count: Int { examples.count }

  /// The share of examples that were judged, from 0 to 1.
  package var coverage: Double {
    examples.isEmpty ? 0 : Double(examples.count { !$0.isOutage }) / Double(examples.count)
  }
}
