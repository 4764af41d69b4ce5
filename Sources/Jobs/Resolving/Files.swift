package import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The bytes of a regular file of at most 64 MiB; nil if it cannot be read.
package func readFile(_ path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 64 << 20 else {
    return nil
  }
  var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
  var filled = 0
  while filled < bytes.count {
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
    guard count > 0 else { break }
    filled += count
  }
  bytes.removeLast(bytes.count - filled)
  return bytes
}

/// Writes a file whole, under another name first, so that nobody sees half of it.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws(HoneError) {
  func failed() -> HoneError {
    HoneError(
      .storeUnavailable, "\(path) cannot be written: \(String(cString: strerror(errno))).",
      remedy: "Check that the directory exists and may be written to.")
  }
  let temporary = path + ".\(getpid()).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw failed() }
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
    guard count > 0 else {
      let error = failed()
      close(descriptor)
      unlink(temporary)
      throw error
    }
    written += count
  }
  guard close(descriptor) == 0, rename(temporary, path) == 0 else {
    let error = failed()
    unlink(temporary)
    throw error
  }
}
