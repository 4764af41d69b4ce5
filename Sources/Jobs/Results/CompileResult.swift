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
        "Whether the best program is better than the student on the rows it was chosen by, and how surely; corrected for how many were tried."
      ),
      Member("summary", \.summary, "What the search did and why, in words, for searches that tell."),
      Member("selection", \.selection, "How optimistic the score is, since the best program was chosen by it."),
      Member("test", \.test, "What the best program scores on the testset, beside the student."),
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
  /// What the search did and why, in words, for searches that tell.
  public var summary: String?
  /// How optimistic the score is, since the best program was chosen by it.
  public var selection: Selection?
  /// What the best program scores on the testset; nil where there is none.
  public var test: TestScores?
  public var ending = RunEnding()

  package static var otherReplies: [Schema] { [CompileEstimate.Report.schema] }

  package init() {}

  /// - Parameters:
  ///   - tracksEvaluations: whether evaluations are runs of their own.
  ///   - scoredOn: the rows that candidates were scored on.
  init(_ found: SearchResult, _ run: OpenRun, tracksEvaluations: Bool, scoredOn: Selection.Rows) {
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
    let candidates = found.confirmedAmong ?? Set(found.trials.map { Jobs.programID($0.evaluation.program) }).count
    let pair = Self.compared(found)
    comparison = pair.flatMap { PairedComparison($0.baseline, $0.best) }?.corrected(for: candidates - 1)
    guard found.best != nil else { return }
    let pairs = pair.map { PairedComparison.scores($0.baseline, $0.best) }
    selection = Selection(
      candidates: candidates, differences: pairs.map { zip($0.candidate, $0.baseline).map { $0 - $1 } } ?? [],
      scoredOn: found.confirmedAmong == nil ? scoredOn : .confirming)
  }

  /// The student's and the best program's evaluation on the same rows; nil where there are no two such.
  private static func compared(_ found: SearchResult) -> (baseline: EvaluationResult, best: EvaluationResult)? {
    guard let best = found.best?.result, let baseline = found.baseline?.result,
      found.best?.number != found.baseline?.number, best.outages == 0, baseline.outages == 0,
      best.examples.map(\.row) == baseline.examples.map(\.row)
    else { return nil }
    return (baseline, best)
  }
}

extension PairedComparison {
  /// Two evaluations of the same rows.
  init?(_ baseline: EvaluationResult, _ candidate: EvaluationResult) {
    let scores = Self.scores(baseline, candidate)
    self.init(baseline: scores.baseline, candidate: scores.candidate)
  }

  /// The scores of the rows that both judged. One that was refused, or met an outage, on either side says nothing of the
  /// difference.
  static func scores(
    _ baseline: EvaluationResult, _ candidate: EvaluationResult
  ) -> (baseline: [Double], candidate: [Double]) {
    let pairs = zip(baseline.examples, candidate.examples).filter { pair in
      [pair.0, pair.1].allSatisfy { !$0.isRefused && !$0.isOutage }
    }
    return (pairs.map { $0.0.score ?? 0 }, pairs.map { $0.1.score ?? 0 })
  }
}
