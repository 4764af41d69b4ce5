import ArgumentParser
import Evaluation
import Foundation
import Jobs
import JSON
import Statistics
import Terminal

/// The result of a compile for a person: trials, baseline and best, what it cost, what to do next.
enum CompileReport {
  /// - Parameter showsAllTrials: whether the table has every trial, however many there are.
  static func text(_ result: JobOutline, showsAllTrials: Bool = false) -> String {
    var lines: [String] = []
    if result.isSimulated {
      lines.append("(simulated model: scores show how the search works, not what a real model can do)")
    }
    if !result.trials.isEmpty {
      var rows = [["trial", "evaluation", "score", "95 % interval", "rows", "best so far", "what was tried"]]
      let digest = TrialDigest(result.trials, bestRunID: result.bestRunID, isWhole: showsAllTrials)
      for trial in digest.shown {
        let mark = trial.runID != nil && trial.runID == result.bestRunID ? " *" : ""
        rows.append([
          "\(trial.number)", trial.name, WorkReport.number(trial.figures.score) + mark,
          WorkReport.interval(trial.figures.interval), "\(trial.figures.count)", WorkReport.number(trial.bestSoFar),
          trial.words,
        ])
      }
      lines.append(columns(rows))
      if let note = digest.note { lines.append(note) }
    }
    if let summary = result.summary { lines += ["", summary.visibleParagraph] }
    if let score = result.score {
      lines.append("")
      lines.append(
        "baseline \(WorkReport.number(result.baselineScore)) -> best \(WorkReport.number(score)) "
          + WorkReport.interval(result.interval))
      if let comparison = result.comparison { lines.append("on the same rows: " + verdict(comparison)) }
      if let selection = result.selection { lines.append(selection.note(isTested: result.test != nil)) }
      if let test = result.test { lines += self.test(test, result) }
    }
    lines += WorkReport.replies(result) + WorkReport.ending(result)
    if let run = result.runID {
      lines.append("")
      lines.append("run \(run)")
      lines.append("  hone runs --parent \(run)")
      lines.append("  hone predict --program \(run) question=\"…\"")
    }
    return lines.joined(separator: "\n")
  }

  private static func verdict(_ comparison: PairedComparison) -> String {
    let corrected =
      comparison.adjustedPValue.map {
        ", corrected for \(comparison.comparisons ?? 1) comparisons \(WorkReport.short($0))"
      } ?? ""
    return "\(comparison.verdict.rawValue) (\(WorkReport.number(comparison.difference)) points, p = "
      + "\(WorkReport.short(comparison.pValue))\(corrected))"
  }

  /// The scores on the rows that chose, and on those that did not, side by side.
  private static func test(_ test: TestScores, _ result: JobOutline) -> [String] {
    let chosen = result.selection?.scoredOn.rawValue ?? "valset"
    var lines = [
      "",
      columns([
        ["", chosen, "testset"],
        ["baseline", WorkReport.number(result.baselineScore), WorkReport.number(test.baselineScore)],
        ["best", WorkReport.number(result.score), WorkReport.number(test.score)],
      ]),
      "testset (\(test.count) rows, never seen by the search): \(test.verdict)"
        + (test.comparison.map { ", \(verdict($0))" } ?? ""),
    ]
    if let gap = test.gap { lines.append("\(chosen) less testset: \(WorkReport.number(gap)) points") }
    if test.looks > 1 {
      lines.append("\(test.looks) searches have looked at this testset by now: it is less and less unseen")
    }
    return lines
  }
}

func writeText(_ path: String, _ text: String) throws {
  do {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  } catch {
    throw ValidationError("\(path) cannot be written: \(error.localizedDescription)")
  }
}
