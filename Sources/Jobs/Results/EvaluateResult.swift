public import Evaluation
package import Schema

/// What an evaluation came to.
public struct EvaluateResult: JobResult {
  package static let members: [Member<Self>] =
    [
      Member("runId", \.runID, isAlwaysWritten: true, "The run it is tracked as."),
      Member("experimentId", \.experimentID, isAlwaysWritten: true, "The run's experiment."),
      Member("status", \.status, isAlwaysWritten: true, "How it ended."),
    ] + Member.of(\.figures) + [
      Member(
        "results", \.results, isAlwaysWritten: true, as: Schema(.array(Schema(.named("ExampleResult")))),
        "The examples, as many as maxResults says."),
      Member("resultsTruncated", \.isTruncated, "Whether there are more examples than are listed."),
    ] + Member.of(\.ending)

  /// The run it is tracked as; nil where it is not.
  public var runID: String?
  public var experimentID = ""
  /// How it ended.
  public var status = RunOutcome.finished
  public var figures = ScoreFigures()
  /// The examples, as many as were asked for.
  public var results: [ExampleResult] = []
  /// Whether there are more examples than are listed.
  public var isTruncated = false
  public var ending = RunEnding()

  package init() {}

  init(_ found: EvaluationResult?, _ run: OpenRun, maxResults: Int) {
    runID = run.id
    experimentID = run.experimentID
    figures = ScoreFigures(found ?? EvaluationResult([]))
    let examples = found?.examples ?? []
    results = Array(examples.prefix(maxResults))
    isTruncated = (found?.count ?? 0) > maxResults
  }
}
