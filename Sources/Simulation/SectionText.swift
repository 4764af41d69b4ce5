/// Texts in the section layout: `[[ ## name ## ]]` at the start of a line opens a section.
///
/// Only as much of the layout as the simulated model needs to play its part.
struct SectionText {
  struct Header {
    var name: String
    /// Where the header begins and ends in the text's bytes.
    var range: Range<Int>
    /// Whether it stands alone on its line, as a section's header does.
    var opensSection: Bool
  }

  let bytes: [UInt8]
  let headers: [Header]

  init(_ text: String) {
    bytes = Array(text.utf8)
    headers = SectionText.headers(in: bytes)
  }

  private static let lead = Array("[[ ## ".utf8)
  private static let tail = Array(" ## ]]".utf8)

  private static func headers(in bytes: [UInt8]) -> [Header] {
    var headers: [Header] = []
    var opensLine = true
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "["), let header = header(in: bytes, at: position, opensLine: opensLine) {
        headers.append(header)
        position = header.range.upperBound
        opensLine = false
        continue
      }
      if byte == 0x0A { opensLine = true } else if byte != 0x20 && byte != 0x09 { opensLine = false }
      position += 1
    }
    return headers
  }

  private static func header(in bytes: [UInt8], at start: Int, opensLine: Bool) -> Header? {
    guard bytes[start...].starts(with: lead) else { return nil }
    var end = start + lead.count
    while end < bytes.count, isNameByte(bytes[end]) { end += 1 }
    guard end > start + lead.count, bytes[end...].starts(with: tail) else { return nil }
    let name = String(decoding: bytes[(start + lead.count)..<end], as: UTF8.self)
    end += tail.count
    var next = end
    while next < bytes.count, bytes[next] == 0x20 || bytes[next] == 0x0D { next += 1 }
    let isAlone = opensLine && (next == bytes.count || bytes[next] == 0x0A)
    return Header(name: name, range: start..<end, opensSection: isAlone)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: true
    default: false
    }
  }

  /// The text from header number `index` to the next one, or to the end.
  func content(_ index: Int) -> ArraySlice<UInt8> {
    let end = index + 1 < headers.count ? headers[index + 1].range.lowerBound : bytes.count
    return bytes[headers[index].range.upperBound..<end]
  }

  /// The sections of a demo's turn, name and trimmed content, the closing marker left out.
  var sections: [(name: String, content: ArraySlice<UInt8>)] {
    headers.indices.compactMap { index in
      guard headers[index].opensSection, headers[index].name != "completed" else { return nil }
      return (headers[index].name, trimmed(content(index)))
    }
  }

  /// A user turn: its inputs, and the outputs that the reminder at its end asks for, in order.
  struct Turn {
    var inputs: [(name: String, content: ArraySlice<UInt8>)] = []
    var outputs: [String] = []
    /// The last input with whatever stands between it and the first output's header.
    var lastInputWhole: ArraySlice<UInt8> = []
  }

  /// Reads this as a user turn. The reminder's headers stand within its sentences, the last paragraph, or below each
  /// other with nothing between them, up to the closing one.
  func turn() -> Turn {
    let closing = headers.lastIndex { $0.name == "completed" }
    guard closing != nil || headers.last?.opensSection == false else { return Turn(inputs: sections) }
    let end = closing ?? headers.count
    var first = end
    while first > 0 {
      let isBare = trimmed(content(first - 1)).isEmpty
      guard !headers[first - 1].opensSection || isBare else { break }
      first -= 1
    }
    var turn = Turn()
    for header in headers[first..<end] where !turn.outputs.contains(header.name) { turn.outputs.append(header.name) }
    for index in 0..<first where headers[index].opensSection {
      var text = content(index)
      if index == first - 1 {
        turn.lastInputWhole = trimmed(text)
        // The reminder is a paragraph of its own behind the last input.
        if let gap = lastParagraphBreak(text) { text = text[..<gap] }
      }
      turn.inputs.append((headers[index].name, trimmed(text)))
    }
    return turn
  }

  private func lastParagraphBreak(_ text: ArraySlice<UInt8>) -> Int? {
    var end = text.endIndex
    // White space right before the first output's header is part of the reminder.
    while end > text.startIndex, text[end - 1] <= 0x20 { end -= 1 }
    guard end - 1 > text.startIndex else { return nil }
    for index in stride(from: end - 1, to: text.startIndex, by: -1)
    where text[index] == 0x0A && text[index - 1] == 0x0A {
      return index
    }
    return nil
  }

  private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text
    while let first = text.first, first <= 0x20 { text.removeFirst() }
    while let last = text.last, last <= 0x20 { text.removeLast() }
    return text
  }
}
