package import Failures
import JSON
package import LanguageModels
import Messages
import Programs
package import RowStorage
import Traces

/// Scores programs on examples: runs them concurrently, asks the metric, counts what failed apart from what
/// was wrong.
package struct Evaluator: Sendable {
  package let session: EngineSession
  package let model: ModelClient
  package let metric: any Metric
  /// How many examples the result keeps, the first ones; all of them count.
  private let kept: Int

  package init(session: EngineSession, model: ModelClient, metric: any Metric, keeping kept: Int = .max) {
    self.session = session
    self.model = model
    self.metric = metric
    self.kept = kept
  }

  /// How many examples that gave nothing, with none judged, show that none will; and how many calls that failed one
  /// after the other, beside those that were under way together, show that the model is gone.
  private static let hopeless = 10
  /// Notes that an evaluation of the session has a score.
  private static let judged = "judged"

  /// Evaluates a program on the rows that `info` names.
  ///
  /// A row whose model call ended in a passing outage is asked once more, after the other rows; only what comes then
  /// counts and is announced.
  ///
  /// - Parameter examples: all rows of the data set; `info.rows` index into it.
  /// - Throws: `cancelled`; `budgetExhausted`, once what was under way has ended; `tooManyErrors` once more than
  ///   `maxErrors` examples failed; at once `storeUnavailable`, and what every call to come would meet too (`FailureKind.stopsWork`); and the last failure's kind once ten examples met an outage, lacked an input
  ///   or failed the metric with none judged, once the run's calls fail one after the other (answers from the store say
  ///   nothing of the model), and once outages took more than half of the examples, ten at least. What was finished by
  ///   then goes out with the event `evaluationStopped`.
  package func evaluate(_ info: EvaluationInfo, examples: Rows) async throws(HoneError) -> EvaluationResult {
    let program = PreparedProgram(info.program)
    await session.events.emit(.evaluationStarted(info))
    var tally = ExampleTally(count: info.rows.count)
    var results: [ExampleResult?] = Array(repeating: nil, count: min(info.rows.count, kept))
    do {
      try await withThrowingTaskGroup(of: (Int, Result<ExampleResult, HoneError>).self) { group in
        var agenda = Agenda(count: info.rows.count, maxErrors: session.maxErrors)
        var spent: HoneError?
        func add() {
          guard spent == nil, let index = agenda.next() else { return }
          let row = info.rows[index]
          group.addTask {
            (
              index,
              await attempt { () async throws(HoneError) in
                let example = examples[row]
                try examples.check()
                return try await run(program, row: row, example: example, info: info)
              }
            )
          }
        }
        for _ in 0..<min(session.gate.width, info.rows.count) { add() }
        while let (index, outcome) = try await group.next() {
          switch outcome {
          case .success(let result):
            let isFinal = agenda.take(result, of: index)
            tally.note(result, at: index, isFinal: isFinal)
            if index < results.count { results[index] = result }
            if isFinal { await session.events.emit(.exampleFinished(info, result)) }
            if let error = result.error { try check(error, isFinal: isFinal, agenda, info) }
          case .failure(let error) where error.kind == .budgetExhausted:
            // What is under way is paid for: it may end, and counts.
            spent = spent ?? error
          case .failure(let error): throw error
          }
          add()
        }
        if let spent { throw spent }
      }
    } catch {
      let failure = Callbacks.causeOf(HoneError(wrapping: error), session.callbacks?.peer)
      let partial = tally.seen == 0 ? nil : EvaluationResult(tally, results.compactMap { $0 })
      await session.events.emit(.evaluationStopped(info, partial, failure))
      throw failure
    }
    let result = EvaluationResult(tally, results.compactMap { $0 })
    if result.score != nil { _ = session.told.isFirst(Self.judged) }
    await session.events.emit(.evaluationFinished(info, result))
    if let range = result.range, !(0...1).contains(range.lowerBound) || !(0...1).contains(range.upperBound),
      session.told.isFirst("scale")
    {
      await session.events.emit(.warning(scaleNote(range)))
    }
    return result
  }

  private func scaleNote(_ range: ClosedRange<Double>) -> String {
    let values =
      range.lowerBound == range.upperBound
      ? "the value \(range.lowerBound)" : "values from \(range.lowerBound) to \(range.upperBound)"
    return
      "The metric \(metric.name) gave \(values); scores are shown as 100 times a number from 0 to 1. Divide by the "
      + "best possible value. Until then optimizers take every score but 0 for a good demo: set metric_threshold to say "
      + "from which on it is."
  }

  /// Throws where an example's failure ends the evaluation.
  private func check(
    _ error: HoneError, isFinal: Bool, _ agenda: Agenda, _ info: EvaluationInfo
  ) throws(HoneError) {
    if error.kind.stopsWork { throw error }
    // One candidate that gets no answer, for its demos perhaps, says nothing of the others; an outage does.
    let isAll = ExampleResult.isOutage(error.kind) || !session.told.has(Self.judged)
    if agenda.judged == 0, agenda.unjudged >= Self.hopeless, isAll {
      throw HoneError(
        error.kind,
        "The first \(agenda.unjudged) examples of \(info.name) gave nothing to judge; the last: \(error.message)",
        remedy: error.remedy, details: error.details, cause: error.cause)
    }
    // Rows that are asked for the second time may fail one after the other for reasons of their own.
    let streak = session.account.failuresInARow(.task)
    if !isFinal, streak >= Self.hopeless + session.gate.width {
      throw HoneError(
        error.kind, "The last \(streak) calls to the model all failed; the last: \(error.message)",
        remedy: error.remedy, details: error.details, cause: error.cause)
    }
    if ExampleResult.isOutage(error.kind), agenda.lost >= Self.hopeless, agenda.lost > info.rows.count / 2 {
      throw HoneError(
        error.kind,
        "\(agenda.lost) of the \(info.rows.count) examples of \(info.name) met an outage, asked twice; the last: "
          + error.message,
        remedy: error.remedy, details: error.details, cause: error.cause)
    }
    if let maximum = session.maxErrors, agenda.failed > maximum {
      throw HoneError(
        .tooManyErrors,
        "More than \(maximum) examples of \(info.name) failed; the last: \(error.message)",
        remedy: error.remedy ?? "See the failed rows in the run's traces, or raise maxErrors.",
        details: ["causeKind": error.kind.rawValue], cause: error.cause)
    }
  }

  private func run(
    _ program: PreparedProgram, row: Int, example: JSONObject, info: EvaluationInfo
  ) async throws(HoneError) -> ExampleResult {
    var request = EngineSession.Request(
      program: program, inputs: example, model: model, scope: "\(info.name)/\(row)")
    request.occasion = info.name
    request.leavesOneOut = true
    if session.tracksEvaluations { request.runID = info.id }
    request.metadata = ["row": .int(row), "evaluation": .string(info.name)]
    let judgement = Judgement()
    let execution = try await session.execute(request) { outcome, context throws(HoneError) in
      try await judgement.judge(outcome, in: context, example: example, program: program, metric: metric)
    }
    var result = result(row, example, execution, judgement)
    result.replies = execution.replies
    if info.keepsSteps, case .success(let prediction) = execution.outcome { result.steps = prediction.steps }
    return result
  }

  private func result(
    _ row: Int, _ example: JSONObject, _ execution: EngineSession.Execution, _ judgement: Judgement
  ) -> ExampleResult {
    let traceID = execution.traceID
    switch execution.outcome {
    case .failure(let error):
      return ExampleResult(row: row, score: nil, example: example, error: error, traceID: traceID)
    case .success(let prediction):
      switch judgement.verdict {
      case .success(let score)?:
        var result = ExampleResult(
          row: row, score: score.value, raw: score.raw, feedback: score.feedback, example: example,
          outputs: prediction.outputs, traceID: traceID)
        result.objectives = score.objectives
        result.predictorFeedback = score.predictorFeedback
        return result
      case .failure(let error)?:
        return ExampleResult(
          row: row, score: nil, example: example, outputs: prediction.outputs, error: error, traceID: traceID)
      case nil:
        let error = HoneError(.metricFailed, "The metric \(metric.name) gave no value.")
        return ExampleResult(
          row: row, score: nil, example: example, outputs: prediction.outputs, error: error, traceID: traceID)
      }
    }
  }
}

