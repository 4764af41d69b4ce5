import Failures
import JSON
import Logging
import Programs
import Synchronization
import Tracking

/// What a work does: one compile or one evaluation, checked, its run made.
protocol Job: Sendable {
  /// The run it is tracked as; nil where it is not.
  var runID: String? { get }
  var experimentID: String { get }

  /// Does it. What a stop may end is run through `work.stoppable`; what follows tracks how it ended.
  func run(_ work: Work) async -> Result<JSONValue, HoneError>
}

extension Job {
  /// Tracks something; what goes wrong becomes a warning, for the work is worth more than its record.
  func tracked(_ service: Service, _ body: () async throws(HoneError) -> Void) async -> [String] {
    do throws(HoneError) {
      try await body()
      return []
    } catch {
      service.logger.warning("Tracking failed: \(error.message)")
      return ["Tracking failed: \(error.message)"]
    }
  }

  /// Tracks how the work ended. A run whose end cannot be written counts as one that was cut off.
  func trackedEnd(
    _ service: Service, _ store: TrackingStore, _ body: (String) async throws(HoneError) -> Void
  ) async -> [String] {
    guard let runID else { return [] }
    let trouble = await tracked(service) { () async throws(HoneError) in try await body(runID) }
    guard !trouble.isEmpty else { return [] }
    store.giveUp(run: runID)
    let command = resumeCommand(runID, home: service.home)
    return trouble + [
      "The run's record is not whole. Once that is mended, \(command) completes it; nothing is asked twice."
    ]
  }
}

/// One job under way, apart from whoever asked for it: requests start it, watch it, stop it and leave.
final class Work: Sendable {
  /// Who or what ended a work before its time.
  enum Stop: Sendable {
    /// The request that waited for it was cancelled.
    case request
    /// Somebody asked for the run to stop.
    case run
    /// The client that waited for it is gone.
    case clientGone
    /// The process is ending.
    case shutdown
  }

  private struct State {
    var stop: Stop?
    var cancel: (@Sendable () -> Void)?
    var outcome: Result<JSONValue, HoneError>?
    var waiting: [AsyncStream<Never>.Continuation] = []
  }

  let runID: String?
  let experimentID: String
  let watchers = Watchers()
  private let state = Mutex(State())

  init(_ job: some Job) {
    runID = job.runID
    experimentID = job.experimentID
  }

  /// Does the job in a task of its own, then calls `end`.
  func begin(_ job: some Job, end: @escaping @Sendable () -> Void) {
    Task.detached {
      let outcome = await job.run(self)
      end()
      let waiting = self.state.withLock { state in
        state.outcome = outcome
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in waiting { continuation.finish() }
    }
  }

  /// Runs the part of a job that a stop ends.
  func stoppable<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
    let task = Task { await body() }
    let isStopped = state.withLock { state in
      state.cancel = { task.cancel() }
      return state.stop != nil
    }
    if isStopped { task.cancel() }
    return await task.value
  }

  /// Ends the work before its time; the first reason counts.
  func stop(_ reason: Stop) {
    let cancel = state.withLock { state in
      if state.stop == nil { state.stop = reason }
      return state.cancel
    }
    cancel?()
  }

  /// Why it was stopped, if it was.
  var stopReason: Stop? { state.withLock { $0.stop } }

  /// Waits until the work has ended, or the task is cancelled.
  func waitUntilEnded() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    let isOver = state.withLock { state in
      guard state.outcome == nil else { return true }
      state.waiting.append(continuation)
      return false
    }
    if isOver { return }
    for await _ in stream {}
  }

  private var outcome: Result<JSONValue, HoneError>? { state.withLock { $0.outcome } }

  /// The result for the request that started it, which stops it when it is cancelled.
  func attended(in environment: CallEnvironment) async throws(HoneError) -> JSONValue {
    if let sink = environment.progress { watchers.add(sink) }
    await withTaskCancellationHandler {
      await Task { await waitUntilEnded() }.value
    } onCancel: {
      stop(environment.peer?.isGone == true ? .clientGone : .request)
    }
    let result = try result(isCancelled: Task.isCancelled)
    // A client that has only closed its side still reads: what it hears is that it was needed.
    if result["error"]?["kind"]?.stringValue == FailureKind.clientGone.rawValue {
      throw HoneError(
        .clientGone, result["error"]?["message"]?.stringValue ?? "The client went away.",
        remedy: result["error"]?["remedy"]?.stringValue, details: runID.map { ["runId": $0] } ?? [:])
    }
    return result
  }

  /// The result for somebody who only looks on: who is cancelled leaves, and the work goes on.
  func watched(in environment: CallEnvironment) async throws(HoneError) -> JSONValue {
    let seat = environment.progress.map { watchers.add($0) }
    defer { if let seat { watchers.remove(seat) } }
    await waitUntilEnded()
    return try result(isCancelled: outcome == nil)
  }

  private func result(isCancelled: Bool) throws(HoneError) -> JSONValue {
    guard !isCancelled, let outcome else {
      throw HoneError(.cancelled, "The request was cancelled.", details: runID.map { ["runId": $0] } ?? [:])
    }
    return try outcome.get()
  }
}
