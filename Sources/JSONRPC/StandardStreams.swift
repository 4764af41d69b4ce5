package import Failures
import Platform
import Synchronization

/// A pair of descriptors, as a stream: a thread that reads and a thread that writes.
///
/// Works with whatever a shell may put there: pipes, terminals, sockets, regular files, `/dev/null`. The
/// descriptors' modes are left alone, since other processes may share them.
package final class StandardStreams: ByteStream {
  private struct State: Sendable {
    var delegate: (any ByteStreamDelegate)?
    var isReading = true
    var pending: [UInt8] = []
    /// The writer holds this much of what was handed over.
    var beingWritten = 0
    var isFinishing = false
    var isClosed = false
    /// When the reader of the output last took something, or there was nothing for it.
    var lastTaken = ContinuousClock.now
  }

  /// How long, once the input has ended, the output may wait for a reader that takes nothing.
  private static let patience = Duration.seconds(3)
  /// The most bytes of one write, so that it shows that a slow reader takes something.
  private static let pieceSize = 16 << 10

  package let peer = "standard input"
  private let input: Int32
  private let output: Int32
  private let state = Mutex(State())
  private let readerPipe: WakePipe
  private let writerPipe: WakePipe

  /// - Parameters: descriptors to read from and to write to; they are not closed.
  /// - Throws: `internalError` if the system has no descriptor left.
  package init(input: Int32, output: Int32) throws(HoneError) {
    ignoreBrokenPipes()
    self.input = input
    self.output = output
    readerPipe = try WakePipe()
    writerPipe = try WakePipe()
  }

  /// Takes the process's standard input and output for the protocol alone: afterwards descriptor 0 is empty and
  /// descriptor 1 is standard error, so that nothing that prints or reads by accident can do harm. To be called
  /// once, before anything else runs.
  ///
  /// - Throws: `internalError` if standard input or output is not open.
  package static func claim() throws(HoneError) -> StandardStreams {
    let input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
    let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
    guard input >= 0, output >= 0 else {
      throw HoneError(
        .internalError, "Standard \(input < 0 ? "input" : "output") is not open.",
        remedy: "Start the service with both connected, or with --socket.")
    }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    _ = dup2(null, STDIN_FILENO)
    if dup2(STDERR_FILENO, STDOUT_FILENO) < 0 { _ = dup2(null, STDOUT_FILENO) }
    if null > STDERR_FILENO { System.close(null) }
    return try StandardStreams(input: input, output: output)
  }

  package var lastTaken: ContinuousClock.Instant { state.withLock { $0.beingWritten > 0 ? $0.lastTaken : .now } }

  package func start(_ delegate: any ByteStreamDelegate) {
    state.withLock { $0.delegate = delegate }
    do throws(HoneError) {
      try startThread { [self] in read() }
      try startThread { [self] in write() }
    } catch {
      close(error)
    }
  }

  package func write(_ bytes: [UInt8]) -> Int {
    let waiting = state.withLock { state in
      guard !state.isClosed, !state.isFinishing else { return 0 }
      if state.pending.isEmpty { state.pending = bytes } else { state.pending.append(contentsOf: bytes) }
      return state.pending.count + state.beingWritten
    }
    writerPipe.wake()
    return waiting
  }

  package func setReading(_ on: Bool) {
    state.withLock { $0.isReading = on }
    readerPipe.wake()
  }

  package func finish() {
    state.withLock { $0.isFinishing = true }
    writerPipe.wake()
  }

  package func abort() {
    // On a thread of its own, as the delegate is not called from within its calls.
    do throws(HoneError) { try startThread { [self] in close(nil) } } catch { close(error) }
  }

  private func close(_ error: HoneError?) {
    let delegate: (any ByteStreamDelegate)?? = state.withLock { state in
      guard !state.isClosed else { return nil }
      state.isClosed = true
      state.pending = []
      defer { state.delegate = nil }
      return .some(state.delegate)
    }
    guard let delegate else { return }
    readerPipe.wake()
    writerPipe.wake()
    delegate?.streamClosed(error)
  }

  // MARK: The reader

  private func read() {
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { scratch.deallocate() }
    // Whether the other end of the pipe is gone, though there may be something left to read.
    var hasEnded = false
    while true {
      let (isReading, isClosed, delegate) = state.withLock {
        ($0.isReading && !$0.isFinishing, $0.isClosed, $0.delegate)
      }
      if isClosed { return }
      // Where nothing is read, the end of a pipe shows all the same.
      var descriptors = [
        pollfd(fd: readerPipe.readEnd, events: Int16(POLLIN), revents: 0),
        pollfd(fd: hasEnded && !isReading ? -1 : input, events: isReading ? Int16(POLLIN) : 0, revents: 0),
      ]
      let ready = poll(&descriptors, nfds_t(descriptors.count), hasEnded ? 500 : -1)
      if hasEnded, isStuck { return close(nil) }
      guard ready > 0 else { continue }
      if descriptors[0].revents != 0 {
        readerPipe.clear()
        continue
      }
      guard isReading else {
        hasEnded = true
        continue
      }
      let count = System.read(input, scratch.baseAddress, scratch.count)
      if count > 0 {
        delegate?.streamReceived(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
      } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
        // EIO is what a terminal says that has been hung up; there is no input after any error.
        delegate?.streamInputEnded()
        return waitForEnd()
      }
    }
  }

  /// Sees, after the end of the input, that a reader that takes nothing keeps nobody here.
  private func waitForEnd() {
    while !state.withLock({ $0.isClosed }) {
      if isStuck { return close(nil) }
      var descriptors = [pollfd(fd: readerPipe.readEnd, events: Int16(POLLIN), revents: 0)]
      if poll(&descriptors, 1, 500) > 0 { readerPipe.clear() }
    }
  }

  private var isStuck: Bool {
    state.withLock { $0.beingWritten > 0 && .now - $0.lastTaken > Self.patience }
  }

  // MARK: The writer

  private func write() {
    while true {
      let (bytes, isFinishing, isClosed, delegate) = state.withLock { state in
        defer {
          state.beingWritten = state.pending.count
          state.pending = []
          state.lastTaken = .now
        }
        return (state.pending, state.isFinishing, state.isClosed, state.delegate)
      }
      if isClosed { return }
      if bytes.isEmpty {
        if isFinishing { return close(nil) }
        var descriptors = [pollfd(fd: writerPipe.readEnd, events: Int16(POLLIN), revents: 0)]
        _ = poll(&descriptors, 1, -1)
        writerPipe.clear()
        continue
      }
      guard writeAll(bytes) else { return close(nil) }
      let isDrained = state.withLock { state in
        state.beingWritten = 0
        return state.pending.isEmpty
      }
      if isDrained { delegate?.streamDrained() }
    }
  }

  /// Whether all of it was taken.
  private func writeAll(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceSize))
        let count = System.write(output, chunk.baseAddress, chunk.count)
        if count >= 0 {
          rest = rest.dropFirst(count)
          if !rest.isEmpty { state.withLock { $0.lastTaken = .now } }
        } else if errno == EAGAIN {
          var descriptor = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
          _ = poll(&descriptor, 1, 100)
          if state.withLock({ $0.isClosed }) { return false }
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}
