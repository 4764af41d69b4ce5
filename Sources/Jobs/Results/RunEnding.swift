public import Evaluation
public import Failures
import JSON
public import LanguageModels
public import Schema

/// The result of a job: what was found, and how its run ended.
package protocol JobResult: ResultObject {
  var runID: String? { get }
  var status: RunOutcome { get set }
  var ending: RunEnding { get set }
  /// What a request for it may be answered with beside a result and the word that it has begun.
  static var otherReplies: [Schema] { get }
}

extension JobResult {
  package static var otherReplies: [Schema] { [] }
}

/// How a job ended, and what it paid: the last members of its result.
public struct RunEnding: ResultObject {
  package static let members: [Member<Self>] = [
    Member("usage", \.usage, isAlwaysWritten: true, "What was asked of models and what it cost."),
    Member("seconds", \.seconds, isAlwaysWritten: true, "How long it took."),
    Member(
      "adapter", \.adapter, as: Schema(.named("AdapterDecision")),
      "In which form the model was asked, where that was decided."),
    Member("simulated", \.isSimulated, "Whether the embedded simulation answered, and not a model."),
    Member("warnings", \.warnings, "What differed from the request."),
    Member("error", \.error, "What ended the work early."),
    Member("resumeCommand", \.resumeCommand, "The command that continues it."),
  ]

  public var usage = UsageReport()
  public var seconds = 0.0
  /// In which form the model was asked, where that was decided.
  public var adapter: AdapterDecision?
  /// Whether the embedded simulation answered, and not a model.
  public var isSimulated = false
  /// What differed from the request.
  public var warnings: [String] = []
  /// What ended the work early.
  public var error: HoneError?
  /// The shell command that makes it go on.
  public var resumeCommand: String?

  package init() {}
}