/// Which of an evaluation's examples is asked next, and how many came to what.
private struct Agenda {
  private let count: Int
  private let maxErrors: Int?
  private var position = 0
  /// Examples to be asked once more.
  private var again: [Int] = []
  private var isSecondTime: Set<Int> = []
  /// Examples whose failure is final.
  private(set) var failed = 0
  /// Those of them that met an outage.
  private(set) var lost = 0
  /// Times that an example could not be judged, whether it is asked again or not.
  private(set) var unjudged = 0
  private(set) var judged = 0

  init(count: Int, maxErrors: Int?) {
    self.count = count
    self.maxErrors = maxErrors
  }

  /// The next example to ask; nil where none is left for now.
  mutating func next() -> Int? {
    // Where the outages would be too many if they stay, that is found out before more rows are asked.
    let mustSettle = maxErrors.map { failed + again.count > $0 } ?? false
    if position < count, !(mustSettle && !again.isEmpty) {
      position += 1
      return position - 1
    }
    return again.isEmpty ? nil : again.removeFirst()
  }

  /// Notes how an example ended; false if it will be asked again.
  mutating func take(_ result: ExampleResult, of index: Int) -> Bool {
    let kind = result.error?.kind
    // A filter may refuse many rows running and take the next; so may a window that is too short for them.
    let isItsOwn = kind == .contentRefused || kind == .contextWindowExceeded
    if result.isOutage || (result.isEmpty && !isItsOwn) || kind == .inputRejected {
      unjudged += 1
    } else if !isItsOwn {
      judged += 1
    }
    guard let error = result.error else { return true }
    if error.kind.isPassing, isSecondTime.insert(index).inserted {
      again.append(index)
      return false
    }
    failed += 1
    if result.isOutage { lost += 1 }
    return true
  }
}
