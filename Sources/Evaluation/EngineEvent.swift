import Basics
public import Failures
public import JSON
import LanguageModels
package import Programs
public import Schema
package import Traces

/// One evaluation of one program, as it is announced before its first example.
package struct EvaluationInfo: Sendable {
  /// The id under which it may be tracked: 32 hexadecimal digits. Within a run it follows from the run's id and the
  /// evaluation's name, so that a run done again meets its own evaluations.
  package var id: String
  /// What kind it is: `eval_full`, `eval_minibatch` or `eval`.
  package var key: String
  /// How many evaluations of that kind came before it in this run.
  package var index: Int
  /// Its place among all evaluations of this run, from 1, in the order that the search decided on them.
  package var place: Int
  package var program: Program
  /// Where in the optimizer's search the program stands (trial, instruction and demo-set indices …).
  package var coordinates: JSONObject
  /// The rows of the data set that are evaluated.
  package var rows: [Int]
  package var metric: String
  /// Whether the results keep what each predictor was given and gave.
  package var keepsSteps = false
  /// What the program is in the search, for those that say so.
  package var candidate: CandidateNote?

  package init(
    run: String?, key: String, index: Int, place: Int = 1, program: Program, coordinates: JSONObject = [:],
    rows: [Int], metric: String
  ) {
    id = run.map { String(ContentDigest.of("\($0)/\(key)_\(index)").description.prefix(32)) } ?? randomRunID()
    self.key = key
    self.index = index
    self.place = place
    self.program = program
    self.coordinates = coordinates
    self.rows = rows
    self.metric = metric
  }

  /// `eval_full_0`: the evaluation's name within its run, the same whenever the run is done again.
  package var name: String { "\(key)_\(index)" }
}

/// One example's part in an evaluation.
public struct ExampleResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("index", \.row, isAlwaysWritten: true, "The row in the data set, from 0."),
    Member(
      "score", \.shownScore, isAlwaysWritten: true, as: Schema(.either([Double.schema, Bool.schema])).orNull,
      "What the metric gave: true, false or a number; null where something failed."),
    Member("outputs", \.outputs, isAlwaysWritten: true, "What the program answered."),
    Member("feedback", \.feedback, "What the metric said beside the score."),
    Member("traceId", \.traceName, "The trace of the execution."),
    Member("error", \.failure, "What failed."),
  ]

  /// The row in the data set.
  public var row = 0
  /// The metric's value; nil where there is none because something failed.
  public var score: Double?
  /// The value as the metric gave it (`true`, `0.5` …).
  package var raw = JSONValue.null
  public var feedback: String?
  package var example: JSONObject = [:]
  public var outputs: JSONObject = [:]
  public var error: HoneError?
  package var traceID: TraceID?
  /// What each predictor was given and gave, where the evaluation was to keep it.
  package var steps: [PredictorStep] = []
  /// Further scores that the metric gave, by name.
  package var objectives: [String: Double] = [:]
  /// What the metric said of single predictors, by name.
  package var predictorFeedback: [String: String] = [:]
  /// How the model's replies came out.
  package var replies = ReplyCounts()

  package init() {}

  package init(
    row: Int, score: Double?, raw: JSONValue = .null, feedback: String? = nil, example: JSONObject,
    outputs: JSONObject = [:], error: HoneError? = nil, traceID: TraceID? = nil
  ) {
    self.row = row
    self.score = score
    self.raw = raw
    self.feedback = feedback
    self.example = example
    self.outputs = outputs
    self.error = error
    self.traceID = traceID
  }

  // MARK: As it is sent

  fileprivate var shownScore: JSONValue {
    get { score == nil ? .null : raw }
    set {
      raw = newValue
      score = newValue.boolValue.map { $0 ? 1 : 0 } ?? newValue.doubleValue
    }
  }

  /// The trace of the execution: `tr-` and 32 hexadecimal digits.
  public var traceName: String? {
    get { traceID?.description }
    set { traceID = newValue.flatMap { TraceID($0) } }
  }

  /// What failed, without what to do next, which is the same for every example.
  fileprivate struct Failure: ResultObject {
    static let members: [Member<Self>] = [
      Member("kind", \.kind, isAlwaysWritten: true, "What kind of failure it is, as in x-errorKinds."),
      Member("message", \.message, isAlwaysWritten: true, "What happened."),
    ]
    var kind = ""
    var message = ""
  }

  fileprivate var failure: Failure? {
    get { error.map { Failure(kind: $0.kind.rawValue, message: $0.messageWithCause) } }
    set { error = newValue.map { HoneError(FailureKind(rawValue: $0.kind), $0.message) } }
  }

  /// Whether the failure says nothing about the program: the model could not be reached or gave no answer.
  ///
  /// Refusals stand apart (`isRefused`). All else counts as a score of 0: unreadable answers, prompts too long for the model, and rows that lack an input
  /// or that the metric cannot judge, which are the same for every program and must not keep all from being ranked.
  package var isOutage: Bool { Self.isOutage(error?.kind) }

  /// Whether there is no answer, or none that the metric can judge.
  package var isEmpty: Bool {
    guard let kind = error?.kind else { return false }
    return [.contextWindowExceeded, .metricFailed, .programInvalid, .replyEmpty, .replyToolCall].contains(kind)
  }

  /// Whether the endpoint or the model refused the row's text: it is left out of the score, which says nothing of it.
  package var isRefused: Bool { error?.kind.isRefusal == true }

  /// The same for a failure of which only the kind is known; false where there was none.
  package static func isOutage(_ kind: FailureKind?) -> Bool {
    guard let kind else { return false }
    return !countAsZero.contains(kind) && !kind.isRefusal
  }

  private static let countAsZero: [FailureKind] = [
    .contextWindowExceeded, .metricFailed, .outputUnparsable, .programFailed, .programInvalid, .replyCut, .replyEmpty,
    .replyToolCall,
  ]
}

