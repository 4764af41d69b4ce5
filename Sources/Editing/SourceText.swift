import JSON
import Schema

/// A place in a text as editors count it: a line from 0, and UTF-16 code units from the line's start.
struct TextPosition: ForeignRecord, Hashable {
  static let members: [Member<Self>] = [Member("line", \.line), Member("character", \.character)]
  var line = 0
  var character = 0

  init() {}

  init(line: Int, character: Int) {
    self.line = line
    self.character = character
  }

  /// Nothing where a part is missing.
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> TextPosition? {
    let given = Given(value)
    guard let line = given.line, let character = given.character else { return nil }
    return TextPosition(line: line, character: character)
  }

  private struct Given: ForeignRecord {
    static let members: [Member<Self>] = [Member("line", \.line), Member("character", \.character)]
    var line: Int?
    var character: Int?
  }
}

/// A part of a text as editors count it.
struct TextRange: ForeignRecord, Hashable {
  static let members: [Member<Self>] = [Member("start", \.start), Member("end", \.end)]
  var start = TextPosition()
  var end = TextPosition()

  init() {}

  init(_ start: TextPosition, _ end: TextPosition) {
    self.start = start
    self.end = end
  }

  /// Nothing where a part is missing.
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> TextRange? {
    let given = Given(value)
    guard let start = given.start, let end = given.end else { return nil }
    return TextRange(start, end)
  }

  private struct Given: ForeignRecord {
    static let members: [Member<Self>] = [Member("start", \.start), Member("end", \.end)]
    var start: TextPosition?
    var end: TextPosition?
  }
}

/// The text of a document as bytes, with its lines found: translates between bytes, in which Hone counts, and lines and
/// UTF-16 code units, in which editors do.
struct SourceText: Sendable {
  let bytes: [UInt8]
  /// Where each line begins.
  private let lines: [Int]

  init(_ text: String) { self.init(bytes: Array(text.utf8)) }

  init(bytes: [UInt8]) {
    self.bytes = bytes
    var lines = [0]
    for (index, byte) in bytes.enumerated() {
      // A line ends with \n, \r\n, or a lone \r.
      let isLoneReturn = byte == 0x0D && (index + 1 == bytes.count || bytes[index + 1] != 0x0A)
      if byte == 0x0A || isLoneReturn { lines.append(index + 1) }
    }
    self.lines = lines
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The text of some of the bytes.
  func slice(_ range: Range<Int>) -> String { String(decoding: bytes[range.clamped(to: bytes.indices)], as: UTF8.self) }

  /// Where a byte stands; a place within a character counts as the character's start.
  func position(of offset: Int) -> TextPosition {
    let offset = min(max(offset, 0), bytes.count)
    var low = 0
    var high = lines.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lines[middle] <= offset { low = middle } else { high = middle }
    }
    var units = 0
    var index = lines[low]
    while index < offset {
      let length = Self.length(of: bytes[index])
      guard index + length <= offset else { break }
      units += length == 4 ? 2 : 1
      index += length
    }
    return TextPosition(line: low, character: units)
  }

  /// The byte at a place; beyond a line's end it is the line's end, beyond the text its end.
  func offset(of position: TextPosition) -> Int {
    guard position.line >= 0 else { return 0 }
    guard position.line < lines.count else { return bytes.count }
    var index = lines[position.line]
    var units = 0
    while index < bytes.count, units < position.character, bytes[index] != 0x0A, bytes[index] != 0x0D {
      let length = Self.length(of: bytes[index])
      units += length == 4 ? 2 : 1
      // Between the two halves of a surrogate pair there is no byte.
      if units > position.character { break }
      index = min(index + length, bytes.count)
    }
    return index
  }

  /// Some of the bytes as editors count them.
  func range(_ range: Range<Int>) -> TextRange {
    TextRange(position(of: range.lowerBound), position(of: range.upperBound))
  }

  /// The white space at the start of the line that holds a byte.
  func indentation(at offset: Int) -> String {
    let start = lines[position(of: offset).line]
    let end = bytes[start...].firstIndex { $0 != 0x20 && $0 != 0x09 } ?? bytes.count
    return slice(start..<end)
  }

  /// The text after one of the changes that `textDocument/didChange` brings: a part replaced, or all of it.
  func applying(_ change: EditorParams.Change) -> SourceText {
    guard let range = change.range else { return SourceText(change.text) }
    let from = offset(of: range.start)
    let to = max(from, offset(of: range.end))
    return SourceText(bytes: bytes[..<from] + Array(change.text.utf8) + bytes[to...])
  }

  /// How many bytes a character has, by its first one.
  private static func length(of lead: UInt8) -> Int {
    switch lead {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }
}
