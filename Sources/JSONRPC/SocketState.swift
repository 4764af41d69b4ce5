import Failures
import Platform

/// What stands at the path of a socket, found out without disturbing it.
package enum SocketState: Sendable, Hashable {
  case absent
  /// A server answers there; its process where that can be told.
  case live(processID: Int32?)
  /// Left over from a server that is gone.
  case stale
  /// Something that is no socket of this user's, in words.
  case foreign(String)
}

extension SocketPath {
  package static func state(of path: String) -> SocketState {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      return errno == ENOENT || errno == ENOTDIR ? .absent : .foreign("cannot be examined: \(systemErrorText())")
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else { return .foreign("is no socket") }
    guard status.st_uid == geteuid() else { return .foreign("belongs to user \(status.st_uid)") }
    guard let descriptor = try? UnixSocketClient.open(path) else { return .stale }
    defer { _ = close(descriptor) }
    return .live(processID: PeerCredentials(descriptor)?.processID)
  }

  /// Removes a socket that is left over; false where it is not, or a server is about to take its place.
  package static func removeStale(_ path: String) -> Bool {
    guard let lock = try? SocketLock(path: path) else { return false }
    defer { lock.release() }
    return state(of: path) == .stale && unlink(path) == 0
  }
}
