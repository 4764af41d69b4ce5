import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import RowStorage
import Statistics

/// Finds the best of several candidates without asking all of them all rows.
///
/// All candidates are asked the same rows in one order, block by block. After each block, those are dropped that are
/// clearly behind the leader on these rows (mean difference + z standard errors below 0, with the correction for drawing
/// from finitely many rows), or that could not overtake it if they had all that is left right. Comparing pairs takes the rows' own difficulty out of the noise. The leader of the
/// first block is asked all its rows at once, so that a search that ends early has something whole. What is asked and who
/// is dropped follow from scores and places alone, never from what ends first.
///
/// Source: O. Maron, A. Moore, "Hoeffding races", NeurIPS 1993, with paired differences in place of bounds, as in M.
/// Birattari et al., "A racing algorithm for configuring metaheuristics" (F-Race), GECCO 2002.
struct Tournament {
  /// How many standard errors behind the leader are clear: with 16 candidates that lie close together this costs about
  /// half of the calls, and a tenth of a point.
  static let clearly = 2.6

  struct Contender: Sendable {
    var program: Program
    var coordinates: JSONObject = [:]
    /// How it scored on all rows, where it has been asked: it takes part without being asked, or reported, again.
    var known: EvaluationResult?
  }

  /// How the contenders did, in their order.
  struct Outcome {
    /// The place of the best; nil where none has a score on all rows.
    var winner: Int?
    /// What each scored on all rows; nil for those that were dropped.
    var results: [EvaluationResult?]
    /// What each would score on all rows, in percent, by the rows on which it was compared.
    var estimates: [Double]
  }

  let task: CompileTask
  /// Hears of each candidate's evaluation as one trial: of a dropped one, with the rows that it was asked.
  let log: SearchLog
  let rows: Rows
  let order: RaceOrder
  /// The score, in percent, at which nothing better is wanted.
  var enough: Double?

  private enum State {
    case racing(GrowingEvaluation)
    case whole(EvaluationResult)
    case dropped
  }

  private struct Entry {
    var scores: RowScores
    var state: State

    var growing: GrowingEvaluation? { if case .racing(let evaluation) = state { evaluation } else { nil } }
    var result: EvaluationResult? { if case .whole(let result) = state { result } else { nil } }
    var mayLead: Bool {
      if case .dropped = state { return false }
      return scores.isWhole
    }
  }

  func run(_ contenders: [Contender]) async throws(HoneError) -> Outcome {
    var entries: [Entry] = []
    for contender in contenders {
      if let known = contender.known {
        entries.append(Entry(scores: RowScores(known, order: order.rows), state: .whole(known)))
      } else {
        let info = log.info("eval", contender.program, rows: order.rows, coordinates: contender.coordinates)
        entries.append(Entry(scores: RowScores([]), state: .racing(await task.evaluator.begin(info))))
      }
    }
    do throws(HoneError) {
      for mark in order.marks {
        try await ask(entries.indices.filter { entries[$0].growing != nil }, upTo: mark, &entries)
        if mark == order.block, mark < order.rows.count, let first = leader(entries, mark),
          entries[first].growing != nil
        {
          try await ask([first], upTo: order.rows.count, &entries)
          await end(&entries[first], isWhole: true)
        }
        let leader = leader(entries, mark)
        let isEnough = enough.map { enough in entries.contains { ($0.result?.rank ?? -.infinity) >= enough } } ?? false
        for index in entries.indices where entries[index].growing != nil {
          if mark == order.rows.count {
            await end(&entries[index], isWhole: true)
          } else if isEnough || leader.map({ isBeaten(index, by: $0, entries, mark) }) == true {
            await end(&entries[index], isWhole: false)
          }
        }
      }
    } catch {
      for index in entries.indices {
        guard let evaluation = entries[index].growing else { continue }
        // What has all its rows counts, as it would have without the interruption.
        if evaluation.examples.count == order.rows.count, !evaluation.isOver {
          await end(&entries[index], isWhole: true)
        } else {
          await task.evaluator.stop(evaluation, error)
        }
      }
      throw error
    }
    return outcome(entries)
  }

