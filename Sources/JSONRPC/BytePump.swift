package import Failures
import Platform

/// Joins a pair of descriptors to a socket: what comes in goes there, what comes from there goes out, byte for byte.
///
/// The end of the input closes the socket's sending side only, and answers go on coming: whoever has asked and closed
/// still hears everything. The pump ends when the socket's other side has closed.
package struct BytePump {
  let input: Int32
  let output: Int32
  let socket: Int32

  package init(input: Int32, output: Int32, socket: Int32) {
    self.input = input
    self.output = output
    self.socket = socket
  }

  /// Pumps until the other side of the socket has closed, or nobody takes the output any more.
  ///
  /// - Throws: `internalError` if the system has no thread left.
  package func run() throws(HoneError) {
    ignoreBrokenPipes()
    let (input, socket) = (input, socket)
    try startThread {
      _ = Self.copy(from: input, to: socket)
      _ = shutdown(socket, Int32(SHUT_WR))
    }
    guard Self.copy(from: socket, to: output) else {
      // Nobody reads: the service need not work on.
      _ = shutdown(socket, Int32(SHUT_RDWR))
      return
    }
  }

  /// Copies until the source ends; false if the target does first.
  private static func copy(from source: Int32, to target: Int32) -> Bool {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = retrying { read(source, buffer.baseAddress, buffer.count) }
      if count < 0, errno == EAGAIN {
        wait(source, POLLIN)
        continue
      }
      guard count > 0 else { return true }
      var rest = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      while !rest.isEmpty {
        let written = retrying { write(target, rest.baseAddress, rest.count) }
        if written >= 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        } else if errno == EAGAIN {
          wait(target, POLLOUT)
        } else {
          return false
        }
      }
    }
  }

  /// Waits on a descriptor that somebody else has set not to wait.
  private static func wait(_ descriptor: Int32, _ events: Int32) {
    var polled = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    _ = poll(&polled, 1, -1)
  }
}