/// One step of an optimizer's search, ended.
package struct Trial: Sendable {
  /// Counted from 1 over trials and full evaluations alike.
  package var number: Int
  package var evaluation: EvaluationInfo
  package var result: EvaluationResult
  /// The best score of a full evaluation up to and with this trial.
  package var bestSoFar: Double?

  package init(number: Int, evaluation: EvaluationInfo, result: EvaluationResult, bestSoFar: Double?) {
    self.number = number
    self.evaluation = evaluation
    self.result = result
    self.bestSoFar = bestSoFar
  }
}

/// What the engine says happened. Tracking, progress and the terminal listen; the engine knows none of them.
package enum EngineEvent: Sendable {
  /// A part of the work begins (`bootstrap`, `propose`, `search` …), in words for a person.
  case phase(String, message: String)
  /// How much work there is: evaluations planned and executions they hold, as far as known.
  case planned(executions: Int)
  case evaluationStarted(EvaluationInfo)
  case exampleFinished(EvaluationInfo, ExampleResult)
  case evaluationFinished(EvaluationInfo, EvaluationResult)
  case evaluationStopped(EvaluationInfo, EvaluationResult?, HoneError)
  case trialFinished(Trial)
  /// A demo set is ready: how many demos each predictor has, how many executions it took.
  case demoSetReady(index: Int, demos: Int, attempts: Int)
  case instructionProposed(predictor: String, index: Int, text: String)
  /// What a search did and why, in words for a person.
  case summary(String)
  /// The form was decided in which the model is asked.
  case adapterDecided(AdapterDecision)
  /// Something that went otherwise than asked, without ending the work.
  case warning(String)
}

/// A listener. It is called in the order of what happened and may hold the engine up.
package protocol EventSink: Sendable {
  func emit(_ event: EngineEvent) async
}

/// A listener that does nothing.
package struct NoEvents: EventSink {
  package init() {}
  package func emit(_ event: EngineEvent) async {}
}
