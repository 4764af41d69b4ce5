import Evaluation
import Failures
import LanguageModels
import Logging
import Schema
import Tracking

/// Does a job within its run: tracks the course and the outcome, and makes the result.
///
/// Tracking is worth less than the work: what cannot be written becomes a warning, and the work goes on.
struct JobRunner<Work: Job>: Sendable {
  let job: Work
  let run: OpenRun
  let workspace: Workspace
  private let start = ContinuousClock.now

  /// - Parameter run: just made, or taken up.
  init(_ job: Work, _ run: OpenRun, _ workspace: Workspace) {
    self.job = job
    self.run = run
    self.workspace = workspace
  }

  /// What a stop may end is run through `running.stoppable`; what follows tracks how it ended.
  func callAsFunction(_ running: RunningJob<Work.Output>) async -> Result<Work.Output, HoneError> {
    let notes = JobNotes(warnings: job.terms.warnings)
    let lost = run.store.traceLosses.count
    await describe(notes)
    let (job, run, session) = (job, run, session(notes, running.watchers))
    let found = await running.stoppable { await job.perform(session, run) }
    await closeAccount(notes)
    // Traces are there when the result is.
    await run.store.flush()
    let losses = run.store.traceLosses
    if losses.count > lost {
      notes.warn("\(losses.count - lost) traces could not be stored: \(losses.lastError ?? "the store is closed")")
    }
    let outcome = RunOutcome(job.stopped(found), running.stopReason)
    let error = job.stopped(found)?.asEndOfRun(outcome, running.stopReason, run: run.id, home: workspace.home)
    let seconds = (ContinuousClock.now - start) / .seconds(1)

    if let tracked = run.tracked {
      do throws(HoneError) { try await job.lookUp(found, tracked, notes) } catch { warn(error, notes) }
    }
    var output = job.output(found, run, notes, workspace)
    output.status = outcome
    output.ending.usage = run.account.usage
    output.ending.seconds = (seconds * 1000).rounded() / 1000
    output.ending.adapter = notes.adapter
    output.ending.isSimulated = job.model.configuration.isSimulated
    output.ending.warnings = notes.warnings
    output.ending.error = error
    if let id = run.id, outcome != .finished { output.ending.resumeCommand = resumeCommand(id, home: workspace.home) }
    await keepEnd(found, output, notes, seconds: seconds)
    output.ending.warnings = notes.warnings
    if let error, outcome == .paused || outcome == .failed, job.isEmpty(found, run, notes) { return .failure(error) }
    return .success(output)
  }

  private func session(_ notes: JobNotes, _ watchers: Watchers) -> EngineSession {
    let progress = RunProgress(
      watchers, account: run.account, runID: run.id, namesRuns: job.tracksEvaluations && run.id != nil)
    var session = EngineSession(
      runID: run.id, experimentID: run.experimentID, account: run.account, concurrency: job.terms.concurrency,
      events: Listeners(all: [notes, job.recorder(run, notes, workspace), progress].compactMap(\.self)),
      traces: job.tracesExecutions ? run.store : nil, maxErrors: job.terms.maxErrors)
    let (store, tracked) = (run.store, run.tracked)
    run.account.onWait { wait in
      progress.note(wait)
      guard let tracked else { return }
      Task { try? await store.setTag(run: tracked.id, HoneTag.waiting, "\(wait.until) \(wait.message)") }
    }
    session.callbacks = job.terms.callbacks
    session.vectorizer = job.terms.vectorizer
    session.tracksEvaluations = job.tracksEvaluations
    return session
  }

  // MARK: Tracking

  private func describe(_ notes: JobNotes) async {
    guard let tracked = run.tracked else { return }
    do throws(HoneError) {
      try await job.describe(tracked)
    } catch {
      warn(error, notes)
    }
  }

  private func closeAccount(_ notes: JobNotes) async {
    do throws(HoneError) {
      try await run.account.close(in: run.store)
    } catch {
      warn(error, notes)
    }
  }

  /// Tracks how the work ended. A run whose end cannot be written counts as one that was cut off.
  private func keepEnd(_ found: Work.Found, _ output: Work.Output, _ notes: JobNotes, seconds: Double) async {
    guard let tracked = run.tracked else { return }
    do throws(HoneError) {
      let own = try await job.keep(found, output, tracked, notes)
      var tags = [KeyValue(HoneTag.status, output.status.rawValue)] + own.tags
      if !notes.warnings.isEmpty { tags.append(KeyValue(HoneTag.warnings, Self.tag(notes.warnings))) }
      if let remedy = job.stopped(found)?.remedy { tags.append(KeyValue(HoneTag.remedy, remedy)) }
      if let error = output.ending.error { tags.append(KeyValue(HoneTag.error, error.messageWithCause)) }
      try await run.store.endRun(
        tracked.id, status: output.status.runStatus, seconds: seconds,
        metrics: usageMetrics(run.account.usage.total) + own.metrics, tags: tags, result: output.jsonValue)
    } catch {
      warn(error, notes)
      run.store.giveUp(run: tracked.id)
      let command = resumeCommand(tracked.id, home: workspace.home)
      notes.warn("The run's record is not whole. Once that is fixed, \(command) completes it; nothing is asked twice.")
    }
  }

  /// Warnings as a tag: one a line, within what a tag may hold.
  private static func tag(_ warnings: [String]) -> String {
    let text = warnings.map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
    return text.utf8.count <= 4000 ? text : "\(text.prefix(1000))…"
  }

  private func warn(_ error: HoneError, _ notes: JobNotes) {
    workspace.logger.warning("Tracking failed: \(error.message)")
    notes.warn("Tracking failed: \(error.message)")
  }
}
