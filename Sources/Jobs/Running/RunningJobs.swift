import Failures
import Logging
import Synchronization
import Tracking

/// The jobs of a workspace that are under way.
final class RunningJobs: Sendable {
  private struct State {
    var jobs: [ObjectIdentifier: any UnderWay] = [:]
    var isClosed = false
    var listener: Task<Void, Never>?
  }

  private let state = Mutex(State())

  /// Starts a job.
  ///
  /// - Throws: `cancelled` if the service is ending.
  func start<Work: Job>(_ runner: JobRunner<Work>) throws(HoneError) -> RunningJob<Work.Output> {
    let job = RunningJob<Work.Output>(runID: runner.run.id)
    let id = ObjectIdentifier(job)
    let isClosed = state.withLock { state in
      if state.isClosed { return true }
      state.jobs[id] = job
      if state.listener == nil {
        let (store, logger) = (runner.run.store, runner.workspace.logger)
        state.listener = Task.detached { await self.heedRequests(store, logger) }
      }
      return false
    }
    if isClosed { throw HoneError(.cancelled, "The service is ending and accepts no more work.") }
    job.begin(runner) { self.state.withLock { _ = $0.jobs.removeValue(forKey: id) } }
    return job
  }

  private var all: [any UnderWay] { state.withLock { Array($0.jobs.values) } }

  var isEmpty: Bool { state.withLock { $0.jobs.isEmpty } }

  /// The job of a run, if it is under way here.
  func job(on runID: String) -> (any UnderWay)? { all.first { $0.runID == runID } }

  /// Stops all jobs and waits until each has tracked what it had.
  func stop(_ reason: StopReason) async {
    let jobs = all
    for job in jobs { job.stop(reason) }
    for job in jobs { await job.waitUntilEnded() }
  }

  /// Waits until nothing is under way.
  func waitUntilIdle() async {
    while let job = all.first, !Task.isCancelled { await job.waitUntilEnded() }
  }

  /// Takes no more jobs and stops those there are.
  func close() async {
    state.withLock { $0.isClosed = true }
    await stop(.shutdown)
  }

  /// Looks five times a second whether another process wants a run of this one to stop; ends when nothing is under way.
  private func heedRequests(_ store: TrackingStore, _ logger: Logger) async {
    while true {
      try? await Task.sleep(for: .milliseconds(200))
      let isIdle = state.withLock { state in
        guard state.jobs.isEmpty else { return false }
        state.listener = nil
        return true
      }
      if isIdle { return }
      do throws(HoneError) {
        for run in try await store.stopRequests() { job(on: run)?.stop(.run) }
      } catch {
        logger.warning("Requests to stop runs cannot be read: \(error.message)")
      }
    }
  }
}
