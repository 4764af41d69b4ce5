import Failures
import Foundation
import JSON
import Platform
import RowStorage
import Testing

@testable import Datasets
@testable import Evaluation

private let hasOfficialFiles = sharedFileExists("data/gsm8k/train.jsonl")
private let hasIndices = sharedFileExists("reference/fixtures/dspy/gsm8k_split_indices.json")

struct GSM8KTests {
  @Test func `a row is parsed into question, reasoning and whole answer`() {
    let row: JSONObject = ["question": "Q?", "answer": "First <<1+1=2>>2.\nThen  more.\n#### 1,234"]
    #expect(
      GSM8K.parse(row) == ["question": "Q?", "gold_reasoning": "First <<1+1=2>>2. Then more.", "answer": "1234"])
    #expect(GSM8K.parse(["question": "Q?", "answer": "#### -5"])?["answer"] == "-5")
  }

  @Test(arguments: ["", "12", "no mark 12", "#### twelve", "#### 1.5", "#### 1 2"])
  func `a row without the mark and a whole number is none`(answer: String) {
    #expect(GSM8K.parse(["question": "Q?", "answer": .string(answer)]) == nil)
    #expect(GSM8K.parse(["answer": "#### 1"]) == nil)
  }

  @Test func `where the files are absent, it says where it looked and how to get them`() throws {
    let (dataset, problems) = load(["name": "gsm8k"], base: "/nonexistent/here", home: "/nonexistent/home", data: "/d")
    #expect(dataset == nil)
    #expect(problems.count == 1)
    let text = try #require(problems.first)
    #expect(text.contains("/d/gsm8k, /nonexistent/home/datasets/gsm8k, /nonexistent/here/data/gsm8k"))
    #expect(
      text.contains(
        "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/train.jsonl"))
    #expect(text.contains("$HONE_DATA"))
  }

  @Test func `files of one's own are split alike and said not to be official`() throws {
    let folder = try TemporaryDirectory()
    let lines = (0..<300).map { "{\"question\":\"q\($0)\",\"answer\":\"r\\n#### \($0)\"}" }
    try folder.write(lines.joined(separator: "\n"), to: "train.jsonl")
    let value: JSONObject = ["name": "gsm8k", "path": .string(folder.path)]
    let train = try #require(load(.object(value)).dataset)
    #expect(train.count == 200)
    #expect(train.name == "gsm8k/train")
    #expect(train.inputKeys == ["question"])
    #expect(train.source.details == ["split": "train", "official": false])
    let dev = try #require(load(.object(value.merging(["split": "dev"]))).dataset)
    #expect(dev.count == 100)
    #expect(Set(dev.rows).isDisjoint(with: Set(train.rows)))
    let full = try #require(load(.object(value.merging(["split": "train_full"]))).dataset)
    #expect(Array(full.rows) == Array(train.rows) + Array(dev.rows))
    #expect(load(.object(value.merging(["split": "test"]))).problems.count == 1)
  }

  @Test func `bad rows are told with the file's name`() throws {
    let folder = try TemporaryDirectory()
    try folder.write("{\"question\":\"q\",\"answer\":\"5\"}\n{}\n", to: "test.jsonl")
    let (_, problems) = load(["name": "gsm8k", "split": "test", "path": .string(folder.path)])
    #expect(problems.count == 2)
    #expect(problems.contains { $0.contains("Row 1 of \(folder.path)/test.jsonl is not a GSM8K problem") })
  }

  @Test(.enabled(if: hasOfficialFiles && hasIndices), arguments: ["train", "dev", "test"])
  func `the official splits hold the rows that DSPy's hold, in order`(split: String) throws {
    let data = sharedFolder.appending(path: "data").path
    let dataset = try #require(load(["name": "gsm8k", "split": .string(split)], data: data).dataset)
    #expect(dataset.source.details["official"] == true)
    #expect(dataset.count == ["train": 200, "dev": 300, "test": 1319][split])
    let indices = try sharedJSON("reference/fixtures/dspy/gsm8k_split_indices.json")
    let key = split == "test" ? "test_first_50" : split
    let wanted = try #require(indices[key]?.arrayValue).compactMap(\.intValue)
    let file = "\(data)/gsm8k/\(split == "test" ? "test" : "train").jsonl"
    let lines = try LocalFile.read(file, maximumBytes: 1 << 24).split(separator: 0x0A)
    for (place, index) in wanted.enumerated() {
      let official = try #require(JSONReader.read(lines[index]).objectValue)
      #expect(dataset.rows[place] == GSM8K.parse(official))
    }
  }

  @Test(.enabled(if: hasOfficialFiles))
  func `the full splits hold every official row`() throws {
    let data = sharedFolder.appending(path: "data").path
    #expect(load(["name": "gsm8k", "split": "train_full"], data: data).dataset?.count == 7_473)
    let all = load(["name": "gsm8k", "split": "all", "limit": 8_000, "shuffleSeed": 1], data: data).dataset
    #expect(all?.count == 8_000)
  }
}

/// Answers every URL from a table.
private struct TableFetcher: DatasetFetcher {
  var files: [String: [UInt8]]

  func fetch(_ url: String, maximumBytes: Int) async throws(HoneError) -> [UInt8] {
    guard let bytes = files[url] else { throw HoneError(.notFound, "No \(url).") }
    return bytes
  }
}

struct DatasetDownloadTests {
  @Test func `other content than the published is refused and not kept`() async throws {
    let folder = try TemporaryDirectory()
    let fetcher = TableFetcher(files: [GSM8K.OfficialFile.train.url: Array("evil".utf8)])
    await #expect { try await DatasetDownload.gsm8k(home: folder.path, fetcher: fetcher) } throws: {
      ($0 as? HoneError)?.kind == .datasetInvalid
    }
    #expect(!LocalFile.isRegularFile("\(folder.path)/datasets/gsm8k/train.jsonl"))
  }

  @Test(.enabled(if: hasOfficialFiles))
  func `the published files are fetched once and found afterwards`() async throws {
    let folder = try TemporaryDirectory()
    let home = "\(folder.path)/new/home"
    let data = sharedFolder.appending(path: "data/gsm8k").path
    let fetcher = TableFetcher(files: [
      GSM8K.OfficialFile.train.url: try LocalFile.read("\(data)/train.jsonl", maximumBytes: 1 << 24),
      GSM8K.OfficialFile.test.url: try LocalFile.read("\(data)/test.jsonl", maximumBytes: 1 << 24),
    ])
    let place = try await DatasetDownload.gsm8k(home: home, fetcher: fetcher)
    #expect(place == "\(home)/datasets/gsm8k")
    #expect(load(["name": "gsm8k", "split": "test"], home: home).dataset?.count == 1319)
    // A second time nothing is asked for.
    try await DatasetDownload.gsm8k(home: home, fetcher: TableFetcher(files: [:]))
  }
}
