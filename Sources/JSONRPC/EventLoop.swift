package import Failures
import Platform
import Synchronization

/// What may be done with a descriptor without waiting, as `poll` says.
struct Readiness: OptionSet, Sendable {
  let rawValue: Int16
  static let input = Readiness(rawValue: Int16(POLLIN))
  static let output = Readiness(rawValue: Int16(POLLOUT))
  /// The peer has gone, or the descriptor is broken. Always told, never asked for.
  static let hangUp = Readiness(rawValue: Int16(POLLHUP) | Int16(POLLERR) | Int16(POLLNVAL))
}

/// A descriptor that an `EventLoop` watches.
protocol EventSource: AnyObject, Sendable {
  /// Called on the loop's thread. `scratch` is room to read into, valid during the call.
  func ready(_ readiness: Readiness, scratch: UnsafeMutableRawBufferPointer)
  /// The loop has stopped and watches nothing any more; called once, on its thread.
  func loopStopped()
}

/// One thread that waits for all sockets of the process at once.
package final class EventLoop: Sendable {
  private struct Watched: Sendable {
    let source: any EventSource
    let descriptor: Int32
    var interest: Readiness
  }

  private struct State: Sendable {
    var watched: [Int: Watched] = [:]
    var nextNumber = 0
    var jobs: [@Sendable () -> Void] = []
    /// Whether the thread's list of descriptors is out of date.
    var isChanged = true
    var isStopped = false
    var thread: pthread_t?
  }

  private static let scratchSize = 64 << 10
  private let state = Mutex(State())
  private let pipe: WakePipe

  /// Starts the thread.
  ///
  /// - Throws: `internalError` if the system has no descriptor or thread left.
  package init() throws(HoneError) {
    ignoreBrokenPipes()
    pipe = try WakePipe()
    try startThread { [self] in run() }
  }

  /// Ends the thread; the streams it serves are closed.
  package func stop() {
    state.withLock { $0.isStopped = true }
    pipe.wake()
  }

  /// Runs a job on the loop's thread. A loop that has stopped runs none: it tells its sources of its end.
  func perform(_ job: @escaping @Sendable () -> Void) {
    state.withLock { state in
      if !state.isStopped { state.jobs.append(job) }
    }
    pipe.wake()
  }

  /// Watches a descriptor; answers the number to name it by, or nil if the loop has stopped.
  func add(_ source: any EventSource, descriptor: Int32, interest: Readiness) -> Int? {
    let number: Int? = state.withLock { state in
      guard !state.isStopped else { return nil }
      state.nextNumber += 1
      state.watched[state.nextNumber] = Watched(source: source, descriptor: descriptor, interest: interest)
      return state.nextNumber
    }
    changed()
    return number
  }

  func setInterest(_ number: Int, _ interest: Readiness) {
    let isNew = state.withLock { state in
      guard let old = state.watched[number]?.interest, old != interest else { return false }
      state.watched[number]?.interest = interest
      return true
    }
    if isNew { changed() }
  }

  func remove(_ number: Int) {
    state.withLock { _ = $0.watched.removeValue(forKey: number) }
    changed()
  }

  private func changed() {
    let isOther = state.withLock { state in
      state.isChanged = true
      return state.thread != pthread_self()
    }
    if isOther { pipe.wake() }
  }

  private func run() {
    state.withLock { $0.thread = pthread_self() }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.scratchSize, alignment: 16)
    var descriptors: [pollfd] = []
    var numbers: [Int] = []
    while true {
      let (jobs, fresh, isStopped) = state.withLock { state in
        defer {
          state.jobs = []
          state.isChanged = false
        }
        return (state.jobs, state.isChanged ? state.watched : nil, state.isStopped)
      }
      for job in jobs { job() }
      if isStopped { break }
      if let fresh {
        descriptors = [pollfd(fd: pipe.readEnd, events: Readiness.input.rawValue, revents: 0)]
        numbers = [0]
        for (number, watched) in fresh {
          descriptors.append(pollfd(fd: watched.descriptor, events: watched.interest.rawValue, revents: 0))
          numbers.append(number)
        }
      }
      guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { continue }
      if descriptors[0].revents != 0 { pipe.clear() }
      for index in descriptors.indices.dropFirst() where descriptors[index].revents != 0 {
        // A source may have been removed since, by the one before it or by another thread.
        let source = state.withLock { $0.watched[numbers[index]]?.source }
        source?.ready(Readiness(rawValue: descriptors[index].revents), scratch: scratch)
      }
    }
    scratch.deallocate()
    let rest = state.withLock { state in
      defer { state.watched = [:] }
      return state.watched
    }
    for watched in rest.values { watched.source.loopStopped() }
  }
}
