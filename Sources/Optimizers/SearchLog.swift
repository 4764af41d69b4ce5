import Evaluation
import Failures
import JSON
import Programs
import RowStorage

/// The trials of one search in their order, the best full evaluation among them, and who is told.
///
/// Used by one task at a time: trials are added in the order that the search decided, not in the order they ended.
final class SearchLog {
  private let task: CompileTask
  private(set) var trials: [Trial] = []
  private(set) var baseline: Trial?
  private(set) var best: Trial?
  private let course: SearchCourse

  /// - Parameter best: what has to be beaten.
  init(_ task: CompileTask, best: Trial? = nil) {
    self.task = task
    self.best = best
    course = task.chain?.course ?? SearchCourse()
  }

  /// The announcement of the next evaluation of that kind. Call in the order of decisions: it counts.
  func info(
    _ key: String, _ program: Program, rows: [Int], coordinates: JSONObject = [:]
  ) -> EvaluationInfo {
    let (index, place) = course.evaluation(key)
    return EvaluationInfo(
      run: task.session.runID, key: key, index: index, place: place, program: program, coordinates: coordinates,
      rows: rows, metric: task.metric.name)
  }

  /// Scores the program that the search begins with, unless an earlier search of the chain has done so.
  ///
  /// - Parameters:
  ///   - examples: the rows that candidates are scored on.
  ///   - rows: those of them that are asked; all by default.
  func scoreBaseline(
    _ key: String, _ program: Program, on examples: Rows, rows: [Int]? = nil, coordinates: JSONObject = [:],
    candidate: CandidateNote? = nil, isFull: Bool = true
  ) async throws(HoneError) -> EvaluationResult {
    if let known = knownBaseline(program, on: examples, rows: rows, isFull: isFull) { return known }
    var info = info(key, program, rows: rows ?? Array(examples.indices), coordinates: coordinates)
    info.candidate = candidate
    let result = try await task.evaluator.evaluate(info, examples: examples)
    await add(info, result, isFull: isFull, isBaseline: true)
    return result
  }

  /// What an earlier search of the chain found of the program on these rows, as the baseline; nil where it did not ask
  /// them all. Its replies are those of that search.
  func knownBaseline(
    _ program: Program, on examples: Rows, rows: [Int]? = nil, isFull: Bool = true
  ) -> EvaluationResult? {
    guard var known = task.chain?.known, known.evaluation.program == program,
      let result = known.result.on(examples, rows: rows ?? Array(examples.indices))
    else { return nil }
    known.result = result
    known.bestSoFar = result.score
    baseline = known
    if isFull { best = known }
    return result
  }

  /// Notes an evaluation; `isFull` ones on whole data decide which program is best (a strictly higher score wins; with
  /// `winsTies` an equal one).
  func add(
    _ info: EvaluationInfo, _ result: EvaluationResult, isFull: Bool, isBaseline: Bool = false, winsTies: Bool = false
  ) async {
    var info = info
    info.candidate = info.candidate.map { course.numbered($0) }
    var trial = Trial(number: course.trial(), evaluation: info, result: result, bestSoFar: best?.result.score)
    // A score with rows missing by an outage compares with none that has them all.
    let least = best?.result.rank ?? -.infinity
    let isBetter = winsTies ? result.rank >= least : result.rank > least
    if isFull, result.outages == 0, result.score != nil, isBetter { best = trial }
    trial.bestSoFar = best?.result.score
    if best?.number == trial.number { best = trial }
    if isBaseline { baseline = trial }
    trials.append(trial)
    if result.outages > 0 {
      await task.session.events.emit(
        .warning("\(info.name): \(result.outages) of \(result.count) examples could not be judged; it is not ranked."))
    }
    await task.session.events.emit(.trialFinished(trial))
  }

  /// Whether the student has every row right, so that nothing can score better: the search ends there, and says why.
  func endsAtPerfectBaseline() async -> Bool {
    guard let baseline, baseline.result.isPerfect else { return false }
    await task.session.events.emit(
      .warning(
        "The program as it is gets all \(baseline.result.count) rows right that candidates are scored on: nothing can "
          + "score better there, so the search ended. Give a valset of more or harder rows to find out more."))
    return true
  }

  /// What the search has found, ended by `error` if not by itself; the student where nothing better was.
  func result(stoppedBy error: HoneError? = nil) -> SearchResult {
    let error = error.map { Callbacks.causeOf($0, task.session.callbacks?.peer) }
    return SearchResult(
      program: best?.evaluation.program ?? task.student, best: best, baseline: baseline, trials: trials,
      stopped: error)
  }
}

/// Does pieces of work with at most a fixed number decided ahead of the results, and hands the results over in order.
///
/// `window` results may be outstanding when a piece is decided, once `free` pieces have been decided without waiting:
/// so what a decision can know depends on its place alone, never on the clock. When a budget is spent, pieces under way
/// may end, and those that became whole are handed over before the error is thrown.
func inOrder<Piece: Sendable, Value: Sendable>(
  free: Int, window: Int,
  next: () async throws(HoneError) -> Piece?,
  work: @escaping @Sendable (Piece) async throws(HoneError) -> Value,
  commit: (Piece, Value) async throws(HoneError) -> Void
) async throws(HoneError) {
  do {
    try await withThrowingTaskGroup(of: (Int, Result<Value, HoneError>).self) { group in
      var pieces: [Piece] = []
      var arrived: [Int: Value] = [:]
      var committed = 0
      func commitRest(_ spent: HoneError) async throws -> Never {
        for try await (index, outcome) in group {
          if case .success(let value) = outcome { arrived[index] = value }
        }
        for (index, value) in arrived.sorted(by: { $0.key < $1.key }) { try await commit(pieces[index], value) }
        throw spent
      }
      func commitNext() async throws {
        while arrived[committed] == nil {
          guard let (index, outcome) = try await group.next() else { return }
          switch outcome {
          case .success(let value): arrived[index] = value
          case .failure(let error) where error.kind == .budgetExhausted: try await commitRest(error)
          case .failure(let error): throw error
          }
        }
        guard let value = arrived.removeValue(forKey: committed) else { return }
        try await commit(pieces[committed], value)
        committed += 1
      }
      while true {
        while pieces.count >= free, pieces.count - committed >= window { try await commitNext() }
        guard let piece = try await next() else {
          // Results that are still out may make more work.
          if committed == pieces.count { return }
          try await commitNext()
          continue
        }
        let index = pieces.count
        pieces.append(piece)
        group.addTask { (index, await attempt { () async throws(HoneError) in try await work(piece) }) }
      }
    }
  } catch {
    throw HoneError(wrapping: error)
  }
}
