import JSON
import RowStorage
import Testing

@testable import Datasets
@testable import Evaluation

struct InlineDatasetTests {
  @Test func `an array of objects is a data set`() throws {
    let (dataset, problems) = load([["q": "1"], ["q": "2"]])
    #expect(problems == [])
    #expect(dataset?.rows == [["q": "1"], ["q": "2"]])
    #expect(dataset?.inputKeys == nil)
    #expect(dataset?.name == "inline")
    #expect(dataset?.source.type == "inline")
  }

  @Test func `rows may come with inputs and a name`() throws {
    let (dataset, problems) = load(["name": "mine", "inputs": ["q"], "rows": [["q": "1", "a": 2]]])
    #expect(problems == [])
    #expect(dataset?.name == "mine")
    #expect(dataset?.inputKeys == ["q"])
  }

  @Test func `a data set without rows is refused`() {
    #expect(load([]).problems == ["trainset: The data set is empty: it needs at least one row."])
    #expect(load(["rows": []]).dataset == nil)
  }

  @Test func `every bad row is told with its number`() {
    let (dataset, problems) = load(["inputs": ["q"], "rows": [["q": 1], 7, ["a": 1], [:], "x"]])
    #expect(dataset == nil)
    #expect(
      problems == [
        "trainset.rows[1]: A row must be an object, got a number.",
        "trainset.rows[3]: This row has no members.",
        "trainset.rows[4]: A row must be an object, got a string.",
        "trainset.rows[1]: The input \"q\" is missing; the row has a.",
      ])
  }

  @Test(
    "a text is rows, a name or a path",
    arguments: [
      ("q,a\n1,2\n3,4", ["text": "q,a\n1,2\n3,4"]), ("{\"q\": 1}", ["text": "{\"q\": 1}"]),
      ("word-problems:val", ["name": "word-problems", "split": "val"]), ("gsm8k", ["name": "gsm8k"]),
      ("rows.csv", ["path": "rows.csv"]), ("a:b", ["path": "a:b"]),
    ] as [(JSONValue, JSONValue)])
  func describesTexts(text: JSONValue, value: JSONValue) {
    #expect(Dataset.described(by: text) == value)
    #expect(Dataset.described(by: value) == value)
  }

  @Test func `after twenty problems reading stops and says so`() {
    let (_, problems) = load(.array(Array(repeating: 1, count: 500)))
    #expect(problems.count == 21)
    #expect(problems.last == "trainset: There are 20 problems or more; reading stopped here.")
  }

  @Test(
    arguments: [
      (["rows": "x"], "trainset.rows: Expected an array of rows, got a string."),
      ([:], "trainset: A data set needs one of \"rows\", \"path\", \"text\" and \"name\"."),
      (
        7,
        "trainset: Expected a data set (an array of rows, an object with rows, path, text or name, or a text), got a number."
      ),
      ("/absent/file.csv", "trainset: /absent/file.csv cannot be read: no such file or directory."),
      ("a,b\n1", "trainset.rows[0]: Line 2 has 1 fields, the first line names 2 columns."),
      (
        ["text": "a,b\n1,2", "path": "x"],
        "trainset.path: This member has no effect here: the content is in the request itself."
      ),
      (["rows": [["q": 1]], "limt": 3], "trainset.limt: There is no such member here. Did you mean \"limit\"?"),
      (["rows": [["q": 1]], "limit": 0], "trainset.limit: Expected a whole number of at least 1, got a number 0."),
      (["rows": [["q": 1]], "offset": -1], "trainset.offset: Expected a whole number of at least 0, got a number -1."),
      (["rows": [["q": 1]], "offset": 1], "trainset: No row is left: the source has 1 rows and offset is 1."),
      (["rows": [["q": 1]], "inputs": ["q", "q"]], "trainset.inputs[1]: \"q\" appears twice."),
      (["rows": [["q": 1]], "inputs": []], "trainset.inputs: Name at least one input, or leave this out."),
      (["name": "gsm8"], "trainset.name: Expected one of gsm8k, word-problems, got \"gsm8\". Did you mean \"gsm8k\"?"),
      (
        ["name": "word-problems", "split": "dev"],
        "trainset.split: Expected one of train, val, test, got \"dev\"."
      ),
    ] as [(JSONValue, String)])
  func `what is wrong with a request is told in words`(value: JSONValue, problem: String) {
    let result = load(value)
    #expect(result.dataset == nil)
    #expect(result.problems == [problem])
  }

  @Test func `all problems of a request are told at once`() {
    let (_, problems) = load(["rows": [1], "limit": "3", "inputs": 4, "bogus": true])
    #expect(problems.count == 4)
  }

  @Test func `rows are shuffled first, then cut`() throws {
    let rows: [JSONValue] = (0..<20).map { ["i": .int($0)] }
    let (dataset, _) = load(["rows": .array(rows), "shuffleSeed": 0, "offset": 2, "limit": 3])
    // Python: random.Random(0).shuffle gives 10, 18, 16, 14, 0, …
    #expect(dataset?.rows.map { $0["i"]?.intValue } == [16, 14, 0])
    #expect(dataset?.source.json == ["uri": "", "shuffleSeed": 0, "offset": 2, "limit": 3])
  }

  @Test func `a limit beyond the rows takes them all`() {
    #expect(load(["rows": [["i": 1], ["i": 2]], "limit": 9]).dataset?.count == 2)
    #expect(load(["rows": [["i": 1], ["i": 2]], "offset": 1]).dataset?.count == 1)
  }
}

struct DatasetDigestTests {
  @Test func `the digest is that of the canonical JSON`() {
    // printf '[{"a":[1,{"c":null,"d":true}],"b":"é"}]' | sha256sum
    let rows: Rows = [["b": "é", "a": [1, ["d": true, "c": nil]]]]
    #expect(Dataset.contentDigest(of: rows) == "7fe25e52")
  }

  @Test func `the order of members does not count, that of rows does`() {
    let one = Dataset(name: "x", rows: [["a": 1, "b": 2], ["c": 3]])
    let two = Dataset(name: "y", rows: [["b": 2, "a": 1], ["c": 3]])
    let three = Dataset(name: "x", rows: [["c": 3], ["a": 1, "b": 2]])
    #expect(one.digest == two.digest)
    #expect(one.digest != three.digest)
    #expect(one.digest.count == 8)
  }

  @Test func `schema and profile tell columns and sizes`() {
    let rows: Rows = [
      ["q": "x", "n": 1, "m": 1, "t": ["a"], "o": ["k": 1], "f": true],
      ["q": "y", "n": 2.5, "m": "s", "t": [], "o": ["k": 2, "l": "z"], "z": nil],
    ]
    let dataset = Dataset(name: "x", rows: rows)
    #expect(
      JSONValue.object(dataset.schema) == [
        "mlflow_colspec": [
          ["type": "string", "name": "q", "required": true],
          ["type": "double", "name": "n", "required": true],
          ["type": "any", "name": "m", "required": true],
          ["type": "array", "items": ["type": "string"], "name": "t", "required": true],
          [
            "type": "object",
            "properties": ["k": ["type": "long", "required": true], "l": ["type": "string", "required": false]],
            "name": "o", "required": true,
          ],
          ["type": "boolean", "name": "f", "required": false],
          ["type": "any", "name": "z", "required": false],
        ]
      ])
    #expect(dataset.profile == ["num_rows": 2, "num_elements": 12])
  }
}
