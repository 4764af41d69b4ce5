import Failures
import Foundation
import JSON
import Schema

@testable import Datasets
@testable import Evaluation

/// The package's root directory, and beside it the reference data that some tests compare with.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
let sharedFolder = packageRoot.appending(path: "../shared").standardizedFileURL

func sharedFileExists(_ path: String) -> Bool {
  FileManager.default.fileExists(atPath: sharedFolder.appending(path: path).path)
}

func sharedJSON(_ path: String) throws -> JSONValue {
  try JSONReader.read(Data(contentsOf: sharedFolder.appending(path: path)))
}

/// A directory that is removed when the value goes.
final class TemporaryDirectory {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "hone-evaluation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }
}

/// Loads a data set with nothing from the environment; the problems as text.
func load(
  _ value: JSONValue, base: String = "/nonexistent", home: String = "/nonexistent/home", data: String? = nil
) -> (dataset: Dataset?, problems: [String]) {
  let problems = ProblemList()
  let places = DatasetPlaces(home: home, baseDirectory: base, dataDirectory: data)
  let dataset = Dataset.load(value, path: "trainset", places: places, problems: problems)
  return (dataset, problems.problems.map(\.description))
}
