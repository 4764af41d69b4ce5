package import Evaluation
package import Failures
package import JSON
package import LanguageModels
package import Programs
package import Schema
package import Statistics

/// What can be told of a job in words, whichever it is and however far it came: read from the result of a compile or an
/// evaluation, or from what is known of a run that was cut off.
package struct JobOutline: ResultObject {
  package static let members: [Member<Self>] = [
    Member("runId", \.runID, "The run."),
    Member("status", \.status, "How it ended, RUNNING or ESTIMATED."),
    Member("score", \.score, "The score in percent."),
    Member("interval", \.interval, "The 95 % interval of the score."),
    Member("baselineScore", \.baselineScore, "The student's score."),
    Member("bestRunId", \.bestRunID, "The evaluation that the best program was chosen by."),
    Member("comparison", \.comparison, "Whether the best program is better than the student."),
    Member("selection", \.selection, "How optimistic the score is."),
    Member("test", \.test, "The scores on the testset."),
    Member("program", \.program, "The best program's state."),
    Member("trials", \.trials, "The evaluations of a search."),
    Member("summary", \.summary, "What a search did and why, in words."),
    Member("count", \.count, "Examples of an evaluation."),
    Member("failed", \.failed, "Examples without a value."),
    Member("refused", \.refused, "Those of them that were refused."),
    Member("failures", \.failures, "How many failed in which way."),
    Member("coverage", \.coverage, "The share of examples that were judged."),
    Member("results", \.results, "The examples of an evaluation."),
    Member("replies", \.replies, "How replies came out."),
    Member("adapter", \.adapter, "In which form the model was asked."),
    Member("usage", \.usage, "What was asked of models and what it cost."),
    Member("seconds", \.seconds, "How long it took."),
    Member("simulated", \.isSimulated, "Whether the embedded simulation answered."),
    Member("warnings", \.warnings, "What differed from the request."),
    Member("error", \.error, "What ended it early."),
    Member("resumeCommand", \.resumeCommand, "The command that continues it."),
  ]

  package var runID: String?
  package var status: String?
  package var score: Double?
  package var interval: PercentInterval?
  package var baselineScore: Double?
  package var bestRunID: String?
  package var comparison: PairedComparison?
  package var selection: Selection?
  package var test: TestScores?
  package var program: JSONObject?
  package var trials: [TrialResult] = []
  package var summary: String?
  package var count: Int?
  package var failed: Int?
  package var refused: Int?
  package var failures: [String: Int] = [:]
  package var coverage: Double?
  package var results: [ExampleResult]?
  package var replies: ReplyCounts?
  package var adapter: AdapterDecision?
  package var usage: UsageReport?
  package var seconds: Double?
  package var isSimulated = false
  package var warnings: [String] = []
  package var error: HoneError?
  package var resumeCommand: String?

  package init() {}
}
