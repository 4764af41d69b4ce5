/// The right to change something that several processes may change: a lock on a file of its own, which stays. It ends
/// with the process at the latest.
package struct FileLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock, or waits for it: who holds it has it for moments only.
  ///
  /// - Throws: if the file cannot be opened, or is locked for longer than `seconds`.
  package init(_ path: String, seconds: Int = 10) throws(LocalFile.Failure) {
    descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw LocalFile.Failure(reason: "its lock \(path) cannot be opened (error \(errno))")
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EINTR || errno == EWOULDBLOCK, .now < end else {
        let reason = errno == EWOULDBLOCK ? "another process holds its lock" : "locking failed with error \(errno)"
        close(descriptor)
        throw LocalFile.Failure(reason: "\(reason) (\(path))")
      }
      usleep(5000)
    }
  }

  package func release() { _ = close(descriptor) }
}
