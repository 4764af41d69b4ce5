package import Failures

/// Two directions of bytes to one peer: a socket, or a pair of file descriptors.
///
/// Calls to the delegate come from the stream's own threads, never from within a call to the stream.
package protocol ByteStream: AnyObject, Sendable {
  /// Who is at the other end, for logs.
  var peer: String { get }

  /// When the peer last took something of what is written, or there was nothing for it to take.
  var lastTaken: ContinuousClock.Instant { get }

  /// Begins reading. The stream keeps the delegate until it is closed.
  func start(_ delegate: any ByteStreamDelegate)

  /// Queues bytes behind those queued before; never waits. Answers how many bytes are now waiting;
  /// where that is not 0, `streamDrained` follows once it is.
  func write(_ bytes: [UInt8]) -> Int

  /// Stops or resumes reading; while stopped, the peer feels it.
  func setReading(_ on: Bool)

  /// Writes what is queued, then closes.
  func finish()

  /// Closes at once.
  func abort()
}

/// Who hears of what a `ByteStream` reads and of its end.
package protocol ByteStreamDelegate: AnyObject, Sendable {
  /// Bytes came; the buffer is valid during the call.
  func streamReceived(_ bytes: UnsafeRawBufferPointer)
  /// The peer sends nothing more, but may still read.
  func streamInputEnded()
  /// Everything that was queued has been written.
  func streamDrained()
  /// The stream is closed, by either side; called once, last. The error says why, if it is one.
  func streamClosed(_ error: HoneError?)
}
