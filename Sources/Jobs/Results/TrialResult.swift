public import Evaluation
public import JSON
public import Schema

/// One evaluation of a search, as it is sent and kept.
public struct TrialResult: ResultObject {
  package static let members: [Member<Self>] =
    [
      Member("number", \.number, isAlwaysWritten: true, "Its number, from 1."),
      Member("name", \.name, isAlwaysWritten: true, "The evaluation's name within its run, such as eval_full_0."),
      Member("kind", \.kind, isAlwaysWritten: true, "eval_full, eval_minibatch or eval."),
      Member("runId", \.runID, "The run that it is tracked as."),
    ] + Member.of(\.figures) + [
      Member("bestSoFar", \.bestSoFar, isAlwaysWritten: true, "The best score of a full evaluation so far."),
      Member(
        "coordinates", \.coordinates, isAlwaysWritten: true, "Where in the optimizer's search the program stands."),
      Member("choice", \.choice, "What was tried, in words."),
      Member(
        "candidate", \.candidate, as: Schema(.named("Candidate")),
        "Where the program came from, and what became of it, for searches that tell."),
    ]

  /// Its number, from 1.
  public var number = 0
  /// The evaluation's name within its run, such as `eval_full_0`.
  public var name = ""
  /// `eval_full`, `eval_minibatch` or `eval`.
  public var kind = ""
  /// The run that it is tracked as.
  public var runID: String?
  public var figures = ScoreFigures()
  /// The best score of a full evaluation so far, in percent.
  public var bestSoFar: Double?
  /// Where in the optimizer's search the program stands.
  public var coordinates: JSONObject = [:]
  /// What was tried, in words.
  public var choice: String?
  /// Where the program came from, and what became of it, for searches that tell.
  public var candidate: CandidateNote?

  package init() {}

  /// - Parameter namesRun: whether evaluations are tracked as runs of their own.
  init(_ trial: Trial, namesRun: Bool) {
    number = trial.number
    name = trial.evaluation.name
    kind = trial.evaluation.key
    runID = namesRun ? trial.evaluation.id : nil
    figures = ScoreFigures(trial.result)
    bestSoFar = trial.bestSoFar
    coordinates = trial.evaluation.coordinates
    choice = trial.evaluation.choice
    candidate = trial.evaluation.candidate
  }
}
