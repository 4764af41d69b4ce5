package import Evaluation
package import Failures
package import HTTPModels
package import Logging
package import Optimizers
package import Programs
package import Schema
import Synchronization
package import Tracking

/// Where work is done and kept: one home directory with its store, and what is loaded and under way in this process.
///
/// Nothing is opened before it is needed.
package final class Workspace: Sendable {
  package let home: String
  package let logger: Logger
  /// The optimizers and metrics that go by name here.
  package let optimizers: Registry<any Optimizer>
  package let metrics: Registry<any Metric>
  /// Which keys may go where.
  package let keyRules: KeyRules
  private let durability: Durability
  private let opening = Mutex<Task<OpenStore, any Error>?>(nil)
  private let standIn = Mutex<TrackingStore?>(nil)
  private let loaded = Mutex(LoadedPrograms())
  /// The executions of host programs under way, whichever client runs them.
  package let executions = HostExecutions()
  let jobs = RunningJobs()

  package init(
    home: String, logger: Logger, optimizers: Registry<any Optimizer> = OptimizerRegistry.all,
    metrics: Registry<any Metric> = MetricRegistry.all, keyRules: KeyRules = KeyRules(),
    durability: Durability = .power
  ) {
    self.home = home
    self.logger = logger
    self.optimizers = optimizers
    self.metrics = metrics
    self.keyRules = keyRules
    self.durability = durability
  }

  /// The tracking store that is there, opened at the first use. Where there is none, an empty one stands in for it, until
  /// somebody makes it: this process (`madeStore`) or another.
  package func store() async throws(HoneError) -> TrackingStore {
    if opening.withLock({ $0 == nil }), !TrackingStore.isThere(in: home) { return try missingStore() }
    return try await madeStore()
  }

  private func missingStore() throws(HoneError) -> TrackingStore {
    if let known = standIn.withLock({ $0 }) { return known }
    let store = try TrackingStore.standIn(for: home)
    standIn.withLock { $0 = store }
    return store
  }

  /// The tracking store, for work that is kept in it: made where there is none. A failure to open it is tried again at the
  /// next use.
  package func madeStore() async throws(HoneError) -> TrackingStore {
    let task = opening.withLock { opening in
      if let opening { return opening }
      let task = Task { try await OpenStore(home: home, durability: durability, logger: logger) }
      opening = task
      return task
    }
    do {
      let open = try await task.value
      guard open.isOutdated else { return open.store }
      opening.withLock { opening in if opening == task { opening = nil } }
      open.abandon()
    } catch {
      opening.withLock { opening in if opening == task { opening = nil } }
      throw HoneError(wrapping: error)
    }
    return try await madeStore()
  }

  // MARK: Programs

  /// Makes a program known by its id, as long as it is among those used last; gives the id.
  package func load(_ program: Program) -> String {
    let (id, size) = identity(of: program)
    loaded.withLock { $0.add(program, id, size: size) }
    return id
  }

  /// The loaded program of that id.
  func program(_ id: String) -> Program? { loaded.withLock { $0.program(id) } }

  // MARK: Jobs

  /// Starts a job under a new run.
  package func start<Work: Job>(_ job: Work) async throws(HoneError) -> RunningJob<Work.Output> {
    let run = try await OpenRun.begin(job, try await madeStore())
    return try jobs.start(JobRunner(job, run, self))
  }

  /// Does a job under a new run and answers for it: at once where the request is detached, else when it has ended.
  package func perform<Work: Job>(
    _ job: Work, in environment: CallEnvironment
  ) async throws(HoneError) -> JobReply<Work.Output> {
    let run = try await OpenRun.begin(job, try await madeStore())
    return try await perform(job, run, isDetached: job.terms.isDetached, in: environment)
  }

  /// The same under a run that is there.
  func perform<Work: Job>(
    _ job: Work, _ run: OpenRun, isDetached: Bool, in environment: CallEnvironment
  ) async throws(HoneError) -> JobReply<Work.Output> {
    let running = try jobs.start(JobRunner(job, run, self))
    return isDetached ? .started(RunStarted(run)) : .ended(try await running.attended(in: environment))
  }

  /// Stops the jobs under way, each of which tracks what it has, so that its run can be resumed; takes no more.
  package func drain() async { await jobs.close() }

  /// Stops the jobs under way as somebody wishes who waits for their results.
  package func stopJobs() async { await jobs.stop(.run) }

  /// Whether no job is under way.
  package var isIdle: Bool { jobs.isEmpty }

  /// Waits until no job is under way: detached ones go on when their client has left.
  package func waitUntilIdle() async { await jobs.waitUntilIdle() }

  /// Stops what is under way, writes what is queued and closes the store.
  package func close() async {
    await drain()
    let task = opening.withLock { opening in
      defer { opening = nil }
      return opening
    }
    await (try? task?.value)?.close()
  }
}
