import Evaluation
public import JSON
import LanguageModels
import Optimizers
public import Programs
package import Schema
public import Statistics

/// What a compile came to.
public struct CompileResult: JobResult {
  package static let members: [Member<Self>] =
    [
      Member("runId", \.runID, isAlwaysWritten: true, "The run it is tracked as."),
      Member("experimentId", \.experimentID, isAlwaysWritten: true, "The run's experiment."),
      Member("status", \.status, isAlwaysWritten: true, "How it ended."),
      Member("score", \.score, isAlwaysWritten: true, "The best program's score in percent."),
      Member("interval", \.interval, isAlwaysWritten: true, "The 95 % interval of the score."),
      Member("baselineScore", \.baselineScore, isAlwaysWritten: true, "The student's score in percent."),
      Member("bestRunId", \.bestRunID, isAlwaysWritten: true, "The evaluation that the best program was chosen by."),
      Member("program", \.state, isAlwaysWritten: true, as: Schema(.named("State")), "The best program's state."),
      Member(
        "programId", \.programID, isAlwaysWritten: true, "The best program's id, for predict, evaluate and compile."),
      Member("artifactUri", \.artifactURI, isAlwaysWritten: true, "Where the best program is kept."),
      Member(
        "trials", \.trials, isAlwaysWritten: true, as: Schema(.array(Schema(.named("Trial")))),
        "Every evaluation, in order."),
      Member(
        "replies", \.replies, as: Schema(.named("Replies")), "How the model's replies to the best program came out."),
      Member(
        "comparison", \.comparison, as: Schema(.named("Comparison")),
        "Whether the best program is better than the student, and how surely."),
    ] + Member.of(\.ending)

  /// The run it is tracked as; nil where it is not.
  public var runID: String?
  public var experimentID = ""
  /// How it ended.
  public var status = RunOutcome.finished
  /// The best program's score in percent; nil where nothing was scored.
  public var score: Double?
  /// The 95 % interval of the score.
  public var interval: PercentInterval?
  /// The student's score in percent.
  public var baselineScore: Double?
  /// The evaluation that the best program was chosen by.
  public var bestRunID: String?
  /// The best program's state, as DSPy's `save()` writes it.
  public var state: JSONObject = [:]
  package var programID = ""
  public var artifactURI: String?
  /// Every evaluation, in order.
  public var trials: [TrialResult] = []
  /// How the model's replies to the best program came out.
  public var replies: ReplyCounts?
  /// Whether the best program is better than the student on the same examples, and how surely.
  public var comparison: PairedComparison?
  public var ending = RunEnding()

  package static var otherReplies: [Schema] { [CompileEstimate.Report.schema] }

  package init() {}

  /// - Parameter tracksEvaluations: whether evaluations are runs of their own.
  init(_ found: SearchResult, _ run: OpenRun, tracksEvaluations: Bool) {
    let program = found.program
    runID = run.id
    experimentID = run.experimentID
    score = found.best?.result.score
    interval = found.best?.result.interval
    baselineScore = found.baseline?.result.score
    bestRunID = tracksEvaluations ? found.best?.evaluation.id : nil
    state = StateFile.encode(program)
    programID = Jobs.programID(program)
    artifactURI = run.id.map { "mlflow-artifacts:/\(run.experimentID)/\($0)/artifacts/best_model.json" }
    trials = found.trials.map { TrialResult($0, namesRun: tracksEvaluations) }
    replies = (found.best ?? found.baseline)?.result.replies
    comparison = Self.comparison(found)
  }

  /// Whether the best program is better than the student on the same rows, and how surely.
  private static func comparison(_ found: SearchResult) -> PairedComparison? {
    guard let best = found.best?.result, let baseline = found.baseline?.result,
      found.best?.number != found.baseline?.number, best.coverage == 1, baseline.coverage == 1,
      best.examples.map(\.row) == baseline.examples.map(\.row)
    else { return nil }
    return PairedComparison(
      baseline: baseline.examples.map { $0.score ?? 0 }, candidate: best.examples.map { $0.score ?? 0 })
  }
}
