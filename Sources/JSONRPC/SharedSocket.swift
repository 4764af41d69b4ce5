import Basics
package import Failures
import Platform

/// The one service of a user for a store: where its socket is, and how to be connected to it without two being started.
///
/// A lock beside the socket is held, shared, by whoever connects, and alone by whoever starts the service and by a
/// service that is about to leave. So nobody finds a service that is just leaving, and of those who find none only one
/// starts it.
package struct SharedSocket: Sendable {
  /// The socket's path.
  package let path: String
  /// Where the service's log goes.
  package var logPath: String { path.dropLast(".sock".count) + ".log" }
  private var lockPath: String { path + ".turn" }

  /// - Parameters:
  ///   - home: the absolute path of the store's directory.
  ///   - directories: where sockets may lie, the best first.
  /// - Throws: `storeUnavailable` where none of the directories can be used.
  package init(home: String, directories: [String] = SharedSocket.directories()) throws(HoneError) {
    var failure: HoneError?
    for directory in directories {
      let path = "\(directory)/\(Self.name(of: home)).sock"
      guard path.utf8.count <= UnixSocketAddress.maximumLength else { continue }
      do throws(HoneError) {
        try Self.prepare(directory)
        self.path = path
        return
      } catch {
        failure = failure ?? error
      }
    }
    throw failure
      ?? HoneError(
        .storeUnavailable, "There is no directory for the service's socket whose path is short enough.",
        remedy: "Start a service with --socket PATH and name that path.")
  }

  /// `$XDG_RUNTIME_DIR/hone`, or the same where the variable is unset though the directory is there; else
  /// `~/.local/state/hone`.
  package static func directories() -> [String] {
    var candidates: [String] = []
    if let runtime = absolute("XDG_RUNTIME_DIR") {
      candidates.append(runtime + "/hone")
    } else if isOwnDirectory("/run/user/\(geteuid())") {
      candidates.append("/run/user/\(geteuid())/hone")
    }
    if let state = absolute("XDG_STATE_HOME") {
      candidates.append(state + "/hone")
    } else if let home = absolute("HOME")
      ?? getpwuid(geteuid()).flatMap({ $0.pointee.pw_dir }).map({ String(cString: $0) })
    {
      candidates.append(home + "/.local/state/hone")
    }
    return candidates
  }

  /// Where the socket of a store's service would be, the first that is there before all others; nothing is made.
  package static func likelyPath(home: String) -> String? {
    let paths = directories().map { "\($0)/\(name(of: home)).sock" }
    return paths.first { access($0, F_OK) == 0 } ?? paths.first
  }

  private static func absolute(_ variable: String) -> String? {
    guard let text = getenv(variable).map({ String(cString: $0) }), text.hasPrefix("/") else { return nil }
    return text
  }

  /// A short name that tells homes apart.
  private static func name(of home: String) -> String {
    let digits = String(fnv1a(home.utf8), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  // MARK: The directory

  private static func isOwnDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
  }

  /// Makes sure that the directory is there and this user's alone.
  private static func prepare(_ directory: String) throws(HoneError) {
    var made = ""
    for part in directory.split(separator: "/") {
      made += "/" + part
      if mkdir(made, 0o700) != 0, errno != EEXIST {
        throw HoneError(
          .storeUnavailable, "The directory \(made) could not be made: \(systemErrorText()).",
          remedy: "Start a service with --socket PATH and name that path.")
      }
    }
    var status = stat()
    guard isOwnDirectory(directory), lstat(directory, &status) == 0, status.st_mode & 0o077 == 0 else {
      throw HoneError(
        .storeUnavailable,
        "The directory \(directory) is not safe for a socket: it must be a real directory, this user's and closed to others.",
        remedy: "Run chmod 700 on it, or start a service with --socket PATH and name that path.")
    }
  }

  // MARK: Connecting

  /// A socket connected to the service, which is started where there is none.
  ///
  /// - Parameters:
  ///   - seconds: how long the service may take to come.
  ///   - start: starts it and answers its process; it must listen at `path`.
  /// - Throws: `storeUnavailable` if it does not come.
  package func connect(seconds: Int = 20, start: () throws(HoneError) -> Int32) throws(HoneError) -> Int32 {
    let end = DeadlineClock(seconds: seconds)
    let turn = try Turn(lockPath)
    defer { turn.release() }
    try turn.take(LOCK_SH, until: end)
    if let descriptor = try? UnixSocketClient.open(path) { return descriptor }
    try turn.take(LOCK_EX, until: end)
    // Another one may have started it in between.
    if let descriptor = try? UnixSocketClient.open(path) { return descriptor }
    let process = try start()
    while true {
      if let descriptor = try? UnixSocketClient.open(path) { return descriptor }
      var status: Int32 = 0
      let isGone = waitpid(process, &status, WNOHANG) == process
      guard !isGone, !end.isOver else {
        throw HoneError(
          .storeUnavailable, "The service \(isGone ? "ended at once" : "did not come within \(seconds) s").",
          remedy: "Its log says why: \(logPath)")
      }
      usleep(10_000)
    }
  }

  /// Keeps everybody from connecting, for a service that is about to leave; nil while somebody is connecting.
  ///
  /// The lock is held until the process ends, after which the next one may start a service.
  package func closeTheDoor() -> Door? {
    guard let turn = try? Turn(lockPath) else { return nil }
    guard turn.tryToTake(LOCK_EX) else {
      turn.release()
      return nil
    }
    return Door(turn: turn)
  }

  /// The right to leave.
  package struct Door: Sendable {
    fileprivate let turn: Turn
    /// Lets others connect again: the service stays.
    package func open() { turn.release() }
  }
}

/// A lock on a file, by which processes take turns.
private struct Turn: Sendable {
  private let descriptor: Int32

  init(_ path: String) throws(HoneError) {
    descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw HoneError(
        .storeUnavailable, "The lock file \(path) could not be opened: \(systemErrorText()).",
        remedy: "Start a service with --socket PATH and name that path.")
    }
  }

  func tryToTake(_ kind: Int32) -> Bool { retrying { flock(descriptor, kind | LOCK_NB) } == 0 }

  func take(_ kind: Int32, until end: DeadlineClock) throws(HoneError) {
    while !tryToTake(kind) {
      guard !end.isOver else {
        throw HoneError(
          .storeUnavailable, "Another process has been starting the service for too long.",
          remedy: "End that process, or start a service with --socket PATH and name that path.")
      }
      usleep(10_000)
    }
  }

  func release() { _ = close(descriptor) }
}

/// A moment some seconds from now.
private struct DeadlineClock {
  private let end: ContinuousClock.Instant
  init(seconds: Int) { end = .now + .seconds(seconds) }
  var isOver: Bool { .now >= end }
}