  /// Asks some of the contenders, all at the same time. Bounded money goes into one after the other, so that where it
  /// ends the most have all their rows.
  private func ask(_ chosen: [Int], upTo count: Int, _ entries: inout [Entry]) async throws(HoneError) {
    let evaluations = chosen.compactMap { entries[$0].growing }
    let (evaluator, rows) = (task.evaluator, rows)
    if task.session.account.budget.isLimited {
      for evaluation in evaluations { try await evaluator.ask(evaluation, upTo: count, examples: rows) }
    } else {
      _ = try await concurrently(evaluations) { _, evaluation throws(HoneError) in
        try await evaluator.ask(evaluation, upTo: count, examples: rows)
      }
    }
    for index in chosen {
      if let evaluation = entries[index].growing { entries[index].scores = RowScores(evaluation.examples) }
    }
  }

  private func end(_ entry: inout Entry, isWhole: Bool) async {
    guard let evaluation = entry.growing else { return }
    let result = await task.evaluator.finish(evaluation, inDataOrder: true)
    var info = evaluation.info
    info.rows = result.examples.map(\.row)
    if !isWhole { info.coordinates["dropped"] = true }
    entry.state = isWhole ? .whole(result) : .dropped
    await log.add(info, result, isFull: isWhole)
  }

  /// The best on the rows that all have been asked; of equal ones the first.
  private func leader(_ entries: [Entry], _ count: Int) -> Int? {
    var best: (index: Int, mean: Double)?
    for (index, entry) in entries.enumerated() where entry.mayLead {
      let mean = entry.scores.mean(of: count)
      if mean > best?.mean ?? -.infinity { best = (index, mean) }
    }
    return best?.index
  }

  private func isBeaten(_ index: Int, by leader: Int, _ entries: [Entry], _ count: Int) -> Bool {
    guard index != leader else { return false }
    let (own, best) = (entries[index].scores, entries[leader].scores)
    let differences = own.differences(to: best)
    guard let (mean, error) = ScoreSummary.meanAndError(differences) else { return false }
    // Only the rows that are left can still change the mean over all: their share shrinks the error.
    let open = Double(order.rows.count - count) / Double(order.rows.count)
    if mean + Self.clearly * error * open.squareRoot() < 0 { return true }
    guard own.isWhole, own.isBounded, best.isBounded else { return false }
    // Of two that are equal the first wins.
    let known = best.headroom.dropFirst(count)
    let most = differences.reduce(0, +) + known.reduce(0, +) + Double(order.rows.count - count - known.count)
    return leader < index ? most <= 1e-9 : most < -1e-9
  }

  private func outcome(_ entries: [Entry]) -> Outcome {
    let results = entries.map(\.result)
    var winner: Int?
    for (index, result) in results.enumerated() {
      guard let result, result.score != nil, result.outages == 0 else { continue }
      if result.rank > winner.flatMap({ results[$0]?.rank }) ?? -.infinity { winner = index }
    }
    let estimates = entries.map { entry -> Double in
      guard let winner, let best = results[winner] else { return 100 * entry.scores.mean(of: .max) }
      if let result = entry.result { return result.rank }
      let differences = entry.scores.differences(to: entries[winner].scores)
      return best.rank + 100 * differences.reduce(0, +) / Double(max(1, differences.count))
    }
    return Outcome(winner: winner, results: results, estimates: estimates)
  }

  /// How many executions a tournament of that many new candidates makes.
  static func executions(_ candidates: ClosedRange<Int>, rows: Int) -> ClosedRange<Int> {
    candidates.lowerBound * min(rows, RaceOrder(rows, seed: 0).block)...candidates.upperBound * rows
  }
}
