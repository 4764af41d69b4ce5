import Failures
import JSON
import Platform
import Randomness
import RowStorage
import Schema
import Testing

@testable import Datasets
@testable import Evaluation

struct DatasetFileTests {
  let folder: TemporaryDirectory
  init() throws { folder = try TemporaryDirectory() }

  private func loadFile(
    _ name: String, _ text: String, _ options: JSONObject = [:]
  ) throws
    -> (dataset: Dataset?, problems: [String])
  {
    try folder.write(text, to: name)
    let value: JSONObject = ["path": .string(name)]
    return load(.object(value.merging(options)), base: folder.path)
  }

  private let expected: [JSONObject] = [["q": "one", "a": 1], ["q": "two", "a": 2]]

  @Test(arguments: [
    ("x.jsonl", "{\"q\":\"one\",\"a\":1}\n\n{\"q\":\"two\",\"a\":2}\r\n"),
    ("x.ndjson", "\u{FEFF}{\"q\":\"one\",\"a\":1}\n{\"q\":\"two\",\"a\":2}"),
    ("x.json", "[{\"q\":\"one\",\"a\":1},{\"q\":\"two\",\"a\":2}]"),
    ("x.json", "{\"data\":[{\"q\":\"one\",\"a\":1},{\"q\":\"two\",\"a\":2}]}"),
    ("x.json", "{\n\"rows\":[{\"q\":\"one\",\"a\":1},{\"q\":\"two\",\"a\":2}]\n}"),
    ("x.json", "{\"columns\":[\"q\",\"a\"],\"data\":[[\"one\",1],[\"two\",2]]}"),
    ("lines.json", "{\"q\":\"one\",\"a\":1}\n{\"q\":\"two\",\"a\":2}\n"),
    ("noextension", "{\"q\":\"one\",\"a\":1}\n{\"q\":\"two\",\"a\":2}\n"),
    ("noextension", " [{\"q\":\"one\",\"a\":1},{\"q\":\"two\",\"a\":2}]"),
  ])
  func `every form of JSON gives the same rows`(name: String, text: String) throws {
    let (dataset, problems) = try loadFile(name, text, ["inputs": ["q"]])
    #expect(problems == [])
    #expect(dataset?.rows == Rows(expected))
    #expect(dataset?.name == name)
    #expect(dataset?.source.type == "local")
    #expect(dataset?.source.uri == "\(folder.path)/\(name)")
  }

