/// The sections of a model's reply: which text stands under which header.
///
/// A header `[[ ## name ## ]]` counts at the start of a line, indented or not; behind another header on the
/// same line, if it names an output; and set off in backticks or asterisks, if it is alone on its line.
/// Anywhere else it is text that quotes a header. Of several sections of one name the first counts.
/// Reads the bytes once, whatever they are.
struct ReplySections {
  /// Where the text under each output's header stands in the reply, trimmed; nil: there is no such header.
  private(set) var ranges: [Range<Int>?]

  private let bytes: UnsafeBufferPointer<UInt8>
  private let names: [[UInt8]]
  /// The section that is open: whose it is (nil: of no output), and where its text starts.
  private var open: (output: Int?, start: Int)?
  /// Where the line starts that the reading has come to.
  private var lineStart = 0

  /// - Parameters:
  ///   - bytes: the reply; must outlive this value.
  ///   - names: the outputs' names.
  init(_ bytes: UnsafeBufferPointer<UInt8>, names: [[UInt8]]) {
    self.bytes = bytes
    self.names = names
    ranges = Array(repeating: nil, count: names.count)
    var position = 0
    while position < bytes.count {
      switch bytes[position] {
      case 0x0A:
        lineStart = position + 1
        position += 1
      case UInt8(ascii: "["):
        position = take(at: position)
      default:
        position += 1
      }
    }
    close(at: bytes.count)
  }

  private mutating func close(at end: Int) {
    guard let open, let output = open.output, ranges[output] == nil else { return }
    ranges[output] = bytes.trimmedRange(open.start..<end)
  }

  /// Opens a section if a header begins at `start`; returns where to read on.
  private mutating func take(at start: Int) -> Int {
    guard let header = header(at: start) else { return start + 1 }
    let output = names.firstIndex { $0.elementsEqual(bytes[header.name]) }
    // Nothing but space before it, back to the line's start or to the header before it.
    let margin = max(lineStart, open?.start ?? 0)
    var before = start
    while before > margin, isSpace(bytes[before - 1]) { before -= 1 }
    if before == lineStart {
      close(at: start)
      open = (output, header.end)
      return header.end
    }
    if let open, open.start > lineStart, output != nil || isCompleted(header.name) {
      close(at: start)
      self.open = (output, header.end)
      return header.end
    }
    return takeSetOff(header, before: before, output: output)
  }

  /// A header within backticks or asterisks, alone on its line.
  private mutating func takeSetOff(
    _ header: (name: Range<Int>, end: Int), before: Int, output: Int?
  ) -> Int {
    var first = before
    while first > lineStart, isMark(bytes[first - 1]) || isSpace(bytes[first - 1]) { first -= 1 }
    guard first == lineStart else { return header.end }
    var end = header.end
    while end < bytes.count, isMark(bytes[end]) || isSpace(bytes[end]) { end += 1 }
    guard end == bytes.count || bytes[end] == 0x0A else { return header.end }
    close(at: lineStart)
    open = (output, end)
    return end
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
  private func isMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "`") || byte == UInt8(ascii: "*") }
  private func isCompleted(_ name: Range<Int>) -> Bool { bytes[name].elementsEqual("completed".utf8) }

  /// The name in a header `[[ ## name ## ]]` that begins at `start`, and where the header ends.
  private func header(at start: Int) -> (name: Range<Int>, end: Int)? {
    var position = start
    func skip(_ byte: UInt8) -> Bool {
      guard position + 1 < bytes.count, bytes[position] == byte, bytes[position + 1] == byte else { return false }
      position += 2
      return true
    }
    // A header that is all spaces must not be read over and over.
    func skipSpace() {
      let end = min(position + 8, bytes.count)
      while position < end, bytes[position] == 0x20 { position += 1 }
    }
    guard skip(UInt8(ascii: "[")) else { return nil }
    skipSpace()
    guard skip(UInt8(ascii: "#")) else { return nil }
    skipSpace()
    let nameStart = position
    while position < bytes.count, isNameByte(bytes[position]) { position += 1 }
    let nameEnd = position
    guard nameEnd > nameStart else { return nil }
    skipSpace()
    guard skip(UInt8(ascii: "#")) else { return nil }
    skipSpace()
    guard skip(UInt8(ascii: "]")) else { return nil }
    return (nameStart..<nameEnd, position)
  }

  private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...0xFF: true
    default: false
    }
  }
}
