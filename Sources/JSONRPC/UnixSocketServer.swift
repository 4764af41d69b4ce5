package import Failures
import Platform
import Synchronization

/// Listens at the path of a Unix socket and hands out the connections of this user's processes.
///
/// One server a path: a lock file beside the socket keeps a second one away, a socket left over from a dead
/// server is replaced, a live one never. Socket and directory are for this user only (0600 and 0700), and the
/// kernel is asked who connects.
package final class UnixSocketServer: Sendable, EventSource {
  private struct State: Sendable {
    var descriptor: Int32
    var number: Int?
    var connections = 0
    /// Not accepting, for want of room, until a connection closes.
    var isFull = false
  }

  package let path: String
  private let loop: EventLoop
  private let lock: SocketLock
  private let identity: (device: UInt64, inode: UInt64)
  private let maximumConnections: Int
  private let state: Mutex<State>
  private let report: @Sendable (String) -> Void
  private let accepted: @Sendable (SocketStream) -> Void

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - maximumConnections: how many may be open at once; further ones wait to be accepted. In any case no more than
  ///     half of the descriptors that the process may have: the rest is for the work.
  ///   - report: hears of peers that were turned away and the like.
  ///   - accepted: is given each new stream, on the loop's thread, and must not wait.
  /// - Throws: `storeUnavailable` if another server has the path (its process id is in the message and in
  ///   `details.processId`) or the place is not usable; `invalidParams` if the path is too long.
  package init(
    path: String, loop: EventLoop, maximumConnections: Int = 4096,
    report: @escaping @Sendable (String) -> Void = { _ in },
    accepted: @escaping @Sendable (SocketStream) -> Void
  ) throws(HoneError) {
    try UnixSocketAddress.with(path) { _, _ in }
    try SocketPath.prepareDirectory(of: path)
    let lock = try SocketLock(path: path)
    let descriptor: Int32
    do throws(HoneError) {
      try Self.clearStale(path)
      descriptor = try Self.listen(at: path)
    } catch {
      lock.release()
      throw error
    }
    self.path = path
    self.loop = loop
    self.lock = lock
    self.maximumConnections = min(maximumConnections, max(8, OpenFiles.allowed / 2))
    self.report = report
    self.accepted = accepted
    identity = Self.identity(of: path) ?? (0, 0)
    state = Mutex(State(descriptor: descriptor))
    state.withLock { $0.number = loop.add(self, descriptor: descriptor, interest: .input) }
  }

  /// Stops listening and removes the socket if it is still ours; open connections go on.
  package func close() {
    let descriptor = state.withLock { state in
      defer { state.descriptor = -1 }
      if let number = state.number { loop.remove(number) }
      state.number = nil
      return state.descriptor
    }
    guard descriptor >= 0 else { return }
    if let now = Self.identity(of: path), now == identity { _ = unlink(path) }
    System.close(descriptor)
    lock.release()
  }

  /// Whether nobody is connected, nor waits to be.
  package var isUnused: Bool {
    state.withLock { state in
      guard state.connections == 0, state.descriptor >= 0 else { return false }
      var listening = pollfd(fd: state.descriptor, events: Int16(POLLIN), revents: 0)
      return poll(&listening, 1, 0) == 0
    }
  }

  // MARK: The path

  private static func identity(of path: String) -> (device: UInt64, inode: UInt64)? {
    var status = stat()
    return lstat(path, &status) == 0 ? (UInt64(status.st_dev), UInt64(status.st_ino)) : nil
  }

  /// Removes the socket of a server that is no more. The lock is held.
  private static func clearStale(_ path: String) throws(HoneError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw HoneError(
        .storeUnavailable, "\(path) exists already and is not a socket.",
        remedy: "Choose another path; the file was not touched.")
    }
    if let descriptor = try? UnixSocketClient.open(path) {
      let processID = PeerCredentials(descriptor)?.processID
      System.close(descriptor)
      throw SocketLock.alreadyServed(path, processID: processID)
    }
    guard unlink(path) == 0 || errno == ENOENT else {
      throw HoneError(
        .storeUnavailable, "The socket left over at \(path) could not be removed: \(systemErrorText()).",
        remedy: "Remove it, or choose another path.")
    }
  }

  private static func listen(at path: String) throws(HoneError) -> Int32 {
    let descriptor = try UnixSocketAddress.makeSocket()
    let isBound = try UnixSocketAddress.with(path) { bind(descriptor, $0, $1) == 0 }
    // Nobody can connect before `listen`, so the mode is right by the time anyone may.
    guard isBound, chmod(path, 0o600) == 0, System.listen(descriptor, 512) == 0 else {
      let reason = systemErrorText()
      System.close(descriptor)
      if isBound { _ = unlink(path) }
      throw HoneError(
        .storeUnavailable, "No socket could be opened at \(path): \(reason).", remedy: "Choose another path.")
    }
    setFlags(descriptor, nonBlocking: true)
    return descriptor
  }

  // MARK: On the loop's thread

  func ready(_ readiness: Readiness, scratch: UnsafeMutableRawBufferPointer) {
    // A bounded number at a time, so that a flood of connections leaves time for the open ones.
    for _ in 0..<64 {
      let listening = state.withLock { state in
        state.connections < maximumConnections ? state.descriptor : -1
      }
      guard listening >= 0 else { return setFull(true) }
      let descriptor = retrying { accept(listening, nil, nil) }
      guard descriptor >= 0 else {
        let reason = errno
        if reason == EMFILE || reason == ENFILE || reason == ENOMEM {
          report("no connection can be accepted: \(systemErrorText(reason))")
          setFull(true)
        }
        return
      }
      take(descriptor)
    }
  }

  private func take(_ descriptor: Int32) {
    guard let credentials = PeerCredentials(descriptor), credentials.userID == geteuid() else {
      report("a connection of another user was refused")
      System.close(descriptor)
      return
    }
    state.withLock { $0.connections += 1 }
    let stream = SocketStream(
      descriptor, peer: "process \(credentials.processID)", peerProcess: credentials.processID, loop: loop
    ) { [weak self] in self?.connectionClosed() }
    accepted(stream)
  }

  private func connectionClosed() {
    let wasFull = state.withLock { state in
      state.connections -= 1
      return state.isFull
    }
    if wasFull { setFull(false) }
  }

  private func setFull(_ isFull: Bool) {
    state.withLock { state in
      // With nothing open there would be nothing to wait for.
      state.isFull = isFull && state.connections > 0
      if let number = state.number { loop.setInterest(number, state.isFull ? [] : .input) }
    }
  }

  func loopStopped() { close() }
}
