import Basics
import Crypto
import Failures
import JSON
import Platform
import Randomness
import RowStorage
import Schema

/// The grade-school mathematics problems GSM8K, in DSPy's parsing and splits.
///
/// Each official file is shuffled whole by its own `Random(0)`; `train` is the first 200 rows of the
/// shuffled official train file, `dev` the 300 behind them, `test` the whole shuffled test file. Rows
/// have `question`, `gold_reasoning` (the worked solution, its calculator marks kept, white space
/// folded) and `answer` (a whole number in digits).
///
/// Source: K. Cobbe et al., "Training Verifiers to Solve Math Word Problems", arXiv:2110.14168.
struct GSM8K {
  enum Split: String, CaseIterable {
    case train, dev, test
    /// All 7,473 rows of the official train file, shuffled; `train` and `dev` are its beginning.
    case trainFull = "train_full"
    /// The rows of `train_full`, then those of `test`.
    case all

    fileprivate var files: [OfficialFile] {
      switch self {
      case .train, .dev, .trainFull: [.train]
      case .test: [.test]
      case .all: [.train, .test]
      }
    }

    fileprivate var range: Range<Int>? {
      switch self {
      case .train: 0..<200
      case .dev: 200..<500
      default: nil
      }
    }
  }

  /// One of the two files as its authors publish it.
  struct OfficialFile {
    var name: String
    var sha256: String
    var byteCount: Int
    var url: String {
      "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/\(name)"
    }

    static let train = OfficialFile(
      name: "train.jsonl", sha256: "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
      byteCount: 4_166_206)
    static let test = OfficialFile(
      name: "test.jsonl", sha256: "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
      byteCount: 749_738)
  }

  struct Loaded {
    var rows: [JSONObject]
    /// Whether every file read is, byte for byte, the one its authors publish.
    var isOfficial: Bool
  }

  /// Where to look, in this order.
  var directories: [String]
  var path: String
  var problems: ProblemList

  static func directories(in places: DatasetPlaces) -> [String] {
    [
      places.dataDirectory.map { LocalFile.resolve("gsm8k", base: $0) },
      downloadDirectory(home: places.home),
      LocalFile.resolve("data/gsm8k", base: places.baseDirectory).within(places.enclosure),
    ].compactMap(\.self)
  }

  static func downloadDirectory(home: String) -> String { LocalFile.resolve("datasets/gsm8k", base: home) }

  static func hex(sha256 bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

  func load(_ split: Split) -> Loaded? {
    var result = Loaded(rows: [], isOfficial: true)
    for file in split.files {
      guard let (bytes, location) = read(file), var rows = parse(bytes, location: location) else { return nil }
      if Self.hex(sha256: bytes) != file.sha256 { result.isOfficial = false }
      var random = PythonRandom(seed: 0)
      random.shuffle(&rows)
      result.rows += split.range.map { Array(rows[$0.clamped(to: 0..<rows.count)]) } ?? rows
    }
    return result
  }

  private func read(_ file: OfficialFile) -> (bytes: [UInt8], location: String)? {
    for directory in directories {
      let location = LocalFile.resolve(file.name, base: directory)
      do throws(LocalFile.Failure) {
        return (try LocalFile.read(location, maximumBytes: Dataset.maximumDocumentBytes), location)
      } catch  where error.isAbsent {
        continue
      } catch {
        problems.add(path, "\(location) cannot be read: \(error.reason).")
        return nil
      }
    }
    problems.add(
      path,
      "The data set gsm8k is not on this machine: there is no \(file.name) in \(directories.joined(separator: ", ")). "
        + "Put \(OfficialFile.train.url) and \(OfficialFile.test.url) into one of these directories, or name "
        + "theirs with the member \"path\" or with $HONE_DATA.")
    return nil
  }

  private func parse(_ bytes: [UInt8], location: String) -> [JSONObject]? {
    var lines = RowReader(path: path, problems: problems)
    lines.read(bytes, format: .jsonl)
    var rows: [JSONObject] = []
    for (index, row) in (lines.finish(evenIfWrong: true) ?? []).enumerated() {
      if let parsed = Self.parse(row) {
        rows.append(parsed)
      } else {
        lines.note(
          "\(path).rows[\(index)]",
          "Row \(index + 1) of \(location) is not a GSM8K problem: it needs \"question\" and an \"answer\" that ends "
            + "in \"#### \" and a whole number.",
          got: JSONValue.object(row).excerpt)
        guard lines.mayGoOn else { break }
      }
    }
    return lines.isClean ? rows : nil
  }

  /// The official row as DSPy reads it, or nil where it is no such row.
  static func parse(_ row: JSONObject) -> JSONObject? {
    guard let question = row["question"]?.stringValue, let solution = row["answer"]?.stringValue else { return nil }
    let tokens = PythonText.split(solution)
    guard tokens.count >= 2, tokens[tokens.count - 2] == "####" else { return nil }
    guard let answer = Int(tokens[tokens.count - 1].filter { $0 != "," }) else { return nil }
    return [
      "question": .string(question),
      "gold_reasoning": .string(tokens.dropLast(2).joined(separator: " ")),
      "answer": .string(String(answer)),
    ]
  }
}

extension String {
  /// The path, if the enclosure has it or there is none.
  fileprivate func within(_ enclosure: Enclosure?) -> String? { enclosure.map { $0.place(of: self) } ?? self }
}
