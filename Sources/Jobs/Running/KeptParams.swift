import Basics
import Datasets
import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import RowStorage
import Schema
import Tracking

extension RequestResolver {
  /// The members that stand in a kept request as they were given, and the programs, a judge's included: a reference is
  /// replaced by what it referred to.
  func kept(program: Program, metric: any Metric) -> JSONObject {
    var params = Self.frozen(fields.object.filter { !["detach", "estimate"].contains($0) }, program)
    if let judge = metric as? JudgeMetric, var stated = params["metric"]?.objectValue,
      let description = stated["judge"]?.objectValue
    {
      var description = Self.frozen(description, judge.judge)
      // Else the request's own, or what the environment names at that time.
      description["lm"] = .object(judge.configuration.json)
      stated["judge"] = .object(description)
      params["metric"] = .object(stated)
    }
    return params
  }

  /// Members with a program's state in place of a reference to the program, or of a program that may have references in it.
  private static func frozen(_ members: JSONObject, _ program: Program) -> JSONObject {
    guard let object = members["program"]?.objectValue, ProgramReference.isOne(object) || object["programs"] != nil
    else { return members }
    var members = members
    members["program"] = ["state": .object(StateFile.encode(program))]
    members["module"] = nil
    return members
  }

  /// Notes that a request which wants its run's id at once is not tracked.
  func checkDetached(_ isDetached: Bool, isTracked: Bool, switchName: String) {
    if isDetached, !isTracked {
      problems.add(
        "detach", "A detached run is found again by its id, so it must be tracked: leave autolog.\(switchName) on.")
    }
  }
}

extension JobTerms {
  /// The request as it is to be kept, with the rows of its data sets: large ones apart, in sets that it refers to.
  func keptParams(in store: TrackingStore) async throws(HoneError) -> (params: JSONObject, rowSets: [RowSet]) {
    var params = kept
    var rowSets: [RowSet] = []
    for (member, dataset) in keptData {
      var object: JSONObject = ["name": .string(dataset.name)]
      if dataset.rows.isSpilled {
        let set = try await store.keepRows(dataset.rows)
        rowSets.append(set)
        object[KeptRows.member] = .string(set.digest.description)
      } else {
        object["rows"] = .array(dataset.rows.map(JSONValue.object))
      }
      if let inputs = dataset.inputKeys { object["inputs"] = .array(inputs.map(JSONValue.string)) }
      params[member] = .object(object)
    }
    return (params, rowSets)
  }
}

/// A data set of a kept request whose rows stand apart: `{"name", "rowSet": digest, "inputs"?}`.
enum KeptRows {
  static let member = "rowSet"

  /// The data set that the value describes; nil where it is another description.
  static func dataset(_ value: JSONValue, in store: TrackingStore) async throws(HoneError) -> Dataset? {
    guard let digest = value[member]?.stringValue.flatMap({ ContentDigest($0) }), let name = value["name"]?.stringValue
    else { return nil }
    return Dataset(
      name: name, rows: try await store.keptRows(digest),
      inputKeys: value["inputs"]?.arrayValue?.compactMap(\.stringValue))
  }
}
