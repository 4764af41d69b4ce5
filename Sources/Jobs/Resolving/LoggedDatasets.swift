import Datasets
import Failures
import JSON
import Platform
import Schema
import Tracking

extension RequestResolver {
  /// The rows of a data set that a run was asked with, where a text names no file but such a data set; nil else.
  func loggedDataset(_ described: JSONValue) async throws(HoneError) -> Dataset? {
    guard let name = described["path"]?.stringValue, !environment.isCheck, !name.contains("'"),
      environment.place(ofFile: name).map({ !LocalFile.isRegularFile($0) }) ?? !name.contains("/")
    else { return nil }
    let store = try await workspace.store()
    let runs = try await store.searchRuns(
      experimentIDs: nil, filter: "datasets.name = '\(name)'", view: .activeOnly, maxResults: 50)
    for run in runs.items {
      guard let kept = try await store.keptRequest(run: run.id) else { continue }
      for member in ["devset", "trainset", "valset"] {
        guard let value = kept.params[member], value["name"]?.stringValue == name else { continue }
        if let dataset = try await KeptRows.dataset(value, in: store) { return dataset }
        guard value["rows"] != nil else { continue }
        // As it was read once; what is in the request is whole in itself.
        let places = DatasetPlaces(home: workspace.home, baseDirectory: environment.baseDirectory)
        return Dataset.load(value, path: member, places: places, problems: ProblemList())
      }
    }
    return nil
  }
}
