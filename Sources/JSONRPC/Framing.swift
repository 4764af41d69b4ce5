/// How messages are told apart on a connection.
package enum Framing: Sendable, Hashable {
  /// One JSON text a line.
  case lines
  /// The base protocol of LSP: `Content-Length: N`, a blank line, N bytes.
  case headers

  /// Appends the frame of one JSON text (which holds no line break) to `output`.
  ///
  /// The header is written exactly as the pickiest peers want it: that case, one space, nothing else.
  package func append(_ text: [UInt8], to output: inout [UInt8]) {
    switch self {
    case .lines:
      output.append(contentsOf: text)
      output.append(0x0A)
    case .headers:
      output.append(contentsOf: "Content-Length: \(text.count)\r\n\r\n".utf8)
      output.append(contentsOf: text)
    }
  }
}

/// The sizes beyond which a connection refuses, waits or closes. All in bytes unless said.
package struct ConnectionLimits: Sendable {
  /// The longest message taken.
  package var message = 64 << 20
  /// The longest message that is read and thrown away for being too long; a longer one ends the connection.
  package var discardedMessage = 1 << 30
  package var headerLine = 8 << 10
  package var headerBlock = 64 << 10
  /// Entries in a batch.
  package var batchEntries = 1000
  /// The answer to one batch; entries beyond it become errors.
  package var batchAnswer = 64 << 20
  /// Requests of a lane being worked on at once; further ones wait in the backlog.
  package var requestsInFlight = 256
  /// Requests that were read and wait for their turn; beyond it reading stops, unless the peer owes us answers.
  package var backlog = 4 << 20
  /// The same while the peer owes us answers; beyond it further requests are refused.
  package var backlogWhileAsking = 32 << 20
  /// What waits to be written; beyond it no request is read or started.
  package var outgoing = 16 << 20

  package init() {}
}
