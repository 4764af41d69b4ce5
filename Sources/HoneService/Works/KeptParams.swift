import Evaluation
import Failures
import JSON
import Programs

extension RequestParts {
  /// The members that stand in a kept request as they were given, and the program: a reference is replaced by what it
  /// referred to.
  func kept(program: Program) -> JSONObject {
    var params = fields.object.filter { !["detach", "estimate"].contains($0) }
    if let object = params["program"]?.objectValue, Self.referenceKeys.contains(where: { object[$0] != nil }) {
      params["program"] = ["state": .object(StateFile.encode(program))]
      params["module"] = nil
    }
    return params
  }

  /// Whether the request wants its run's id at once.
  func isDetached(isTracked: Bool, switchName: String) -> Bool {
    let isDetached = fields.bool("detach") ?? false
    if isDetached, !isTracked {
      problems.add(
        "detach", "A detached run is found again by its id, so it must be tracked: leave autolog.\(switchName) on.")
    }
    return isDetached
  }
}

extension Dataset {
  /// The data set as a request would state it, rows and all.
  var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "rows": .array(rows.map(JSONValue.object))]
    if let inputKeys { object["inputs"] = .array(inputKeys.map(JSONValue.string)) }
    return .object(object)
  }
}
