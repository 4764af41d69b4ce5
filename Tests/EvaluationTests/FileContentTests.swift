import Failures
import Foundation
import JSON
import Platform
import Randomness
import RowStorage
import Schema
import Testing

@testable import Datasets

/// Files as people have them: the content says what they are, not the name.
struct FileContentTests {
  let folder: TemporaryDirectory
  init() throws { folder = try TemporaryDirectory() }

  private func loadFile(
    _ name: String, _ content: [UInt8], _ options: JSONObject = [:]
  ) throws -> (dataset: Dataset?, problems: [String]) {
    try folder.write(content, to: name)
    return load(.object(JSONObject([("path", .string(name))]).merging(options)), base: folder.path)
  }

  private func loadFile(
    _ name: String, _ text: String, _ options: JSONObject = [:]
  ) throws -> (dataset: Dataset?, problems: [String]) { try loadFile(name, Array(text.utf8), options) }

  /// What a program of the system makes of some bytes.
  private func piped(_ bytes: [UInt8], _ command: String...) throws -> [UInt8] {
    let (process, input, output) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // What is packed is short: it fits into the pipe.
    try input.fileHandleForWriting.write(contentsOf: Data(bytes))
    try input.fileHandleForWriting.close()
    let result = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return Array(result)
  }

  private static let csv = "q,a\none,\"1,5\"\ntwo,é😀\n"
  private static let lines = "{\"q\":\"one\",\"a\":\"1,5\"}\n{\"q\":\"two\",\"a\":\"é😀\"}\n"
  private static let array = "[{\"q\":\"one\",\"a\":\"1,5\"},\n{\"q\":\"two\",\"a\":\"é😀\"}]"
  private static let semicolons = "q;a\r\none;1,5\r\ntwo;é😀\r\n"
  private static let tabs = "q\ta\none\t1,5\ntwo\té😀\n"
  private let expected: [JSONObject] = [["q": "one", "a": "1,5"], ["q": "two", "a": "é😀"]]

