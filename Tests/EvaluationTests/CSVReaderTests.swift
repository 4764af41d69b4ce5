import Testing

@testable import Datasets
@testable import Evaluation

/// The records of a whole text.
struct CSVText {
  private var window: ByteWindow
  private var reader: CSVReader

  init(_ bytes: [UInt8], delimiter: UInt8 = UInt8(ascii: ",")) {
    window = ByteWindow(bytes)
    reader = CSVReader(delimiter: delimiter)
  }

  mutating func next() throws(CSVReader.SyntaxError) -> CSVReader.Record? { try reader.next(&window) }
}

struct CSVReaderTests {
  private func records(_ text: String, delimiter: UInt8 = UInt8(ascii: ",")) throws -> [[String]] {
    var reader = CSVText(Array(text.utf8), delimiter: delimiter)
    var result: [[String]] = []
    while let record = try reader.next() { result.append(record.fields) }
    return result
  }

  @Test(arguments: ["a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2", "\u{FEFF}a,b\n1,2", "\n\na,b\n\r\n1,2\n\n"])
  func `line ends, byte order mark and empty lines do not matter`(text: String) throws {
    #expect(try records(text) == [["a", "b"], ["1", "2"]])
  }

  @Test func `quotes keep delimiters, line ends and doubled quotes`() throws {
    let text = "q,a\r\n\"one, two\",\"said \"\"no\"\"\"\r\n\"two\r\nlines\",\"\"\r\n"
    #expect(try records(text) == [["q", "a"], ["one, two", "said \"no\""], ["two\r\nlines", ""]])
  }

  @Test func `empty fields count, also the last one`() throws {
    #expect(try records(",,\n,x,") == [["", "", ""], ["", "x", ""]])
  }

  @Test func `a quote inside an unquoted field is text`() throws {
    #expect(try records("5\" pipe,x") == [["5\" pipe", "x"]])
  }

  @Test func `tabs delimit where asked`() throws {
    #expect(try records("a\tb,c", delimiter: 9) == [["a", "b,c"]])
  }

  @Test func `a record says on which line it starts`() throws {
    var reader = CSVText(Array("a\n\"x\r\ny\nz\"\nb\r\n\r\nc".utf8))
    var lines: [Int] = []
    while let record = try reader.next() { lines.append(record.line) }
    #expect(lines == [1, 2, 5, 7])
  }

  @Test func `an open quote is an error on the line where it opens`() throws {
    var reader = CSVText(Array("a\n\"open\nmore".utf8))
    _ = try reader.next()
    #expect(throws: CSVReader.SyntaxError(message: "A quoted field that opens here is never closed", line: 2)) {
      try reader.next()
    }
  }

  @Test func `text behind a closing quote is an error`() {
    #expect(throws: CSVReader.SyntaxError(message: "There is text behind a closing quote", line: 1)) {
      try records("\"a\"b,c")
    }
  }

  @Test func `bytes that are not UTF-8 are an error`() {
    var reader = CSVText([0x61, 0xFF, 0x2C])
    #expect(throws: CSVReader.SyntaxError.self) { try reader.next() }
  }
}
