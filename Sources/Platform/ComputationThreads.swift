import Dispatch
import Synchronization

/// Threads for computations that may take long, apart from the few that all requests share: whoever waits for nothing but a
/// thread of the concurrency pool is not kept waiting by them.
///
/// Tasks are begun in the order in which they came. The threads start with the first of them, and stay.
package final class ComputationThreads: TaskExecutor {
  /// For metrics, whose patterns and texts come from strangers.
  package static let metrics = ComputationThreads()
  /// For reading and writing messages, data sets and replies of some size.
  package static let data = ComputationThreads()
  /// From this size on, in bytes, a text is read and written by `data`.
  package static let longText = 256 << 10

  private struct State {
    var jobs: [UnownedJob] = []
    /// The jobs before this place are taken.
    var taken = 0
    var started = 0
    var idle = 0
  }

  private let mostThreads = max(2, systemCores())
  private let state = Mutex(State())
  private let work = DispatchSemaphore(value: 0)

  private init() {}

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let mustStart = state.withLock { state in
      state.jobs.append(job)
      guard state.idle < state.jobs.count - state.taken, state.started < mostThreads else { return false }
      state.started += 1
      return true
    }
    work.signal()
    guard mustStart, startDetachedThread({ [self] in run() }) != 0 else { return }
    // Without a thread of its own, the job is done by whoever came with it.
    let isLost = state.withLock { state in
      state.started -= 1
      return state.started == 0
    }
    if isLost { takeOne() }
  }

  private func run() {
    while true {
      state.withLock { $0.idle += 1 }
      work.wait()
      state.withLock { $0.idle -= 1 }
      takeOne()
    }
  }

  private func takeOne() {
    let job: UnownedJob? = state.withLock { state in
      guard state.taken < state.jobs.count else { return nil }
      let job = state.jobs[state.taken]
      state.taken += 1
      if state.taken > 64, state.taken * 2 > state.jobs.count {
        state.jobs.removeFirst(state.taken)
        state.taken = 0
      }
      return job
    }
    job?.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Does `work` on these threads. A caller that is cancelled goes on at once; the work, whose task is cancelled, may end
  /// as soon as it notices.
  ///
  /// - Parameter cancelled: what a cancelled caller gets.
  package func run<Value: Sendable>(
    cancelled: Value, _ work: @escaping @Sendable () async -> Value
  ) async -> Value {
    let promise = Promise<Value>()
    let task = Task(executorPreference: self) { _ = promise.fulfil(await work()) }
    return await withTaskCancellationHandler {
      await promise.wait()
    } onCancel: {
      task.cancel()
      promise.fulfil(cancelled)
    }
  }
}

/// Does `work` on the threads for data where it is about a long text or the like, else where the caller is.
package func apart<Value>(where isLong: Bool = true, _ work: () async throws -> Value) async rethrows -> Value {
  guard isLong else { return try await work() }
  return try await withTaskExecutorPreference(ComputationThreads.data) { try await work() }
}

private func systemCores() -> Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
