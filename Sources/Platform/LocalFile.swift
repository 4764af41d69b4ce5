/// Reads and writes whole local files with a bound on their size, without Foundation.
package enum LocalFile {
  /// Why a file could not be read, in words that end a sentence beginning with its path.
  package struct Failure: Error {
    package var reason: String
    /// Whether nothing stands at the path.
    package var isAbsent = false

    package init(reason: String, isAbsent: Bool = false) {
      self.reason = reason
      self.isAbsent = isAbsent
    }
  }

  /// Whose hands a file may have been in.
  package enum Trust: Sendable {
    case anybody
    /// Nobody but this user can write to it.
    case written
    /// Nobody but its owner can read it or write to it, and it is no link.
    case secret
  }

  /// All bytes of the regular file at `path`, at most `maximumBytes`.
  package static func read(
    _ path: String, maximumBytes: Int, trust: Trust = .anybody
  ) throws(Failure) -> [UInt8] {
    let file = try OpenedFile(path, maximumBytes: maximumBytes, trust: trust)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(file.size)
    while true {
      let part = try file.read(1 << 18)
      if part.isEmpty { return bytes }
      bytes += part
    }
  }

  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Makes the directory and those above it.
  package static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws(Failure) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += part
      if mkdir(made, mode) != 0 && errno != EEXIST { throw Failure(reason: lastError) }
      made += "/"
    }
  }

  /// Writes the file whole or not at all: beside its place first, then renamed.
  package static func writeAtomically(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(Failure) {
    let temporary = "\(path).\(getpid()).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw Failure(reason: lastError) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { unsafe in
        write(descriptor, unsafe.baseAddress?.advanced(by: written), unsafe.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let failure = Failure(reason: lastError)
        close(descriptor)
        unlink(temporary)
        throw failure
      }
      written += count
    }
    guard fsync(descriptor) == 0, close(descriptor) == 0, rename(temporary, path) == 0 else {
      let failure = Failure(reason: lastError)
      unlink(temporary)
      throw failure
    }
  }

  /// Writes a file whole where nothing stands yet, or not at all.
  package static func writeNew(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(Failure) {
    let temporary = "\(path).\(getpid()).new"
    try writeAtomically(bytes, to: temporary, mode: mode)
    defer { unlink(temporary) }
    guard link(temporary, path) == 0 else { throw Failure(reason: lastError) }
  }

  static var lastError: String {
    guard let text = strerror(errno) else { return "error \(errno)" }
    let reason = String(cString: text)
    return reason.prefix(1).lowercased() + reason.dropFirst()
  }

  /// `path` itself if it is absolute, else under `base`.
  package static func resolve(_ path: String, base: String) -> String {
    if path.hasPrefix("/") || base.isEmpty { return path }
    return base.hasSuffix("/") ? base + path : "\(base)/\(path)"
  }
}
