import Evaluation
import Failures
import JSON
import RowStorage
import Statistics

/// One candidate against a program that is known on all rows: it is asked row after row, in the order of a race, as long
/// as it may still be better.
struct Challenge: Sendable {
  let evaluator: Evaluator
  let rows: Rows
  /// How the program that is challenged scored, in the order of `info.rows`.
  let known: RowScores
  /// How many rows are asked at the same time; decisions are made after each of them.
  let block: Int
  /// How probable it may be that a candidate is dropped that gains `margin`.
  var alpha = 0.1
  /// The mean gain that is asked of the candidate; below 0, what it may lose.
  var margin = 0.0
  /// Whether no gain is enough.
  var mayTie = false

  struct Outcome: Sendable {
    /// The rows that were asked, in the order of the data set.
    var info: EvaluationInfo
    var result: EvaluationResult
    /// Whether it was not asked all rows.
    var isDropped: Bool
  }

  /// - Parameter info: its rows stand in the order of the race.
  func run(_ info: EvaluationInfo) async throws(HoneError) -> Outcome {
    let evaluation = await evaluator.begin(info)
    var race = BettingRace(
      headroom: known.isBounded ? known.headroom : Array(repeating: 2, count: info.rows.count), alpha: alpha,
      margin: margin, mayTie: mayTie)
    let scale = known.isBounded ? 1 : known.values.reduce(1) { max($0, abs($1 ?? 0)) }
    var isDropped = false
    for start in stride(from: 0, to: info.rows.count, by: block) where !isDropped {
      let end = min(start + block, info.rows.count)
      try await evaluator.ask(evaluation, upTo: end, examples: rows)
      let scores = RowScores(evaluation.examples)
      for (own, other) in zip(scores.values, known.values).dropFirst(start) where !isDropped {
        // A row that an outage took decides nothing; who lost one is not ranked.
        if let own, let other { isDropped = race.note(difference: (own - other) / scale) }
      }
    }
    let result = await evaluator.finish(evaluation, inDataOrder: true)
    // Who has been asked all rows is known as well as anybody.
    if result.count == info.rows.count { isDropped = false }
    var info = info
    info.rows = result.examples.map(\.row)
    if isDropped { info.coordinates["dropped"] = true }
    return Outcome(info: info, result: result, isDropped: isDropped)
  }
}
