public import Evaluation
import Failures
import JSON
public import Jobs
import Schema

/// Something that happened in a run.
public enum RunEvent: Sendable {
  /// How far it is.
  case progress(ProgressReport)
  /// An evaluation of a search has ended.
  case trial(TrialResult)
  /// An example of an evaluation has ended.
  case example(ExampleResult)
  /// The run has ended. Comes from `watch`, once and last.
  case ended(RunResult)
}

/// The result of a run, whichever kind it is.
public enum RunResult: Sendable {
  case compile(CompileResult)
  case evaluate(EvaluateResult)

  /// - Throws: the error of a run that was cut off, of which no result was kept.
  init(_ object: JSONObject) throws(HoneError) {
    let value = JSONValue.object(object)
    if let result = EvaluateResult(json: value) {
      self = .evaluate(result)
    } else if let result = CompileResult(json: value) {
      self = .compile(result)
    } else {
      throw object["error"].flatMap { HoneError.read($0, at: "error", ProblemList()) }
        ?? HoneError(
          FailureKind(rawValue: "interrupted"), "No result of this run was kept.", remedy: "Go on with it: resume.")
    }
  }
}
