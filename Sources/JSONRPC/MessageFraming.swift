import Platform

/// Cuts a stream of bytes into messages: a value that is fed chunks and asked for what they hold.
///
/// The first byte that is not white space decides the framing for good. A byte that can begin a header's
/// name starts the base protocol of LSP; any other (such as `{` and `[`) starts lines. A byte order mark before it, as
/// PowerShell writes it, is passed over.
///
///     {"jsonrpc":…}\n{"jsonrpc":…}\n          Content-Length: 52\r\n\r\n{"jsonrpc":…}Content-Length: …
///
/// No input makes it trap, and it holds at most one message and one chunk.
package struct MessageFraming: Sendable {
  package enum Event: Sendable, Hashable {
    /// The text of one message, not yet looked into.
    case message([UInt8])
    /// Something was passed over that must be answered with this error; the stream goes on.
    case refused(RPCError)
    /// The place in the stream is lost: answer with this error, then close. Nothing follows.
    case fatal(RPCError)
  }

  private enum State: Sendable {
    case undecided
    case line
    /// Passing over the rest of a message that was spread over several lines: how many brackets are open.
    case spread(open: Int)
    /// Passing over the rest of a line that was too long.
    case discardingLine
    case header(HeaderBlock)
    case body(length: Int)
    /// Passing over a body; the refusal is due when it is over.
    case discardingBody(remaining: Int, RPCError)
    case dead
  }

  /// The framing, once known.
  package private(set) var framing: Framing?
  private let limits: ConnectionLimits
  private var state: State
  private var buffer: [UInt8] = []
  /// The bytes before this index have been used.
  private var start = 0
  /// The bytes before this index hold no line break.
  private var scanned = 0

  /// - Parameter framing: the framing if it is not to be found out.
  package init(limits: ConnectionLimits = ConnectionLimits(), framing: Framing? = nil) {
    self.limits = limits
    self.framing = framing
    state =
      switch framing {
      case nil: .undecided
      case .lines: .line
      case .headers: .header(HeaderBlock())
      }
  }

  /// The bytes that were fed and not used yet.
  package var bufferedBytes: Int { buffer.count - start }

  /// Takes in a chunk of any length.
  package mutating func feed(_ bytes: some Sequence<UInt8>) {
    if case .dead = state { return }
    buffer.append(contentsOf: bytes)
  }

  /// The next event, or nil if more bytes are needed.
  package mutating func next() -> Event? {
    while true {
      switch state {
      case .undecided:
        guard decideFraming() else { return nil }
      case .line:
        guard let line = takeLine() else { return overlongLine() }
        guard line.count <= limits.message else { return .refused(tooLong(nil)) }
        if line.allSatisfy(Self.isBlank) { continue }
        let open = Self.openBrackets(line)
        guard open > 0 else { return .message(line) }
        state = .spread(open: open)
        return .refused(
          RPCError(
            .parseError,
            "The message does not end on its line. Send each message as one line of JSON (jq -c), or put a Content-Length header before it."
          ))
      case .spread(let open):
        // What begins at the start of a line is a message of its own: lines within one are indented.
        if let first = buffer[start...].first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
          state = .line
          continue
        }
        guard let line = takeLine() else { return overlongLine() }
        let rest = open + Self.openBrackets(line)
        state = rest > 0 ? .spread(open: rest) : .line
      case .discardingLine:
        guard let end = findLineEnd() else {
          drop(buffer.count - start)
          return nil
        }
        drop(end + 1 - start)
        state = .line
      case .header(let block):
        guard let event = readHeaderLine(block) else { return nil }
        if case .event(let event) = event { return event }
      case .body(let length):
        guard buffer.count - start >= length else { return nil }
        let body = Array(buffer[start..<start + length])
        drop(length)
        state = .header(HeaderBlock())
        return .message(body)
      case .discardingBody(let remaining, let refusal):
        let passed = min(remaining, buffer.count - start)
        drop(passed)
        guard passed == remaining else {
          state = .discardingBody(remaining: remaining - passed, refusal)
          return nil
        }
        state = .header(HeaderBlock())
        return .refused(refusal)
      case .dead:
        return nil
      }
    }
  }

  /// What the end of input leaves: a last line without a line break, or the news that a message was cut short.
  /// To be called once `next()` answers nil.
  package mutating func finish() -> Event? {
    defer {
      state = .dead
      buffer = []
      start = 0
    }
    let rest = buffer[start...]
    let cutShort = Event.fatal(RPCError(.parseError, "The input ended inside a message."))
    switch state {
    case .line:
      return rest.allSatisfy(Self.isBlank) ? nil : .message(Array(rest))
    case .spread:
      return nil
    case .header(let block):
      return block.isEmpty && rest.allSatisfy(Self.isBlank) ? nil : cutShort
    case .body, .discardingBody:
      return cutShort
    case .undecided, .discardingLine, .dead:
      return nil
    }
  }

  // MARK: The first byte

  private mutating func decideFraming() -> Bool {
    guard let first = buffer[start...].firstIndex(where: { !Self.isBlank($0) }) else {
      drop(buffer.count - start)
      return false
    }
    drop(first - start)
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    if buffer[start...].starts(with: mark) {
      drop(mark.count)
      return !buffer[start...].isEmpty
    }
    if mark.starts(with: buffer[start...]), !buffer[start...].isEmpty { return false }
    if let byte = buffer[start...].first, HeaderBlock.isTokenByte(byte) {
      framing = .headers
      state = .header(HeaderBlock())
    } else {
      framing = .lines
      state = .line
    }
    return true
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  // MARK: Lines

  /// How many more brackets a text opens than it closes, those in strings aside.
  private static func openBrackets(_ text: [UInt8]) -> Int {
    // Nearly every message ends with the bracket that it began with.
    guard let last = text.last(where: { !isBlank($0) }) else { return 0 }
    if text.first == UInt8(ascii: "{"), last == UInt8(ascii: "}") { return 0 }
    if text.first == UInt8(ascii: "["), last == UInt8(ascii: "]") { return 0 }
    var open = 0
    var isString = false
    var isEscaped = false
    for byte in text {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\") where isString: isEscaped = true
      case UInt8(ascii: "\""): isString.toggle()
      case UInt8(ascii: "{"), UInt8(ascii: "["): if !isString { open += 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"): if !isString { open -= 1 }
      default: break
      }
    }
    // Within a string that never ends nothing can be told.
    return isString ? 0 : open
  }

  /// The index of the next `\n`, if it has come.
  private mutating func findLineEnd() -> Int? {
    let from = max(scanned, start)
    let found: Int? = buffer.withUnsafeBytes { bytes in
      guard from < bytes.count, let base = bytes.baseAddress,
        let place = memchr(base + from, 0x0A, bytes.count - from)
      else { return nil }
      return UnsafeRawPointer(place) - base
    }
    if found == nil { scanned = buffer.count }
    return found
  }

  /// The next line without its `\n`, if its end has come.
  private mutating func takeLine() -> [UInt8]? {
    guard let end = findLineEnd() else { return nil }
    let line = Array(buffer[start..<end])
    drop(end + 1 - start)
    return line
  }

  private mutating func overlongLine() -> Event? {
    guard buffer.count - start > limits.message else { return nil }
    drop(buffer.count - start)
    state = .discardingLine
    return .refused(tooLong(nil))
  }

  private func tooLong(_ length: Int?) -> RPCError {
    let size = length.map { " of \($0) bytes" } ?? ""
    return RPCError(.invalidRequest, "The message\(size) is longer than the \(limits.message) bytes accepted here.")
  }

  // MARK: Headers

  private enum HeaderStep {
    case proceed
    case event(Event)
  }

  private mutating func readHeaderLine(_ block: HeaderBlock) -> HeaderStep? {
    var block = block
    guard var line = takeLine() else {
      return buffer.count - start > limits.headerLine ? die(overlongHeader) : nil
    }
    block.size += line.count + 1
    guard line.count <= limits.headerLine, block.size <= limits.headerBlock else { return die(overlongHeader) }
    if line.last == 0x0D { line.removeLast() }
    guard line.isEmpty else {
      if let error = block.take(line[...]) { return die(error) }
      state = .header(block)
      return .proceed
    }
    // Stray line breaks between messages are harmless, and common with hand-made frames.
    if block.isEmpty { return .proceed }
    guard let length = block.length else {
      return die(RPCError(.parseError, "The header has no Content-Length."))
    }
    if let refusal = block.refusal, length <= limits.discardedMessage {
      state = .discardingBody(remaining: length, refusal)
    } else if length <= limits.message {
      state = .body(length: length)
    } else if length <= limits.discardedMessage {
      state = .discardingBody(remaining: length, tooLong(length))
    } else {
      return die(tooLong(length))
    }
    return .proceed
  }

  private var overlongHeader: RPCError {
    RPCError(
      .parseError,
      "A header line has at most \(limits.headerLine) bytes, a header block at most \(limits.headerBlock).")
  }

  private mutating func die(_ error: RPCError) -> HeaderStep {
    state = .dead
    buffer = []
    start = 0
    scanned = 0
    return .event(.fatal(error))
  }

  // MARK: The buffer

  private mutating func drop(_ count: Int) {
    start += count
    if start == buffer.count {
      // Give a large buffer back, keep a small one.
      if buffer.capacity > 1 << 20 { buffer = [] } else { buffer.removeAll(keepingCapacity: true) }
      start = 0
    } else if start > 1 << 16, start > buffer.count / 2 {
      buffer.removeFirst(start)
      start = 0
    }
    scanned = start
  }
}
