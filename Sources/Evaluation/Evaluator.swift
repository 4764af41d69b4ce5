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
    let evaluation = await begin(info)
    try await ask(evaluation, upTo: info.rows.count, examples: examples)
    return await finish(evaluation)
  }

  /// Announces an evaluation whose rows are asked part by part. It ends with `finish`, with `stop`, or where `ask` throws.
  package func begin(_ info: EvaluationInfo) async -> GrowingEvaluation {
    await session.events.emit(.evaluationStarted(info))
    return GrowingEvaluation(info, keeping: kept, maxErrors: session.maxErrors)
  }

  /// Asks the rows of an evaluation that have not been asked, in the order of `info.rows`, until `count` of them have
  /// been; failures as `evaluate` says.
  package func ask(
    _ evaluation: GrowingEvaluation, upTo count: Int, examples: Rows
  ) async throws(HoneError) {
    let info = evaluation.info
    let program = PreparedProgram(info.program)
    var work = evaluation.work
    defer { evaluation.work = work }
    work.agenda.extend(to: count)
    do {
      try await withThrowingTaskGroup(of: (Int, Result<ExampleResult, HoneError>).self) { group in
        var spent: HoneError?
        func add() {
          guard spent == nil, let index = work.agenda.next() else { return }
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
        for _ in 0..<min(session.gate.width, count) { add() }
        while let (index, outcome) = try await group.next() {
          switch outcome {
          case .success(let result):
            let isFinal = work.take(result, of: index)
            if isFinal { await session.events.emit(.exampleFinished(info, result)) }
            if let error = result.error { try check(error, isFinal: isFinal, work.agenda, info) }
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
      work.isOver = true
      await session.events.emit(.evaluationStopped(info, work.partial, failure))
      throw failure
    }
  }

  /// Ends an evaluation with the rows that have been asked.
  ///
  /// - Parameter inDataOrder: whether the result has them in the order of the data set, not of asking.
  package func finish(_ evaluation: GrowingEvaluation, inDataOrder: Bool = false) async -> EvaluationResult {
    var result = evaluation.work.result
    evaluation.work.isOver = true
    if inDataOrder { result.examples.sort { $0.row < $1.row } }
    if result.score != nil { _ = session.told.isFirst(Self.judged) }
    await session.events.emit(.evaluationFinished(evaluation.info, result))
    if let range = result.range, !(0...1).contains(range.lowerBound) || !(0...1).contains(range.upperBound),
      session.told.isFirst("scale")
    {
      await session.events.emit(.warning(scaleNote(range)))
    }
    return result
  }

  /// Ends an evaluation for what stopped the work around it; nothing where it has ended.
  package func stop(_ evaluation: GrowingEvaluation, _ error: HoneError) async {
    guard !evaluation.work.isOver else { return }
    evaluation.work.isOver = true
    await session.events.emit(.evaluationStopped(evaluation.info, evaluation.work.partial, error))
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
    _ error: HoneError, isFinal: Bool, _ agenda: EvaluationAgenda, _ info: EvaluationInfo
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
    if ExampleResult.isOutage(error.kind), agenda.lost >= Self.hopeless, agenda.lost > agenda.count / 2 {
      throw HoneError(
        error.kind,
        "\(agenda.lost) of the \(agenda.count) examples of \(info.name) met an outage, asked twice; the last: "
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
