import Evaluation
import JSON
import Programs
import RowStorage
import Synchronization

/// How evaluations, trials and candidates of one run are counted, over all searches of a chain.
final class SearchCourse: Sendable {
  private struct State {
    var started: [String: Int] = [:]
    var trials = 0
    /// The number of the program that the search began with, and how many numbers earlier searches have taken.
    var student = 0
    var taken = 0
    var highest = 0
  }

  private let state = Mutex(State())

  /// The index of the next evaluation of that kind, and its place among all.
  func evaluation(_ key: String) -> (index: Int, place: Int) {
    state.withLock { state in
      let index = state.started[key, default: 0]
      state.started[key] = index + 1
      return (index, state.started.values.reduce(0, +))
    }
  }

  /// The number of the next trial, from 1.
  func trial() -> Int {
    state.withLock { state in
      state.trials += 1
      return state.trials
    }
  }

  /// A note of a search with the numbers that its candidates have in the chain.
  func numbered(_ note: CandidateNote) -> CandidateNote {
    state.withLock { state in
      func number(_ own: Int) -> Int { own == 0 ? state.student : state.taken + own }
      var note = note
      note.number = number(note.number)
      note.parents = note.parents.map(number)
      state.highest = max(state.highest, note.number)
      return note
    }
  }

  /// The number, as a search of its own counts, of a candidate beside those that the search had.
  var nextCandidate: Int { state.withLock { $0.highest - $0.taken + 1 } }

  /// A search has ended, and the next begins with the program of that trial.
  func goOn(from trial: Trial) {
    state.withLock { state in
      state.taken = state.highest
      guard let number = trial.evaluation.candidate?.number else { return }
      state.student = number
    }
  }
}

/// What a search knows that is a step of a chain.
struct ChainLink: Sendable {
  let course: SearchCourse
  /// The evaluation of the program that it begins with.
  var known: Trial?
  /// How many calls it may plan with, if that is bounded.
  var maxCalls: Int?
}

extension EvaluationResult {
  /// The result on rows of a data set that may stand elsewhere in it, or in another one; nil where not all of them were asked.
  func on(_ examples: Rows, rows: [Int]) -> EvaluationResult? {
    guard !rows.isEmpty else { return nil }
    let known = Dictionary(self.examples.map { ($0.example, $0) }) { first, _ in first }
    var found: [ExampleResult] = []
    for row in rows {
      guard var example = known[examples[row]], !example.isOutage else { return nil }
      example.row = row
      example.replies = ReplyCounts()
      found.append(example)
    }
    return EvaluationResult(found)
  }
}
