package import Failures
import JSON
import Programs
import Schema
import Synchronization

/// Who or what ended a job before its time.
package enum StopReason: Sendable {
  /// The request that waited for it was cancelled.
  case request
  /// Somebody asked for the run to stop.
  case run
  /// The client that waited for it is gone.
  case clientGone
  /// The process is ending.
  case shutdown
}

/// A job under way, whatever its result.
protocol UnderWay: AnyObject, Sendable {
  var runID: String? { get }
  func stop(_ reason: StopReason)
  func waitUntilEnded() async
  func watched(in environment: CallEnvironment) async throws(HoneError) -> JSONObject
}

/// One job under way, apart from whoever asked for it: requests start it, watch it, stop it and leave.
package final class RunningJob<Output: JobResult>: UnderWay {
  private struct State {
    var stop: StopReason?
    var cancel: (@Sendable () -> Void)?
    var outcome: Result<Output, HoneError>?
    var waiting: [AsyncStream<Never>.Continuation] = []
  }

  package let runID: String?
  let watchers = Watchers()
  private let state = Mutex(State())

  init(runID: String?) { self.runID = runID }

  /// Does the job in a task of its own, then calls `end`.
  func begin(_ runner: JobRunner<some Job<Output>>, end: @escaping @Sendable () -> Void) {
    Task.detached {
      let outcome = await runner(self)
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

  /// Ends the job before its time; the first reason counts.
  package func stop(_ reason: StopReason) {
    let cancel = state.withLock { state in
      if state.stop == nil { state.stop = reason }
      return state.cancel
    }
    cancel?()
  }

  /// Why it was stopped, if it was.
  var stopReason: StopReason? { state.withLock { $0.stop } }

  /// Waits until the job has ended, or the task is cancelled.
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

  private var outcome: Result<Output, HoneError>? { state.withLock { $0.outcome } }

  /// The result for the request that started it, which stops it when it is cancelled.
  package func attended(in environment: CallEnvironment) async throws(HoneError) -> Output {
    if let sink = environment.progress { watchers.add(sink) }
    await withTaskCancellationHandler {
      await Task { await waitUntilEnded() }.value
    } onCancel: {
      stop(environment.peer?.isGone == true ? .clientGone : .request)
    }
    let result = try result(isCancelled: Task.isCancelled)
    // A client that has only closed its side still reads: what it hears is that it was needed.
    if let error = result.ending.error, error.kind == .clientGone {
      throw HoneError(
        .clientGone, error.message, remedy: error.remedy, details: runID.map { ["runId": $0] } ?? [:])
    }
    return result
  }

  /// The result for somebody who only looks on: who is cancelled leaves, and the job goes on.
  func watched(in environment: CallEnvironment) async throws(HoneError) -> JSONObject {
    let seat = environment.progress.map { watchers.add($0) }
    defer { if let seat { watchers.remove(seat) } }
    await waitUntilEnded()
    return try result(isCancelled: outcome == nil).given
  }

  private func result(isCancelled: Bool) throws(HoneError) -> Output {
    guard !isCancelled, let outcome else {
      throw HoneError(.cancelled, "The request was cancelled.", details: runID.map { ["runId": $0] } ?? [:])
    }
    return try outcome.get()
  }
}
