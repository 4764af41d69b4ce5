package import Datasets
import Evaluation
import Failures
package import JSON
import Platform
package import Schema
import Synchronization

/// The data sets that a document named last, so that checking it at every key does not read files anew that have not
/// changed.
package final class DatasetCache: Sendable {
  private struct Entry {
    var key: String
    var dataset: Dataset?
    var problems: [Problem]
    var dataProblems: [Problem]
  }

  private static let capacity = 6
  /// The latest used at the end.
  private let entries = Mutex<[Entry]>([])

  package init() {}

  /// What loading the value gave when its file was last as it is now, else what it gives.
  package func dataset(
    _ value: JSONValue, at path: String, places: DatasetPlaces, _ problems: ProblemList, _ dataProblems: ProblemList,
    load: (ProblemList, ProblemList) -> Dataset?
  ) -> Dataset? {
    let file = value["path"]?.stringValue.map { $0.hasPrefix("/") ? $0 : places.baseDirectory + "/" + $0 }
    let key = "\(path) \(file.map(Self.stamp) ?? "") \(places.baseDirectory) \(value.text())"
    let known = entries.withLock { entries -> Entry? in
      guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
      let entry = entries.remove(at: index)
      entries.append(entry)
      return entry
    }
    let entry = known ?? read(key, load)
    if Task.isCancelled { forget(key) }
    for problem in entry.problems { problems.add(problem) }
    for problem in entry.dataProblems { dataProblems.add(problem) }
    return entry.dataset
  }

  private func forget(_ key: String) { entries.withLock { $0.removeAll { $0.key == key } } }

  private func read(_ key: String, _ load: (ProblemList, ProblemList) -> Dataset?) -> Entry {
    let (problems, dataProblems) = (ProblemList(), ProblemList())
    let dataset = load(problems, dataProblems)
    let entry = Entry(
      key: key, dataset: dataset, problems: problems.problems, dataProblems: dataProblems.problems)
    entries.withLock { entries in
      if entries.count >= Self.capacity { entries.removeFirst() }
      entries.append(entry)
    }
    return entry
  }

  /// Changes when the file does.
  private static func stamp(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return "absent" }
    return "\(status.st_dev).\(status.st_ino).\(status.st_size).\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }
}
