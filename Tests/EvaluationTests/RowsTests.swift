import Failures
import Failures
import JSON
@testable import Platform
import Randomness
import Schema
import Testing

@testable import Datasets
@testable import RowStorage

struct RowsTests {
  /// Rows of all kinds of values; those in a file are the same.
  private func build(_ rows: [JSONObject], bound: Int) throws -> Rows {
    var builder = RowsBuilder(bound: bound)
    for row in rows { try builder.append(row) }
    #expect(builder.count == rows.count)
    return try builder.finish()
  }

  private func someRows(_ count: Int, seed: Int) -> [JSONObject] {
    var random = PythonRandom(seed: seed)
    let values: [JSONValue] = [
      .null, true, 1, -3, 1.5, 2.0, .number("1e400"), .number("1.50"), "", "é\u{0}\n\"", ["a", [1, .null]],
      ["k": ["deep": "x"]], .string(String(repeating: "long ", count: 40)),
    ]
    return (0..<count).map { number in
      var row: JSONObject = ["number": .int(number)]
      for _ in 0..<random.randint(0...4) { row["m\(random.randint(0...9))"] = random.choice(values) ?? .null }
      return row
    }
  }

  @Test(arguments: 0..<6)
  func `rows in a file are those that went in, however they are asked for`(seed: Int) throws {
    let rows = someRows(seed == 0 ? 1 : 3000, seed: seed)
    let (held, spilled) = (try build(rows, bound: .max), try build(rows, bound: 100))
    #expect(!held.isSpilled)
    #expect(spilled.isSpilled)
    for found in [held, spilled] {
      #expect(Array(found) == rows)
      #expect(found.indices.reversed().map { found[$0] } == rows.reversed())
      #expect(Dataset.contentDigest(of: found) == Dataset.contentDigest(of: Rows(rows)))
    }
  }

  @Test func `rows are changed the same wherever they stand, and change again`() throws {
    let rows = someRows(2000, seed: 3)
    let change = { @Sendable (row: JSONObject) in row.merging(["number": .string(row["number"]?.text() ?? "")]) }
    let again = { @Sendable (row: JSONObject) in row.merging(["more": row["number"] ?? .null]) }
    for found in [try build(rows, bound: .max), try build(rows, bound: 100)] {
      let changed = found.changing(change).choosing(Array(stride(from: 1999, through: 0, by: -3))).changing(again)
      #expect(changed.isSpilled == found.isSpilled)
      #expect(Array(changed) == stride(from: 1999, through: 0, by: -3).map { again(change(rows[$0])) })
      #expect(Array(found.changing(change)) == rows.map(change))
    }
  }

  @Test func `rows that cannot be read back are an error, not other rows`() async throws {
    let rows = try build(someRows(3000, seed: 1), bound: 100)
    try rows.check()
    guard case .spilled(let spilled) = rows.backing else { throw CancellationError() }
    #expect(ftruncate(spilled.file.descriptor, 1000) == 0)
    #expect(rows[2999].isEmpty)
    #expect(Array(rows).count == 3000)
    #expect(throws: HoneError.self) { try rows.check() }
    #expect(Dataset(name: "x", rows: rows).unreadable?.kind == .storeUnavailable)
  }

  @Test func `what is chosen of rows can be chosen from again`() throws {
    let rows = someRows(2000, seed: 7)
    var selection = RowSelection()
    selection.shuffleSeed = 3
    selection.offset = 11
    selection.limit = 500
    let (held, spilled) = (selection.apply(to: Rows(rows)), selection.apply(to: try build(rows, bound: 100)))
    #expect(held.count == 500)
    #expect(Array(held) == Array(spilled))
    #expect(Array(held.choosing([4, 4, 0])) == [held[4], held[4], held[0]])
    #expect(Array(spilled.choosing([4, 4, 0])) == [held[4], held[4], held[0]])
  }

  @Test func `a large array of JSON is read element by element, and errors name their place in the file`() throws {
    let folder = try TemporaryDirectory()
    let rows = (0..<30_000).map { "{\"q\": \"number \($0), [] {\\\"\", \"a\": \($0)}" }
    let file = folder.path + "/x.json"
    func load(_ text: String) throws -> (dataset: Dataset?, problems: [String]) {
      try LocalFile.writeAtomically(Array(text.utf8), to: file)
      let problems = ProblemList()
      let dataset = Dataset.load(
        ["path": "x.json"], path: "devset", home: folder.path, baseDirectory: folder.path, problems: problems)
      return (dataset, problems.problems.map(\.message))
    }
    let whole = try load("[\n" + rows.joined(separator: ",\n") + "\n]\n")
    #expect(whole.problems == [])
    #expect(whole.dataset?.rows[29_999]["a"] == 29_999)
    #expect(try load("[\n" + rows.joined(separator: ",\n") + "\n]\n]").dataset == nil)
    var broken = rows
    broken[25_000] = "{\"q\": tru}"
    let text = "[" + broken.joined(separator: ",") + "]"
    let place =
      text.utf8.count - "]".utf8.count
      - broken[25_000...].joined(separator: ",").utf8.count + "{\"q\": ".utf8.count
    let found = try load(text).problems
    #expect(found.count == 1)
    #expect(found.first?.contains("at byte \(place)") == true, "\(found)")
  }

  @Test func `reading ends when the task is cancelled, and has found nothing wrong`() async throws {
    let folder = try TemporaryDirectory()
    let file = folder.path + "/x.jsonl"
    try LocalFile.writeAtomically(Array((0..<50_000).map { "{\"q\": \($0)}\n" }.joined().utf8), to: file)
    let (isNothing, problems) = await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      let problems = ProblemList()
      var reader = RowReader(path: "p", problems: problems)
      if let opened = try? OpenedFile(file, maximumBytes: .max) { reader.read(opened, format: .jsonl, chunk: 100) }
      return (reader.finish() == nil, problems.problems.count)
    }.value
    #expect(isNothing)
    #expect(problems == 0)
  }
}
