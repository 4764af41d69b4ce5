import Failures
import Platform

/// The right to be the one server at a path: a lock on the file beside it, held until the process ends.
///
/// The file holds the server's process id. It is never removed: removing it would let two servers lock two
/// files of one name.
struct SocketLock: Sendable {
  private let descriptor: Int32

  /// - Throws: `storeUnavailable` if another server holds the path or the file cannot be opened.
  init(path: String) throws(HoneError) {
    let lockPath = path + ".lock"
    descriptor = open(lockPath, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw HoneError(
        .storeUnavailable, "The lock file \(lockPath) could not be opened: \(systemErrorText()).",
        remedy: "Choose another path for the socket.")
    }
    guard retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
      let owner = readOwner()
      release()
      throw Self.alreadyServed(path, processID: owner)
    }
    _ = ftruncate(descriptor, 0)
    let text = Array("\(getpid())\n".utf8)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  static func alreadyServed(_ path: String, processID: Int32?) -> HoneError {
    let who = processID.map { "process \($0)" } ?? "another process"
    return HoneError(
      .storeUnavailable, "A server already listens at \(path) (\(who)).",
      remedy: "Use that server, stop it, or choose another path.",
      details: processID.map { ["processId": String($0)] } ?? [:])
  }

  func release() { _ = close(descriptor) }

  private func readOwner() -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
