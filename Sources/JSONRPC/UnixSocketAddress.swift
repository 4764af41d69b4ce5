package import Failures
import Platform

/// `SOCK_STREAM` in the type that `socket` takes.
let streamSocketType = Int32(SOCK_STREAM.rawValue)

/// The path of a Unix socket.
enum UnixSocketAddress {
  /// The longest path in bytes; the system's structure has room for one NUL besides.
  static let maximumLength = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Calls `body` with the address of `path`.
  ///
  /// - Throws: `invalidParams` if the path is empty, too long, or holds a NUL.
  static func with<Result>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) throws(HoneError) -> Result {
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, !bytes.contains(0) else {
      throw HoneError(.invalidParams, "\"\(path)\" is not a valid socket path.", remedy: "Name a file.")
    }
    guard bytes.count <= maximumLength else {
      throw HoneError(
        .invalidParams,
        "The socket path has \(bytes.count) bytes; the system takes at most \(maximumLength): \(path)",
        remedy: "Choose a shorter path, for example under /tmp or $XDG_RUNTIME_DIR.")
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// A new stream socket that child processes do not inherit.
  static func makeSocket() throws(HoneError) -> Int32 {
    let descriptor = socket(AF_UNIX, streamSocketType, 0)
    guard descriptor >= 0 else {
      throw HoneError(
        .internalError, "No socket could be opened: \(systemErrorText()).", remedy: "Raise the limit on open files.")
    }
    setFlags(descriptor, nonBlocking: false)
    return descriptor
  }
}

/// Who is at the other end of a Unix socket, as the kernel vouches for it.
package struct PeerCredentials: Sendable, Hashable {
  package let processID: Int32
  package let userID: UInt32

  init?(_ descriptor: Int32) {
    // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, which Glibc's module does not show.
    var words: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(12)
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &size) == 0, size == 12 else { return nil }
    processID = words.0
    userID = words.1
  }
}

/// The directories in which sockets lie.
package enum SocketPath {
  /// Makes sure that the directory of a socket is there, and that nobody else can put something in its place.
  ///
  /// Anyone can make entries in /tmp, so the directory beneath it must be a real one, owned by this user and
  /// writable by nobody else.
  ///
  /// - Throws: `storeUnavailable` if the directory cannot be made or is not safe.
  package static func prepareDirectory(of path: String) throws(HoneError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    var directory = ""
    for (depth, part) in parts.enumerated() {
      directory += depth == 0 ? String(part) : "/\(part)"
      guard !part.isEmpty, part != ".", part != ".." else { continue }
      let status = try makeDirectory(directory)
      if directory.hasPrefix("/tmp/"), depth == 2 { try check(directory, status) }
    }
  }

  private static func makeDirectory(_ directory: String) throws(HoneError) -> stat {
    var status = stat()
    if lstat(directory, &status) == 0 { return status }
    guard mkdir(directory, 0o700) == 0 || errno == EEXIST, lstat(directory, &status) == 0 else {
      throw HoneError(
        .storeUnavailable, "The directory \(directory) could not be made: \(systemErrorText()).",
        remedy: "Choose another path for the socket.")
    }
    return status
  }

  private static func check(_ directory: String, _ status: stat) throws(HoneError) {
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    guard isDirectory, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw HoneError(
        .storeUnavailable,
        """
        The directory \(directory) is not safe for a socket: it must be a real directory, owned by this user and \
        closed to others.
        """,
        remedy: "Run chmod 700 on it, or choose another path for the socket.")
    }
  }
}
