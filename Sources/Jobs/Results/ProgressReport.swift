package import Evaluation
import JSON
public import Schema

/// How far a job is.
public struct ProgressReport: ResultObject {
  package static let members: [Member<Self>] = [
    Member("phase", \.phase, "What is being done now, for a person."),
    Member("executions", \.executions, "Executions done."),
    Member("planned", \.planned, "Executions planned, as far as known."),
    Member("calls", \.calls, "Model calls so far."),
    Member("tokens", \.tokens, "Tokens so far."),
    Member("seconds", \.seconds, "Seconds since it began."),
    Member("runId", \.runID, "The run."),
    Member("trial", \.trial, "The last evaluation that ended."),
    Member("score", \.score, "The best score so far."),
    Member("secondsLeft", \.secondsLeft, "About how many seconds are left."),
    Member("waitingUntil", \.waitingUntil, "Until when it waits for an endpoint, in milliseconds since 1970."),
    Member("processId", \.processID, "The process that does the work, where it is another one."),
  ]

  /// What is being done now, for a person.
  public var phase: String?
  /// Executions done, of those planned as far as known.
  public var executions: Int?
  public var planned: Int?
  /// Model calls and tokens so far.
  public var calls: Int?
  public var tokens: Int?
  /// Seconds since it began.
  public var seconds: Double?
  public var runID: String?
  /// The number of the last evaluation that ended.
  public var trial: Int?
  /// The best score so far, in percent.
  public var score: Double?
  /// About how many seconds are left.
  public var secondsLeft: Double?
  /// Until when it waits for an endpoint, in milliseconds since 1970; nil where it does not.
  public var waitingUntil: Int?
  /// The process that does the work, where it is another one.
  public var processID: Int?
  /// 0 to 100, never falling; nil while unknown.
  public var percentage: Int?
  /// The same in one line for a person.
  public var message = ""

  package init() {}
}

/// Hears how far a long call is.
package protocol ProgressSink: Sendable {
  func begin(_ title: String)
  func report(_ report: ProgressReport)
  /// An evaluation of a search has ended.
  func finished(_ trial: TrialResult)
  /// An example of an evaluation has ended.
  func finished(_ example: ExampleResult)
  func end(_ message: String)
}

extension ProgressSink {
  package func begin(_ title: String) {}
  package func finished(_ trial: TrialResult) {}
  package func finished(_ example: ExampleResult) {}
  package func end(_ message: String) {}
}
