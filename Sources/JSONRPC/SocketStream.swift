package import Failures
import Platform
import Synchronization

/// A connected stream socket, served by an `EventLoop`.
///
/// Writes go to the socket at once, from whatever thread; what it does not take is kept and written when it
/// can. The descriptor is closed on the loop's thread only, under the lock that writers hold.
package final class SocketStream: ByteStream, EventSource {
  private struct State: Sendable {
    /// -1 once closed.
    var descriptor: Int32
    /// The loop's number for it, once started.
    var number: Int?
    var delegate: (any ByteStreamDelegate)?
    var pending: [UInt8] = []
    /// How much of `pending` has been written.
    var written = 0
    var lastTaken = ContinuousClock.now
    var isReading = true
    var inputEnded = false
    var isFinishing = false
    /// The sending side is to be closed when all is written.
    var endsOutput = false
    /// The peer takes nothing any more; what is written is thrown away.
    var isBroken = false

    var isDrained: Bool { written == pending.count }

    var interest: Readiness {
      var interest: Readiness = []
      if isReading, !inputEnded, !isFinishing { interest.insert(.input) }
      if !isDrained { interest.insert(.output) }
      return interest
    }
  }

  package let peer: String
  /// The process at the other end, where the kernel told.
  package let peerProcess: Int32?
  private let loop: EventLoop
  private let state: Mutex<State>
  private let onClose: @Sendable () -> Void

  /// Takes over a connected socket.
  package init(
    _ descriptor: Int32, peer: String, peerProcess: Int32? = nil, loop: EventLoop,
    onClose: @escaping @Sendable () -> Void = {}
  ) {
    setFlags(descriptor, nonBlocking: true)
    self.peer = peer
    self.peerProcess = peerProcess
    self.loop = loop
    self.onClose = onClose
    state = Mutex(State(descriptor: descriptor))
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { _ = close(descriptor) }
  }

  /// Two streams joined to each other, inside the process.
  ///
  /// - Throws: `internalError` if the system has no descriptor left.
  package static func pair(loop: EventLoop) throws(HoneError) -> (SocketStream, SocketStream) {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, streamSocketType, 0, &ends) == 0 else {
      throw HoneError(.internalError, "No pair of sockets could be opened: \(systemErrorText()).")
    }
    return (
      SocketStream(ends[0], peer: "in process", loop: loop), SocketStream(ends[1], peer: "in process", loop: loop)
    )
  }

  package var lastTaken: ContinuousClock.Instant { state.withLock { $0.isDrained ? .now : $0.lastTaken } }

  package func start(_ delegate: any ByteStreamDelegate) {
    let isStarted = state.withLock { state in
      guard state.descriptor >= 0, state.number == nil else { return true }
      state.delegate = delegate
      state.number = loop.add(self, descriptor: state.descriptor, interest: state.interest)
      return state.number != nil
    }
    if !isStarted { tearDown(nil) }
  }

  package func write(_ bytes: [UInt8]) -> Int {
    state.withLock { state in
      guard state.descriptor >= 0, !state.isBroken, !state.isFinishing else { return 0 }
      if state.isDrained {
        state.pending = bytes
        state.written = 0
        state.lastTaken = .now
        send(&state)
      } else {
        state.pending.append(contentsOf: bytes)
      }
      updateInterest(state)
      return state.pending.count - state.written
    }
  }

  package func setReading(_ on: Bool) {
    state.withLock { state in
      state.isReading = on
      updateInterest(state)
    }
  }

  package func finish() {
    let isDone = state.withLock { state in
      state.isFinishing = true
      updateInterest(state)
      return state.isDrained
    }
    if isDone { loop.perform { [self] in tearDown(nil) } }
  }

  package func abort() { loop.perform { [self] in tearDown(nil) } }

  /// Closes the sending side only: the peer sees the end of input and can still answer. For clients that
  /// have asked all they wanted; what is queued is written first.
  package func endOutput() {
    state.withLock { state in
      state.endsOutput = true
      send(&state)
      updateInterest(state)
    }
  }

  private func updateInterest(_ state: State) {
    if let number = state.number { loop.setInterest(number, state.interest) }
  }

  /// Writes what the socket takes. Under the lock.
  private func send(_ state: inout State) {
    guard state.descriptor >= 0 else { return }
    while !state.isDrained {
      let start = state.written
      let count = state.pending.withUnsafeBytes { bytes in
        System.send(
          state.descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count > 0 {
        state.written += count
        if !state.isDrained { state.lastTaken = .now }
      } else if count == -1, errno == EINTR {
        continue
      } else {
        if errno != EAGAIN {
          state.isBroken = true
          state.written = state.pending.count
        }
        break
      }
    }
    if state.isDrained {
      state.pending = []
      state.written = 0
      if state.endsOutput { _ = shutdown(state.descriptor, Int32(SHUT_WR)) }
    } else if state.written > 1 << 20 {
      state.pending.removeFirst(state.written)
      state.written = 0
    }
  }

  // MARK: On the loop's thread

  func ready(_ readiness: Readiness, scratch: UnsafeMutableRawBufferPointer) {
    if readiness.contains(.output) {
      let (isDrained, isDone, delegate) = state.withLock { state in
        send(&state)
        updateInterest(state)
        return (state.isDrained, state.isDrained && state.isFinishing, state.delegate)
      }
      if isDone { return tearDown(nil) }
      if isDrained { delegate?.streamDrained() }
    }
    let wantsInput = state.withLock { $0.interest.contains(.input) }
    if readiness.contains(.input), wantsInput {
      read(into: scratch, isGone: !readiness.isDisjoint(with: .hangUp))
    } else if !readiness.isDisjoint(with: .hangUp) {
      tearDown(nil)
    }
  }

  private func read(into scratch: UnsafeMutableRawBufferPointer, isGone: Bool) {
    let (descriptor, delegate) = state.withLock { ($0.descriptor, $0.delegate) }
    guard descriptor >= 0 else { return }
    let count = retrying { recv(descriptor, scratch.baseAddress, scratch.count, 0) }
    if count > 0 {
      delegate?.streamReceived(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    } else if count == 0 {
      state.withLock { state in
        state.inputEnded = true
        updateInterest(state)
      }
      if isGone { tearDown(nil) } else { delegate?.streamInputEnded() }
    } else if errno != EAGAIN {
      tearDown(nil)
    }
  }

  func loopStopped() { tearDown(nil) }

  private func tearDown(_ error: HoneError?) {
    let delegate: (any ByteStreamDelegate)?? = state.withLock { state in
      guard state.descriptor >= 0 else { return nil }
      if let number = state.number { loop.remove(number) }
      if !state.inputEnded { Self.discardInput(state.descriptor) }
      _ = close(state.descriptor)
      state.descriptor = -1
      state.pending = []
      state.written = 0
      defer { state.delegate = nil }
      return .some(state.delegate)
    }
    guard let delegate else { return }
    onClose()
    delegate?.streamClosed(error)
  }

  /// Unread input would make the peer see a reset instead of our last words.
  private static func discardInput(_ descriptor: Int32) {
    withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) { scratch in
      for _ in 0..<64 where recv(descriptor, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT)) <= 0 { return }
    }
  }
}
