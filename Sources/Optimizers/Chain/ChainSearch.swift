import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage

/// One search of `Chain`: its steps, one after the other.
final class ChainSearch {
  private let chain: Chain
  private let task: CompileTask
  private let valset: Rows
  private let course = SearchCourse()
  private var trials: [Trial] = []
  private var baseline: Trial?
  private var best: Trial?
  private var stopped: HoneError?
  private var executions = 0
  private var sentences: [String] = []

  init(_ chain: Chain, _ task: CompileTask) {
    self.chain = chain
    self.task = task
    valset = task.valset ?? []
  }

  var result: SearchResult {
    SearchResult(
      program: best?.evaluation.program ?? task.student, best: best, baseline: baseline, trials: trials,
      stopped: stopped)
  }

  var summary: String { sentences.joined(separator: " ") }

  func run() async {
    do throws(HoneError) {
      await task.session.events.emit(.phase("baseline", message: "Scoring the program as it is"))
      let note = CandidateNote(number: 0, parents: [], change: "the program as it came", verdict: .kept)
      baseline = try await score(task.student, note)
      best = baseline
      guard let score = baseline?.result.score else {
        best = nil
        return sentences.append("The student could not be scored, so no step was made.")
      }
      sentences.append("The student scores \(score).")
      for (number, step) in chain.steps.enumerated() {
        guard best?.result.isPerfect != true else {
          sentences.append("Every row is right, so \(step.name) and what follows were left out.")
          break
        }
        try await make(step, number)
      }
    } catch {
      stopped = Callbacks.causeOf(error, task.session.callbacks?.peer)
    }
    if let stopped { sentences.append("The chain ended early: \(stopped.message)") }
  }

  /// Makes a step, and takes its program if it is better.
  private func make(_ step: Chain.Step, _ number: Int) async throws(HoneError) {
    let words = "\(step.name) (\(number + 1) of \(chain.steps.count))"
    let events = StepEvents(task.session.events, step: words, executions: executions)
    var own = task
    own.student = best?.evaluation.program ?? task.student
    own.adapterCalls = 0
    own.chain = ChainLink(course: course, known: best, maxCalls: share(before: number))
    own.session.events = events
    own.session.place = "step \(number + 1)/"
    let found = await step.optimizer.compile(own)
    executions = events.executions
    trials += found.trials
    var trial = found.program == own.student ? Optional<Trial>.none : found.best
    if found.stopped == nil, found.program != own.student, !isWhole(trial) {
      // The step chose by other rows than the chain does.
      var note = CandidateNote(
        number: course.nextCandidate, parents: [0], change: "what \(words) found", verdict: .kept)
      note.reason = "scored on all rows of the valset"
      trial = try await score(found.program, note)
    }
    take(trial, of: words, events.summary)
    if let error = found.stopped { throw error }
  }

  /// Whether a trial asked every row of the valset.
  private func isWhole(_ trial: Trial?) -> Bool {
    trial?.result.on(valset, rows: Array(valset.indices)) != nil
  }

  private func take(_ trial: Trial?, of words: String, _ summary: String?) {
    let before = best?.result.score ?? 0
    var sentence = "\(words) brought nothing better."
    if let trial, isWhole(trial), let score = trial.result.score,
      trial.result.rank > best?.result.rank ?? -.infinity
    {
      best = trial
      sentence = "\(words) went from \(before) to \(score)."
    }
    sentences.append([sentence, summary].compactMap(\.self).joined(separator: " "))
    if let best { course.goOn(from: best) }
  }

  /// An equal share of the calls that are left for each step to come.
  private func share(before number: Int) -> Int? {
    guard let most = task.session.account.budget.limits.maxCalls else { return nil }
    return max(0, most - task.session.replies.now) / (chain.steps.count - number)
  }

  /// Scores a program on the whole valset.
  private func score(_ program: Program, _ note: CandidateNote) async throws(HoneError) -> Trial? {
    var own = task
    own.chain = ChainLink(course: course, known: nil, maxCalls: nil)
    let log = SearchLog(own, best: best)
    var info = log.info("eval_full", program, rows: Array(valset.indices))
    info.candidate = note
    let result = try await task.evaluator.evaluate(info, examples: valset)
    await log.add(info, result, isFull: true)
    executions += result.count
    trials += log.trials
    return log.trials.last
  }
}
