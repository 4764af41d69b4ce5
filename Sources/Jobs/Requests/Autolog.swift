package import JSON
package import Schema

/// What is tracked without being asked for; everything unless said.
package struct Autolog: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member("compiles", \.compiles, also: ["log_compiles"], "A run for each compile."),
    Member("evals", \.evals, also: ["log_evals"], "A run for each evaluation, also those that a compile makes."),
    Member(
      "tracesFromCompile", \.tracesFromCompile, also: ["log_traces_from_compile"],
      "Traces of the executions of a compile."),
    Member(
      "tracesFromEval", \.tracesFromEval, also: ["log_traces_from_eval"], "Traces of the executions of an evaluation."),
    Member("traces", \.traces, also: ["log_traces"], "Traces of predictions outside any run."),
  ]

  package var compiles = true
  package var evals = true
  package var tracesFromCompile = true
  package var tracesFromEval = true
  package var traces = true

  package init() {}

  package static var schema: Schema {
    Schema(.either([Schema(.named("Autolog"), "which parts to track"), Bool.schema]))
  }

  /// False alone switches everything off.
  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Autolog? {
    if let flag = value.boolValue { return Autolog(all: flag) }
    return FieldReader(value, path: place, problems: problems).flatMap { read($0) }
  }

  private init(all: Bool) {
    compiles = all
    evals = all
    tracesFromCompile = all
    tracesFromEval = all
    traces = all
  }
}

/// Tags of Hone's own beside MLflow's.
package enum HoneTag {
  /// `compile` or `evaluate` on runs that a request made.
  package static let kind = "hone.kind"
  /// How the work ended, in the words of the result (`FINISHED`, `BUDGET_EXHAUSTED` …).
  package static let status = "hone.status"
  package static let languageModel = "hone.lm"
  package static let bestRun = "hone.bestRunId"
  package static let bestScore = "hone.bestScore"
  package static let simulated = "hone.simulated"
  package static let error = "hone.error"
  /// What to do about the error.
  package static let remedy = "hone.remedy"
  /// What differed from the request, one line each.
  package static let warnings = "hone.warnings"
  /// What a search did and why, in words.
  package static let summary = "hone.summary"
  /// What a run waits for: milliseconds since 1970 until when, a space, and the words.
  package static let waiting = "hone.waiting"
  /// The program file that the request was made from.
  package static let file = "hone.file"
  /// On an evaluation within a compile: what was evaluated.
  package static let evaluation = "hone.evaluation"
  /// On an evaluation within a compile: its place in the search, from 1. Starts alone do not tell it: many are at once.
  package static let trial = "hone.trial"
  /// On an evaluation within a compile: what was tried, in words.
  package static let choice = "hone.choice"
}
