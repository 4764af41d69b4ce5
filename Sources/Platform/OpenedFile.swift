/// A regular file that is read from front to back, with a bound on its size.
package final class OpenedFile {
  private let descriptor: Int32
  private let maximumBytes: Int
  private var bytesRead = 0
  /// In bytes, as it was when it was opened.
  package let size: Int

  package init(_ path: String, maximumBytes: Int, trust: LocalFile.Trust = .anybody) throws(LocalFile.Failure) {
    // O_NONBLOCK keeps a named pipe from holding the reader for ever.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (trust == .secret ? O_NOFOLLOW : 0))
    self.maximumBytes = maximumBytes
    guard descriptor >= 0 else {
      throw LocalFile.Failure(reason: LocalFile.lastError, isAbsent: errno == ENOENT || errno == ENOTDIR)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw LocalFile.Failure(reason: LocalFile.lastError) }
    size = Int(status.st_size)
    guard status.st_mode & S_IFMT == S_IFREG else { throw LocalFile.Failure(reason: "it is not a regular file") }
    if trust == .written, status.st_mode & 0o022 != 0 || status.st_uid != geteuid() {
      throw LocalFile.Failure(reason: "other users can write to it")
    }
    if trust == .secret, status.st_mode & 0o077 != 0 { throw LocalFile.Failure(reason: "other users can read it") }
    guard size <= maximumBytes else {
      throw LocalFile.Failure(reason: "it has \(size) bytes, more than the \(maximumBytes) allowed")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The next bytes, `count` of them unless the file ends; none at its end.
  package func read(_ count: Int) throws(LocalFile.Failure) -> [UInt8] {
    var failure: LocalFile.Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let part = System.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
        if part < 0 && errno == EINTR { continue }
        if part < 0 { failure = LocalFile.Failure(reason: LocalFile.lastError) }
        guard part > 0 else { return }
        filled += part
      }
    }
    if let failure { throw failure }
    bytesRead += bytes.count
    guard bytesRead <= maximumBytes else {
      throw LocalFile.Failure(reason: "it has more than the \(maximumBytes) bytes allowed")
    }
    return bytes
  }

  /// Goes back to the front.
  package func rewind() throws(LocalFile.Failure) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw LocalFile.Failure(reason: LocalFile.lastError) }
    bytesRead = 0
  }
}
