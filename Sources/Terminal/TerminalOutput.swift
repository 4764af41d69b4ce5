package import JSON
import Platform
import Synchronization

/// The only way to standard output and standard error for whatever a person or a script is to read.
///
/// Text is shown, never obeyed: what would control a terminal is made visible, whether a terminal is there or a pipe that
/// may end at one. On a terminal, standard error may have a status line at its end, which other lines push down.
package final class TerminalOutput: Sendable {
  package static let standard = TerminalOutput(STDOUT_FILENO)
  package static let errors = TerminalOutput(STDERR_FILENO)

  private struct State {
    /// The columns of the status line that is drawn.
    var statusWidth = 0
    var failure: String?
  }

  private let descriptor: Int32
  package let isTerminal: Bool
  private let state = Mutex(State())

  private init(_ descriptor: Int32) {
    self.descriptor = descriptor
    isTerminal = isatty(descriptor) == 1
  }

  /// How many columns the terminal has now; 80 where it does not say.
  package var columns: Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Why something could not be written, if anything could not: a full disk. A reader that has gone is no failure.
  package var failure: String? { state.withLock { $0.failure } }

  /// Writes text, which may have several lines, and a newline.
  package func line(_ text: String) { put(text.visible + "\n") }

  /// Writes a message that another's text may be part of: its further lines are set in.
  package func paragraph(_ text: String) { put(text.visibleParagraph + "\n") }

  /// Writes a value as JSON, and a newline.
  package func json(_ value: JSONValue, _ layout: JSONWriter.Layout = .indented) {
    put(value.text(layout).visibleJSON + "\n")
  }

  /// Writes whole lines of JSON that are data: as they are, but on a terminal with what would control it escaped, which
  /// means the same.
  ///
  /// - Returns: why they could not be written; nil if they were.
  package func data(_ bytes: [UInt8]) -> String? {
    put(isTerminal ? Array(String(decoding: bytes, as: UTF8.self).visibleJSON.utf8) : bytes)
    return failure
  }

  // MARK: The status line

  /// Draws the status line anew, cut so that it never takes more than one line of the terminal.
  package func status(_ text: (_ columns: Int) -> String) {
    // Behind the last column some terminals begin a new line.
    let room = max(1, columns - 1)
    let line = text(room).visibleLine.cut(toWidth: room)
    state.withLock { state in
      let width = line.displayWidth
      let padding = String(repeating: " ", count: max(0, min(state.statusWidth, room) - width))
      write("\r" + line + padding, &state)
      state.statusWidth = width
    }
  }

  /// Takes the status line away.
  package func clearStatus() { state.withLock { clearStatus(&$0) } }

  /// Goes to a line of its own from wherever a key that was pressed has put the cursor.
  package func breakLine() {
    guard isTerminal else { return }
    state.withLock { state in
      write("\n", &state)
      state.statusWidth = 0
    }
  }

  private func clearStatus(_ state: inout State) {
    guard state.statusWidth > 0 else { return }
    write("\r" + String(repeating: " ", count: min(state.statusWidth, max(1, columns - 1))) + "\r", &state)
    state.statusWidth = 0
  }

  // MARK: Writing

  private func put(_ text: String) { put(Array(text.utf8)) }

  private func put(_ bytes: [UInt8]) {
    // Both may be the same terminal.
    if self !== Self.errors, isTerminal { Self.errors.clearStatus() }
    state.withLock { state in
      clearStatus(&state)
      write(bytes, &state)
    }
  }

  private func write(_ text: String, _ state: inout State) { write(Array(text.utf8), &state) }

  private func write(_ bytes: [UInt8], _ state: inout State) {
    guard state.failure == nil else { return }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { unsafe in
        System.write(descriptor, unsafe.baseAddress?.advanced(by: written), unsafe.count - written)
      }
      if count > 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Whoever shares the terminal may have told it not to wait.
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = Platform.poll(&poll, 1, -1)
      case EPIPE: return
      case let number:
        state.failure = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return
      }
    }
  }
}
