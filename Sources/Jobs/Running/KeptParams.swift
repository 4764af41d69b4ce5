import Datasets
import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Schema

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

  /// Members with a program's state in place of a reference to the program.
  private static func frozen(_ members: JSONObject, _ program: Program) -> JSONObject {
    guard let object = members["program"]?.objectValue, ProgramReference.isOne(object) else {
      return members
    }
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

extension Dataset {
  /// The data set as a request would state it, rows and all.
  var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "rows": .array(rows.map(JSONValue.object))]
    if let inputKeys { object["inputs"] = .array(inputKeys.map(JSONValue.string)) }
    return .object(object)
  }
}
