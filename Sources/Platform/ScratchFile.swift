/// A file without a name, for what is too much for memory: nobody else can open it, and it goes with the process.
package final class ScratchFile: Sendable {
  let descriptor: Int32

  /// Makes one in the directory that `$TMPDIR` names, else in `/var/tmp`, which is on a disk, else in `/tmp`.
  package init() throws(LocalFile.Failure) {
    let directories = [Environment.value("TMPDIR"), "/var/tmp", "/tmp"].compactMap(\.self)
    var failure = LocalFile.Failure(reason: "there is no directory for temporary files")
    for directory in directories {
      let path = "\(directory)/hone.\(getpid()).\(String(UInt64.random(in: .min ... .max), radix: 36))"
      let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard descriptor >= 0 else {
        failure = LocalFile.Failure(reason: "no file can be made in \(directory): \(LocalFile.lastError)")
        continue
      }
      unlink(path)
      self.descriptor = descriptor
      return
    }
    throw failure
  }

  deinit { close(descriptor) }

  /// Writes at the end.
  package func append(_ bytes: [UInt8]) throws(LocalFile.Failure) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { unsafe in
        write(descriptor, unsafe.baseAddress?.advanced(by: written), unsafe.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw LocalFile.Failure(reason: LocalFile.lastError) }
      written += count
    }
  }

  /// The bytes of that range, which must be there.
  package func read(_ range: Range<Int>) throws(LocalFile.Failure) -> [UInt8] {
    var failure: LocalFile.Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      while filled < range.count {
        let part = pread(
          descriptor, buffer.baseAddress.map { $0 + filled }, range.count - filled, off_t(range.lowerBound + filled))
        if part < 0 && errno == EINTR { continue }
        guard part > 0 else {
          failure = LocalFile.Failure(reason: part < 0 ? LocalFile.lastError : "it ends too early")
          return
        }
        filled += part
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
