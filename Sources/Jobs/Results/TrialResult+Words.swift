import Evaluation
import Foundation

extension TrialResult {
  /// What was tried and what came of it, as far as the search tells: `7 from 3, instruction of answer: +6.0 on 41 rows,
  /// dropped (not ahead after 40 rows)`, else `instruction 5 with demo set 3`.
  package var words: String { candidate?.words ?? choice ?? ChoiceWords().words(coordinates) }

  /// The trial in one line, with its score.
  package var line: String {
    let rows = "\(figures.count) row\(figures.count == 1 ? "" : "s")"
    let scored = figures.score.map { String(format: "scored %.2f on ", $0) + rows } ?? "no score on \(rows)"
    let best = bestSoFar.map { String(format: ", best so far %.2f", $0) } ?? ""
    let subject = candidate == nil ? "" : "candidate "
    return "trial \(number): \(subject)\(words); \(scored)\(best)"
  }
}
