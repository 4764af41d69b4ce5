import Failures
import Synchronization

/// An evaluation under way, whose rows are asked part by part: whoever compares programs can stop asking for one that is
/// clearly behind.
///
/// Used by one task at a time.
package final class GrowingEvaluation: Sendable {
  /// What has come of it so far.
  struct Work: Sendable {
    var tally: ExampleTally
    var agenda: EvaluationAgenda
    var results: [ExampleResult?]
    /// Whether its end has been announced.
    var isOver = false

    /// Notes what came of an example; false if it will be asked again.
    mutating func take(_ result: ExampleResult, of index: Int) -> Bool {
      let isFinal = agenda.take(result, of: index)
      tally.note(result, at: index, isFinal: isFinal)
      if index < results.count { results[index] = result }
      return isFinal
    }

    var result: EvaluationResult { EvaluationResult(tally, results.compactMap { $0 }) }
    /// Nil where nothing has been asked.
    var partial: EvaluationResult? { tally.seen == 0 ? nil : result }
  }

  /// Its rows stand in the order in which they are asked.
  package let info: EvaluationInfo
  private let state: Mutex<Work>

  init(_ info: EvaluationInfo, keeping kept: Int, maxErrors: Int?) {
    self.info = info
    let count = info.rows.count
    state = Mutex(
      Work(
        tally: ExampleTally(count: count), agenda: EvaluationAgenda(maxErrors: maxErrors),
        results: Array(repeating: nil, count: min(count, kept))))
  }

  var work: Work {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  /// Whether its end has been announced.
  package var isOver: Bool { work.isOver }

  /// How the rows came out that have been asked, in the order of asking.
  package var examples: [ExampleResult] { work.results.compactMap { $0 } }
}

/// Which of an evaluation's examples is asked next, and how many came to what.
struct EvaluationAgenda: Sendable {
  /// How many examples are to be asked so far.
  private(set) var count = 0
  private let maxErrors: Int?
  private var position = 0
  /// Examples to be asked once more.
  private var again: [Int] = []
  private var isSecondTime: Set<Int> = []
  /// Examples whose failure is final.
  private(set) var failed = 0
  /// Those of them that met an outage.
  private(set) var lost = 0
  /// Times that an example could not be judged, whether it is asked again or not.
  private(set) var unjudged = 0
  private(set) var judged = 0

  init(maxErrors: Int?) { self.maxErrors = maxErrors }

  /// More examples are to be asked: as many as `count` in all.
  mutating func extend(to count: Int) { self.count = max(self.count, count) }

  /// The next example to ask; nil where none is left for now.
  mutating func next() -> Int? {
    // Where the outages would be too many if they stay, that is found out before more rows are asked.
    let mustSettle = maxErrors.map { failed + again.count > $0 } ?? false
    if position < count, !(mustSettle && !again.isEmpty) {
      position += 1
      return position - 1
    }
    return again.isEmpty ? nil : again.removeFirst()
  }

  /// Notes how an example ended; false if it will be asked again.
  mutating func take(_ result: ExampleResult, of index: Int) -> Bool {
    let kind = result.error?.kind
    // A filter may refuse many rows running and take the next; so may a window that is too short for them.
    let isItsOwn = kind == .contentRefused || kind == .contextWindowExceeded
    if result.isOutage || (result.isEmpty && !isItsOwn) || kind == .inputRejected {
      unjudged += 1
    } else if !isItsOwn {
      judged += 1
    }
    guard let error = result.error else { return true }
    if error.kind.isPassing, isSecondTime.insert(index).inserted {
      again.append(index)
      return false
    }
    failed += 1
    if result.isOutage { lost += 1 }
    return true
  }
}
