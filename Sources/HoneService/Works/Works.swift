import Failures
import JSON
import Logging
import Synchronization
import Tracking

/// The works of a service that are under way.
final class Works: Sendable {
  private struct State {
    var works: [ObjectIdentifier: Work] = [:]
    var isClosed = false
    var listener: Task<Void, Never>?
  }

  private let state = Mutex(State())

  /// Starts a job.
  ///
  /// - Throws: `cancelled` if the service is ending.
  func start(_ job: some Job, store: TrackingStore, logger: Logger) throws(HoneError) -> Work {
    let work = Work(job)
    let id = ObjectIdentifier(work)
    let isClosed = state.withLock { state in
      if state.isClosed { return true }
      state.works[id] = work
      if state.listener == nil {
        state.listener = Task.detached { await self.heedRequests(store, logger) }
      }
      return false
    }
    if isClosed { throw HoneError(.cancelled, "The service is ending and takes no more work.") }
    work.begin(job) { self.state.withLock { _ = $0.works.removeValue(forKey: id) } }
    return work
  }

  private var all: [Work] { state.withLock { Array($0.works.values) } }

  var isEmpty: Bool { state.withLock { $0.works.isEmpty } }

  /// The work on a run, if it is under way here.
  func work(on runID: String) -> Work? { all.first { $0.runID == runID } }

  /// Stops all works and waits until each has tracked what it had.
  func stop(_ reason: Work.Stop) async {
    let works = all
    for work in works { work.stop(reason) }
    for work in works { await work.waitUntilEnded() }
  }

  /// Waits until nothing is under way.
  func waitUntilIdle() async {
    while let work = all.first, !Task.isCancelled { await work.waitUntilEnded() }
  }

  /// Takes no more works and stops those there are.
  func close() async {
    state.withLock { $0.isClosed = true }
    await stop(.shutdown)
  }

  /// Looks five times a second whether another process wants a run of this one to stop; ends when nothing is under way.
  private func heedRequests(_ store: TrackingStore, _ logger: Logger) async {
    while true {
      try? await Task.sleep(for: .milliseconds(200))
      let isIdle = state.withLock { state in
        guard state.works.isEmpty else { return false }
        state.listener = nil
        return true
      }
      if isIdle { return }
      do throws(HoneError) {
        for run in try await store.stopRequests() { work(on: run)?.stop(.run) }
      } catch {
        logger.warning("Requests to stop runs cannot be read: \(error.message)")
      }
    }
  }
}
