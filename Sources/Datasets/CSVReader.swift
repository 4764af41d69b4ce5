/// Reads comma-separated values by RFC 4180: fields in quotes may hold delimiters, line ends and
/// doubled quotes; a record ends with LF, CRLF or CR; a byte order mark at the start is skipped, and
/// so are lines without any character.
///
/// Stricter than most readers where leniency would hide a broken file: text behind a closing quote
/// and a quote that is never closed are errors. A quote inside an unquoted field is taken as it stands.
struct CSVReader {
  /// One record: its fields and the line on which it starts, from 1.
  struct Record: Equatable {
    var fields: [String]
    var line: Int
  }

  struct SyntaxError: Error, Equatable {
    var message: String
    var line: Int
  }

  private let delimiter: UInt8
  private var line = 1
  /// What is in memory, and the place in it.
  private var bytes: [UInt8] = []
  private var position = 0

  init(delimiter: UInt8 = UInt8(ascii: ",")) { self.delimiter = delimiter }

  /// The next record, or nil at the end.
  mutating func next(_ window: inout ByteWindow) throws(SyntaxError) -> Record? {
    let first = line
    while true {
      line = first
      let outcome = attempt(window)
      // What reaches to the end of what is in memory may go on behind it.
      if position >= window.bytes.count, !window.isAtEnd {
        window.extend()
        continue
      }
      window.position = position
      return try outcome.get()
    }
  }

  private mutating func attempt(_ window: ByteWindow) -> Result<Record?, SyntaxError> {
    bytes = window.bytes
    position = window.position
    // The window changes its bytes in place where nobody else has them.
    defer { bytes = [] }
    do throws(SyntaxError) {
      return .success(try record())
    } catch {
      return .failure(error)
    }
  }

  private mutating func record() throws(SyntaxError) -> Record? {
    while position < bytes.count, bytes[position] == 0x0A || bytes[position] == 0x0D { skipLineEnd() }
    guard position < bytes.count else { return nil }
    let start = line
    var fields: [String] = []
    while true {
      fields.append(try readField())
      guard position < bytes.count else { break }
      if bytes[position] == delimiter {
        position += 1
        continue
      }
      skipLineEnd()
      break
    }
    return Record(fields: fields, line: start)
  }

  /// Steps over one LF, CRLF or CR.
  private mutating func skipLineEnd() {
    if bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A { position += 1 }
    position += 1
    line += 1
  }

  private mutating func readField() throws(SyntaxError) -> String {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try readQuotedField() }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
      position += 1
    }
    return try text(bytes[start..<position])
  }

  private mutating func readQuotedField() throws(SyntaxError) -> String {
    let opening = line
    position += 1
    var content: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard position < bytes.count else { return try text(content) }
        switch bytes[position] {
        case UInt8(ascii: "\""):
          content.append(byte)
          position += 1
        case delimiter, 0x0A, 0x0D: return try text(content)
        default: throw SyntaxError(message: "There is text behind a closing quote", line: line)
        }
        continue
      }
      let isLineEnd = byte == 0x0A ? position < 2 || bytes[position - 2] != 0x0D : byte == 0x0D
      if isLineEnd { line += 1 }
      content.append(byte)
    }
    throw SyntaxError(message: "A quoted field that opens here is never closed", line: opening)
  }

  private func text(_ content: some Sequence<UInt8>) throws(SyntaxError) -> String {
    guard let text = String(validating: content, as: UTF8.self) else {
      throw SyntaxError(
        message: "A field is not valid UTF-8 (a file from Excel: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW)", line: line
      )
    }
    return text
  }
}
