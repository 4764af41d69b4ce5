package import Failures
import Platform

/// The asking side of a Unix socket.
package enum UnixSocketClient {
  /// Connects to the server at `path`.
  ///
  /// - Throws: `notFound` where nobody listens there, `invalidParams` for an impossible path.
  package static func connect(to path: String, loop: EventLoop) throws(HoneError) -> SocketStream {
    SocketStream(try open(path), peer: path, loop: loop)
  }

  /// A connected socket, in blocking mode.
  static func open(_ path: String) throws(HoneError) -> Int32 {
    let descriptor = try UnixSocketAddress.makeSocket()
    var isConnected = false
    var reason: Int32 = 0
    do throws(HoneError) {
      isConnected = try UnixSocketAddress.with(path) { address, length in
        retrying { System.connect(descriptor, address, length) } == 0
      }
      reason = errno
    } catch {
      _ = close(descriptor)
      throw error
    }
    guard isConnected else {
      _ = close(descriptor)
      let what =
        switch reason {
        case ENOENT: "There is no socket at \(path)."
        case ECONNREFUSED: "Nobody listens at \(path); the file is left over from a server that has ended."
        case EACCES: "The socket at \(path) belongs to another user."
        default: "The socket at \(path) could not be reached: \(systemErrorText(reason))."
        }
      throw HoneError(.notFound, what, remedy: "Start a server with: hone serve --socket \(path)")
    }
    return descriptor
  }
}