  @Test func `CSV cells are strings unless types are given`() throws {
    let text = "q,a,b,c\none,1,yes,\"[1,2]\"\ntwo,,FALSE,null\n"
    let plain = try loadFile("x.csv", text).dataset
    #expect(plain?.rows[0] == ["q": "one", "a": "1", "b": "yes", "c": "[1,2]"])
    let types: JSONObject = ["types": ["a": "int", "b": "bool", "c": "json"]]
    let typed = try loadFile("x.csv", text, types).dataset
    #expect(
      typed?.rows == [
        ["q": "one", "a": 1, "b": true, "c": [1, 2]], ["q": "two", "a": nil, "b": false, "c": nil],
      ])
  }

  @Test func `a file of another extension is CSV if it is not JSON`() throws {
    #expect(try loadFile("x.txt", "q,a\n1,2\n").dataset?.rows == [["q": "1", "a": "2"]])
    #expect(try loadFile("x.tsv", "q\ta\n1,5\t2\n").dataset?.rows == [["q": "1,5", "a": "2"]])
    #expect(try loadFile("x.txt", "q;a\n", ["format": "jsonl"]).problems.count == 1)
  }

  @Test func `bad lines and cells are told by row and line`() throws {
    #expect(
      try loadFile("x.jsonl", "{\"q\":1}\n{\"q\":}\n\n3\n").problems == [
        "trainset.rows[1]: Line 2 is not JSON: Expected a value at byte 5.",
        "trainset.rows[2]: A row must be an object, got a number (line 4).",
      ])
    #expect(
      try loadFile("x.csv", "q,a\n1\n\"x\ny\",2,3\n4,z\n", ["types": ["a": "int"]]).problems == [
        "trainset.rows[0]: Line 2 has 1 fields, the first line names 2 columns.",
        "trainset.rows[1]: Line 3 has 3 fields, the first line names 2 columns.",
        "trainset.rows[2].a: Line 5: this is no int.",
      ])
    #expect(
      try loadFile("x.csv", "q,q,\n1,2,3\n").problems == ["trainset: The column name \"q\" appears twice."])
    #expect(
      try loadFile("x.csv", "q\n1\n", ["types": ["r": "int"]]).problems == [
        "trainset.types.r: The file has no such column; it has q."
      ])
    #expect(
      try loadFile("x.csv", "q\n1\n", ["types": ["q": "strng"]]).problems == [
        "trainset.types.q: Expected one of string, int, float, bool, json, got \"strng\". Did you mean \"string\"?"
      ])
    #expect(
      try loadFile("x.json", "{\"columns\":[\"a\",\"b\"],\"data\":[[1]]}").problems == [
        "trainset.rows[0]: Expected 2 cells, one a column; got 1 cells."
      ])
    #expect(try loadFile("x.json", "[{\"a\":1},]").problems[0].hasPrefix("trainset: The file is not JSON:"))
    #expect(try loadFile("x.json", "{\"hello\":1}").problems[0].contains("an object with the members hello"))
  }

  @Test func `an input that a column lacks is told for every row`() throws {
    let (_, problems) = try loadFile("x.csv", "a\n1\n2\n", ["inputs": ["q"]])
    #expect(
      problems == [
        "trainset.rows[0]: The input \"q\" is missing; the row has a.",
        "trainset.rows[1]: The input \"q\" is missing; the row has a.",
      ])
  }

  @Test func `what cannot be read is told with its place`() throws {
    #expect(
      load(["path": "no/such.jsonl"], base: folder.path).problems == [
        "trainset.path: \(folder.path)/no/such.jsonl cannot be read: no such file or directory."
      ])
    #expect(
      load(["path": .string(folder.path)]).problems == [
        "trainset.path: \(folder.path) cannot be read: it is not a regular file."
      ])
    #expect(load(["path": "a\0b"]).problems == ["trainset.path: This is not a file path."])
    #expect(load(["path": 3]).dataset == nil)
    #expect(try loadFile("x.jsonl", "").problems == ["trainset: The data set is empty: it needs at least one row."])
    #expect(try loadFile("x.csv", "a,b\n").problems == ["trainset: The data set is empty: it needs at least one row."])
  }

  @Test func `a file over the limit is refused before it is read`() throws {
    let file = try folder.write("12345678", to: "big")
    #expect(throws: LocalFile.Failure.self) { try LocalFile.read(file, maximumBytes: 7) }
    #expect(try LocalFile.read(file, maximumBytes: 8).count == 8)
  }

  @Test func `a file's own faults can be told apart from the request's`() throws {
    try folder.write("nope", to: "x.jsonl")
    let problems = ProblemList()
    let dataProblems = ProblemList()
    let places = DatasetPlaces(home: "/nonexistent", baseDirectory: folder.path, dataDirectory: nil)
    _ = Dataset.load(
      ["path": "x.jsonl"], path: "devset", places: places, problems: problems, dataProblems: dataProblems)
    #expect(problems.isEmpty)
    let error = #expect(throws: HoneError.self) { try dataProblems.checkData("The data set cannot be used") }
    #expect(error?.kind == .datasetInvalid)
    #expect(error?.problems.first?.path == "devset.rows[0]")
  }

  @Test(arguments: 0..<8)
  func `whatever a file holds, it is read or refused, never more than some problems`(seed: Int) throws {
    var random = PythonRandom(seed: seed)
    let pieces = [
      "{", "}", "[", "]", "\"", "\"q\"", ":", ",", "1", "\n", "\r", "\r\n", "null", "\\u00", "\\ud800", "é", "\t",
      "{\"q\":1}", "{\"q\":\"a\"}\n", "q,a\n", "\"x\ny\",", "\u{FEFF}", "e9", "-",
    ]
    for _ in 0..<200 {
      var bytes = Array(random.choices(pieces, k: random.randint(0...30)).joined().utf8)
      if random.random() < 0.2, !bytes.isEmpty {
        bytes[random.randint(0...bytes.count - 1)] = UInt8(random.getrandbits(8))
      }
      for format in [nil] + RowReader.Format.allCases {
        let problems = ProblemList()
        var reader = RowReader(path: "p", problems: problems)
        reader.read(bytes, format: format)
        #expect(problems.problems.count <= RowReader.maximumProblems + 1)
        #expect(reader.isClean == problems.isEmpty)
        let rows = reader.finish()
        #expect(rows?.allSatisfy { !$0.isEmpty } != false)
        // In parts it is the same as at once.
        let file = folder.path + "/parts"
        try LocalFile.writeAtomically(bytes, to: file)
        let parts = ProblemList()
        var partwise = RowReader(path: "p", problems: parts)
        partwise.read(try OpenedFile(file, maximumBytes: 1 << 20), format: format, chunk: random.randint(1...9))
        #expect(partwise.finish().map(Array.init) == rows.map(Array.init), "\(bytes)")
        #expect(parts.problems == problems.problems, "\(bytes)")
      }
    }
  }

  @Test(arguments: 0..<4)
  func `what is written as CSV is read back`(seed: Int) throws {
    var random = PythonRandom(seed: seed)
    let alphabet = ["a", "\"", ",", "\n", "\r\n", "\r", " ", "é", "\t", "x y"]
    for _ in 0..<200 {
      let width = random.randint(1...4)
      let rows = (0..<random.randint(1...6)).map { _ in
        (0..<width).map { _ in random.choices(alphabet, k: random.randint(1...5)).joined() }
      }
      let text = rows.map { row in
        row.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",")
      }.joined(separator: random.choice(["\n", "\r\n"]) ?? "\n")
      var reader = CSVText(Array(text.utf8))
      var found: [[String]] = []
      while let record = try reader.next() { found.append(record.fields) }
      #expect(found.map { $0.map { Array($0.utf8) } } == rows.map { $0.map { Array($0.utf8) } })
    }
  }
}
