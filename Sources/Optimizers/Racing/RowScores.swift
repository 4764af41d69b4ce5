import Evaluation
import Randomness

/// A program's scores on the rows of a race, in the order in which they are asked; nil where an outage says nothing of
/// the program. A refusal counts as a wrong answer, so that none gains by being refused.
struct RowScores: Sendable {
  let values: [Double?]

  init(_ examples: [ExampleResult]) { values = examples.map { $0.isOutage ? nil : $0.score ?? 0 } }

  /// Those of an evaluation of all rows.
  init(_ result: EvaluationResult, order: [Int]) {
    var byRow: [Int: ExampleResult] = [:]
    for example in result.examples { byRow[example.row] = example }
    self.init(order.compactMap { byRow[$0] })
  }

  /// Whether none was lost: one with rows missing leads no race.
  var isWhole: Bool { !values.contains { $0 == nil } }

  /// The mean over the first `count` rows.
  func mean(of count: Int) -> Double {
    let known = values.prefix(count).compactMap(\.self)
    return known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
  }

  /// What this program scores more than another one, row by row, where both are known.
  func differences(to other: RowScores) -> [Double] {
    zip(values, other.values).compactMap { own, other in own.flatMap { own in other.map { own - $0 } } }
  }

  /// Whether all are numbers from 0 to 1: what is left to gain can be told then.
  var isBounded: Bool { values.allSatisfy { ($0 ?? 0) >= 0 && ($0 ?? 0) <= 1 } }

  /// For each row the most that another program can gain on it.
  var headroom: [Double] { values.map { $0.map { max(0, 1 - $0) } ?? 1 } }
}

/// The rows of a race.
struct RaceOrder: Sendable {
  /// All rows, in the order in which every candidate is asked: at random, so that the first ones stand for all.
  let rows: [Int]
  /// How many rows lie between two decisions: a tenth of all, but no fewer than ten, below which chance decides.
  let block: Int

  init(_ count: Int, seed: Int) {
    var random = PythonRandom(seed: seed, purpose: "race", number: 0)
    rows = random.shuffled(0..<count)
    block = max(10, (count + 9) / 10)
  }

  /// How many rows have been asked at each decision.
  var marks: [Int] {
    Array(stride(from: block, to: rows.count, by: block)) + [rows.count]
  }
}
