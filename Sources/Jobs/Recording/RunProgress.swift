import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Schema
import Synchronization
import Traces

/// The listener that tells a client how far a run is: executions done of those planned, scores, calls, tokens, time left.
final class RunProgress: EventSink {
  private struct State {
    var planned = 0
    var done = 0
    var trials = 0
    var best: Double?
    var baseline: Double?
    var phase = ""
    var lastPercentage = 0
    var wait: EndpointWait?
  }

  private let watchers: Watchers
  private let account: RunAccount
  private let runID: String?
  private let namesRuns: Bool
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  /// - Parameter namesRuns: whether evaluations are runs, whose ids then come with trials.
  init(_ watchers: Watchers, account: RunAccount, runID: String?, namesRuns: Bool) {
    self.watchers = watchers
    self.account = account
    self.runID = runID
    self.namesRuns = namesRuns
  }

  /// Tells at once that the work waits for an endpoint.
  func note(_ wait: EndpointWait) {
    state.withLock { $0.wait = wait }
    report()
  }

  func emit(_ event: EngineEvent) async {
    switch event {
    case .planned(let executions): state.withLock { $0.planned = executions }
    case .phase(_, let message):
      state.withLock { $0.phase = message }
      report()
    case .exampleFinished(_, let result):
      state.withLock { $0.done += 1 }
      guard !watchers.isEmpty else { break }
      watchers.finished(result)
      report()
    case .trialFinished(let trial):
      state.withLock { state in
        state.trials = trial.number
        state.best = trial.bestSoFar ?? state.best
        if state.baseline == nil { state.baseline = trial.result.score }
      }
      watchers.finished(TrialResult(trial, namesRun: namesRuns))
      report()
    case .adapterDecided(let decision):
      // A form that was there from the beginning is no news.
      guard Set(decision.tries.map(\.format)).count > 1 else { break }
      state.withLock { $0.phase = decision.sentence }
      report()
    case .evaluationStarted, .evaluationFinished, .evaluationStopped, .demoSetReady, .instructionProposed, .warning,
      .summary:
      break
    }
  }

  private func report() {
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    let usage = account.usage.total
    // Sent under the lock: evaluations overlap, and no report may overtake another.
    state.withLock { state in
      var percentage: Int?
      if state.planned > 0 {
        state.lastPercentage = max(state.lastPercentage, min(99, 100 * state.done / state.planned))
        percentage = state.lastPercentage
      }
      var report = ProgressReport()
      report.phase = state.phase
      report.executions = state.done
      report.planned = state.planned
      report.calls = usage.calls
      report.tokens = usage.tokens.totalTokens
      report.seconds = seconds
      report.runID = runID
      if state.trials > 0 { report.trial = state.trials }
      report.score = state.best
      if state.done > 0, state.planned > state.done {
        report.secondsLeft = (seconds / Double(state.done)) * Double(state.planned - state.done)
      }
      report.percentage = percentage
      var parts = [state.phase]
      if state.trials > 0 { parts.append("trial \(state.trials)") }
      if let best = state.best { parts.append("best \(best)") }
      if state.trials == 0, state.done > 0 { parts.append("\(state.done) done") }
      parts.append("\(usage.calls) calls")
      if let wait = state.wait {
        if wait.until > nowInMilliseconds() {
          report.waitingUntil = wait.until
          report.phase = wait.message
          parts[0] = wait.message
        } else {
          state.wait = nil
        }
      }
      report.message = parts.joined(separator: ", ")
      watchers.report(report)
    }
  }
}

/// Several listeners as one, in order.
struct Listeners: EventSink {
  var all: [any EventSink]
  func emit(_ event: EngineEvent) async {
    for listener in all { await listener.emit(event) }
  }
}