  private static func utf16(_ text: String, littleEndian: Bool, mark: Bool = true) -> [UInt8] {
    ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
      littleEndian ? [UInt8(unit & 0xFF), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xFF)]
    }
  }

  @Test(
    arguments: [csv, lines, array, semicolons, tabs, "sep=;\r\n" + semicolons],
    ["x.csv", "x.jsonl", "x.json", "x.tsv", "x.txt", "x", "x.data"])
  func `the content says what a file is, whatever its name and encoding`(text: String, name: String) throws {
    let encodings: [[UInt8]] = [
      Array(text.utf8), [0xEF, 0xBB, 0xBF] + text.utf8, Self.utf16(text, littleEndian: true),
      Self.utf16(text, littleEndian: false), Self.utf16(text, littleEndian: true, mark: false),
      Self.utf16(text, littleEndian: false, mark: false),
    ]
    for bytes in encodings {
      let (dataset, problems) = try loadFile(name, bytes)
      #expect(problems == [])
      #expect(dataset.map { Array($0.rows) } == expected)
    }
  }

  @Test(arguments: [["gzip", "-c"], ["zstd", "-c", "-q"]])
  func `packed files are unpacked part by part`(command: [String]) throws {
    guard (try? piped([], "sh", "-c", "command -v \(command[0])")) != nil else { return }
    let first = try piped(Array(Self.csv.utf8), "sh", "-c", command.joined(separator: " "))
    #expect(try loadFile("x.csv.packed", first).dataset.map { Array($0.rows) } == expected)
    let lines = try piped(Array(Self.lines.utf8), "sh", "-c", command.joined(separator: " "))
    // Two packed files, one behind the other, are one.
    #expect(try loadFile("x.jsonl.gz", lines + lines).dataset.map { Array($0.rows) } == expected + expected)
    let wide = try piped(
      Self.utf16(Self.tabs, littleEndian: true), "sh", "-c", command.joined(separator: " "))
    #expect(try loadFile("x", wide).dataset.map { Array($0.rows) } == expected)
    for cut in [10, lines.count / 2, lines.count - 1] {
      let (dataset, problems) = try loadFile("x.jsonl.gz", Array(lines[..<cut]))
      #expect(dataset == nil)
      #expect(problems == ["trainset: The file cannot be read: the packed content is not whole."])
    }
    var damaged = lines
    for place in 12..<min(24, damaged.count) { damaged[place] ^= 0xFF }
    let (dataset, problems) = try loadFile("x.jsonl.gz", damaged)
    #expect(dataset == nil)
    #expect(problems.count == 1)
  }

  /// A Zstandard frame that holds the bytes as they are, in one block (RFC 8878, 3.1.1).
  private func zstandard(_ bytes: [UInt8]) -> [UInt8] {
    let header = UInt32(bytes.count) << 3 | 1
    return [0x28, 0xB5, 0x2F, 0xFD, 0x60] + [UInt8((bytes.count - 256) & 0xFF), UInt8((bytes.count - 256) >> 8)]
      + (0..<3).map { UInt8(header >> (8 * $0) & 0xFF) } + bytes
  }

  @Test func `Zstandard is unpacked with the system's library, or the message says how else`() throws {
    let many = String(repeating: Self.lines, count: 20)
    let packed = zstandard(Array(many.utf8))
    let (dataset, problems) = try loadFile("x.jsonl.zst", packed + packed)
    if problems.isEmpty {
      #expect(dataset.map { Array($0.rows) } == (0..<40).flatMap { _ in expected })
      for cut in [8, 100, packed.count - 1] {
        #expect(
          try loadFile("x.jsonl.zst", Array(packed[..<cut])).problems == [
            "trainset: The file cannot be read: the packed content is not whole."
          ])
      }
      #expect(try loadFile("x.jsonl.zst", packed + [1, 2, 3, 4, 5]).problems.first?.contains("damaged") == true)
    } else {
      #expect(problems.count == 1)
      #expect(problems.first?.contains("zstd -d FILE") == true)
    }
  }

  @Test func `few packed bytes do not become more than a file may have in memory`() throws {
    let line = "{\"q\":\"" + String(repeating: "x", count: 900) + "\"}\n"
    let packed = try piped([], "sh", "-c", "yes '\(line.dropLast())' | head -n 20000 | gzip -c")
    #expect(packed.count < 200_000)
    let dataset = try loadFile("x.jsonl.gz", packed).dataset
    #expect(dataset?.count == 20_000)
    #expect(dataset?.rows.isSpilled == true)
  }

  @Test(
    arguments: [
      (Array("PAR1....PAR1".utf8), "holds Parquet", "read_parquet('x.parquet')"),
      (Array("PK\u{3}\u{4}....[Content_Types].xml".utf8), "an Excel workbook", "read_excel"),
      (Array("PK\u{3}\u{4}....rows.csv".utf8), "a ZIP archive", "unzip x.parquet"),
      (Array("SQLite format 3\0".utf8), "an SQLite database", "sqlite3"),
      ([0x80, 0x04, 0x95, 0x00], "a pickle", "read_pickle"), (Array("ARROW1\0\0".utf8), "Arrow", "read_feather"),
      ([0xFF, 0xFF, 0xFF, 0xFF, 0x10], "an Arrow stream", "from_file"),
      (Array("\n <!DOCTYPE html><html>".utf8), "a web page", "raw file"),
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:1\n".utf8), "Git LFS", "git lfs pull"),
      (Array("BZh91AY".utf8), "bzip2", "bunzip2"), (Array("<?xml version='1.0'?>".utf8), "XML", "JSON Lines"),
      ([0x01, 0x02, 0x03, 0x00, 0x05], "no text", "UTF-8"), ([0xFF, 0xFE, 0, 0, 0x41, 0, 0, 0], "UTF-32", "iconv"),
    ] as [([UInt8], String, String)])
  func `what is not read is called what it is, with what to do`(bytes: [UInt8], what: String, remedy: String) throws {
    for format in [[:], ["format": "csv"], ["format": "jsonl"]] as [JSONObject] {
      let (dataset, problems) = try loadFile("x.parquet", bytes, format)
      #expect(dataset == nil)
      #expect(problems.count == 1)
      #expect(problems.first?.contains(what) == true, "\(problems)")
      #expect(problems.first?.contains(remedy) == true, "\(problems)")
    }
  }

  @Test(arguments: ["PAR1", "ORC", "BZh", "Obj", "SQLite format 3", "version https"])
  func `a table whose first column is called like a format is a table`(name: String) throws {
    let row = try loadFile("x.csv", "\(name),a\n1,2\n").dataset?.rows.first
    #expect(row?[name] == "1")
    #expect(row?["a"] == "2")
  }

  @Test func `the index that pandas writes is left out`() throws {
    let row: [JSONObject] = [["question": "Capital?", "answer": "Paris"]]
    for header in [",question,answer", "Unnamed: 0,question,answer", "Unnamed: 0.1,question,answer"] {
      #expect(try loadFile("x.csv", "\(header)\n0,Capital?,Paris\n").dataset.map { Array($0.rows) } == row)
    }
    #expect(try loadFile("x.csv", "question,answer,,\nCapital?,Paris,,\n").dataset.map { Array($0.rows) } == row)
    #expect(
      try loadFile("x.csv", "question,answer,\nCapital?,Paris,x\n").problems == [
        "trainset.rows[0]: Line 2 has a text in column 3, to which the first line gives no name."
      ])
    let several = try loadFile("x.csv", ",,question,answer\n0,1,Capital?,Paris\n").problems
    #expect(several.count == 1)
    #expect(several.first?.contains("Column 2 has no name. Give it one in the first line") == true)
    #expect(try loadFile("x.csv", ",\n1,2\n").problems == ["trainset: The first line names no column."])
    let kept = try loadFile("x.csv", "Unnamed: 0,q\n7,x\n", ["columns": ["n": "Unnamed: 0"]]).dataset
    #expect(kept?.rows[0] == ["n": "7", "q": "x"])
  }

  @Test(arguments: ["x.jsonl", "x.json", "x.csv"])
  func `an array is read whatever it is called`(name: String) throws {
    for text in [
      "[\n{\"q\":\"a\"},\n{\"q\":\"b\"}\n]", "[{\"q\":\"a\"},{\"q\":\"b\"}]", " [ {\"q\":\"a\"} , {\"q\":\"b\"} ] \n",
    ] {
      #expect(try loadFile(name, text).dataset.map { Array($0.rows) } == [["q": "a"], ["q": "b"]])
    }
    let document = "{\n\"rows\": [\n{\"q\":\"a\"}]\n}"
    #expect(try loadFile("x.jsonl", document).dataset.map { Array($0.rows) } == [["q": "a"]])
    #expect(
      try loadFile("x.jsonl", "[1]\n[2]\n").problems == [
        "trainset.rows[0]: A row must be an object, got an array (line 1).",
        "trainset.rows[1]: A row must be an object, got an array (line 2).",
      ])
  }

  @Test func `NaN is null where nothing uses it, and told where something does`() throws {
    let rows: [JSONObject] = [["q": "a", "w": nil, "l": [1, nil]], ["q": "b", "w": nil, "l": []]]
    for text in [
      "{\"q\":\"a\",\"w\":NaN,\"l\":[1,-Infinity]}\n{\"q\":\"b\",\"w\":Infinity,\"l\":[]}\n",
      "[{\"q\":\"a\",\"w\":NaN,\"l\":[1,NaN]},{\"q\":\"b\",\"w\":-Infinity,\"l\":[]}]",
    ] {
      let dataset = try loadFile("x.jsonl", text, ["inputs": ["q"]]).dataset
      #expect(dataset.map { Array($0.rows) } == rows)
      #expect(dataset?.nonNumbers == ["w", "l"])
      #expect(
        try loadFile("x.json", text, ["inputs": ["w"]]).problems.first
          == "trainset.rows[0]: The input \"w\" is NaN, which is no value; the row has q, w, l.")
    }
    #expect(try loadFile("x.jsonl", "{\"q\":\"NaN\"}\n").dataset?.rows[0] == ["q": "NaN"])
    #expect(try loadFile("x.jsonl", "{\"q\":NaNa}\n").problems.count == 1)
  }

  @Test func `a column goes by another name`() throws {
    let columns: JSONObject = ["columns": ["question": "User Question", "answer": "Expected Answer"]]
    let rows: [JSONObject] = [["question": "Capital?", "answer": "Paris", "n": "1"]]
    for text in [
      "User Question,Expected Answer,n\nCapital?,Paris,1\n",
      "{\"User Question\":\"Capital?\",\"Expected Answer\":\"Paris\",\"n\":\"1\"}\n",
      "{\"columns\":[\"User Question\",\"Expected Answer\",\"n\"],\"data\":[[\"Capital?\",\"Paris\",\"1\"]]}",
    ] {
      #expect(try loadFile("named.csv", text, columns).dataset.map { Array($0.rows) } == rows)
      #expect(
        load(.object(JSONObject([("text", .string(text))]).merging(columns))).dataset.map { Array($0.rows) } == rows)
    }
    let inline: JSONValue = [
      "rows": [["Q": "x", "question": "other"]], "columns": ["question": "Q", "again": "Q"], "inputs": ["again"],
    ]
    #expect(load(inline).dataset.map { Array($0.rows) } == [["again": "x", "question": "x"]])
    let wrong: JSONObject = ["columns": ["question": "User Qestion"]]
    let message =
      "trainset.columns.question: There is no column \"User Qestion\"; there are \"User Question\", \"a\". Did you mean "
      + "\"User Question\"?"
    #expect(try loadFile("x.csv", "User Question,a\n1,2\n", wrong).problems == [message])
    #expect(try loadFile("x.jsonl", "{\"User Question\":1,\"a\":2}\n", wrong).problems == [message])
    let typed: JSONObject = ["columns": ["n": "The Number"], "types": ["n": "int"]]
    #expect(try loadFile("x.csv", "The Number\n3\n", typed).dataset?.rows[0] == ["n": 3])
  }

  @Test func `messages say what was found`() throws {
    #expect(
      try loadFile("x.csv", "q\ta\n1\t2\n1\n").problems == [
        "trainset.rows[1]: Line 3 has 1 fields, the first line names 2 columns (read as tab-separated text)."
      ])
    #expect(
      try loadFile("x.csv", Array("q,a\ncaf".utf8) + [0xE9] + Array(",1\n".utf8)).problems.first?.contains("iconv")
        == true)
  }

  @Test(arguments: 0..<6)
  func `in parts it is the same as at once, in every encoding`(seed: Int) throws {
    var random = PythonRandom(seed: seed)
    let pieces = [
      "{\"q\":1}\n", "{\"q\":NaN}\n", "[", "]", "{\"q\":2}", ",", ";", "\t", "q", "a\n", "\"", "\n", "é", "😀", "1",
      "sep=;\n",
      "Unnamed: 0", " ",
    ]
    for _ in 0..<150 {
      let text = random.choices(pieces, k: random.randint(0...12)).joined()
      let bytes =
        random.choice([
          Array(text.utf8), Self.utf16(text, littleEndian: true), Self.utf16(text, littleEndian: false),
        ]) ?? []
      for name in ["x.jsonl", "x.csv", "x.tsv", "x.json", "x"] {
        let (whole, parts) = (ProblemList(), ProblemList())
        var atOnce = RowReader(path: "p", problems: whole)
        atOnce.fileName = name
        atOnce.read(bytes, format: nil)
        let file = folder.path + "/parts"
        try LocalFile.writeAtomically(bytes, to: file)
        var partwise = RowReader(path: "p", problems: parts)
        partwise.fileName = name
        partwise.read(try OpenedFile(file, maximumBytes: 1 << 20), format: nil, chunk: random.randint(1...9))
        #expect(partwise.finish().map(Array.init) == atOnce.finish().map(Array.init), "\(bytes)")
        #expect(parts.problems == whole.problems, "\(bytes)")
        #expect(partwise.nonNumbers == atOnce.nonNumbers)
      }
    }
  }
}
