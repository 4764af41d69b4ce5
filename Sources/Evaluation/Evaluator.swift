package import Failures
package import JSON
package import LanguageModels
import Programs
import Traces

/// Scores programs on examples: runs them concurrently, asks the metric, counts what failed apart from what
/// was wrong.
package struct Evaluator: Sendable {
  package let session: EngineSession
  package let model: ModelClient
  package let metric: any Metric

  package init(session: EngineSession, model: ModelClient, metric: any Metric) {
    self.session = session
    self.model = model
    self.metric = metric
  }

  /// Evaluates a program on the rows that `info` names.
  ///
  /// - Parameter examples: all rows of the data set; `info.rows` index into it.
  /// - Throws: `cancelled`, `budgetExhausted`, or `tooManyErrors` once more than `maxErrors` examples failed.
  ///   What was finished by then goes out with the event `evaluationStopped`.
  package func evaluate(_ info: EvaluationInfo, examples: [JSONObject]) async throws(HoneError) -> EvaluationResult {
    let program = PreparedProgram(info.program)
    await session.events.emit(.evaluationStarted(info))
    var results: [ExampleResult?] = Array(repeating: nil, count: info.rows.count)
    do {
      try await withThrowingTaskGroup(of: (Int, ExampleResult).self) { group in
        var next = 0
        var failed = 0
        func add() {
          guard next < info.rows.count else { return }
          let index = next
          next += 1
          let row = info.rows[index]
          group.addTask { (index, try await run(program, row: row, example: examples[row], info: info)) }
        }
        for _ in 0..<min(session.gate.width, info.rows.count) { add() }
        while let (index, result) = try await group.next() {
          results[index] = result
          await session.events.emit(.exampleFinished(info, result))
          if let error = result.error {
            failed += 1
            if let maximum = session.maxErrors, failed > maximum {
              throw HoneError(
                .tooManyErrors,
                "More than \(maximum) examples of \(info.name) failed; the last: \(error.message)",
                remedy: error.remedy ?? "See the failed rows in the run's traces, or raise maxErrors.",
                details: ["kind": error.kind.rawValue])
            }
          }
          add()
        }
      }
    } catch {
      let failure = HoneError(wrapping: error)
      let finished = results.compactMap { $0 }
      let partial = finished.isEmpty ? nil : EvaluationResult(finished)
      await session.events.emit(.evaluationStopped(info, partial, failure))
      throw failure
    }
    let result = EvaluationResult(results.compactMap { $0 })
    await session.events.emit(.evaluationFinished(info, result))
    return result
  }

  private func run(
    _ program: PreparedProgram, row: Int, example: JSONObject, info: EvaluationInfo
  ) async throws(HoneError) -> ExampleResult {
    var request = EngineSession.Request(
      program: program, inputs: example, model: model, scope: "\(info.name)/\(row)")
    request.runID = info.id
    request.metadata = ["row": .int(row), "evaluation": .string(info.name)]
    let judgement = Judgement()
    let (outcome, traceID) = try await session.execute(request) { outcome in
      await judgement.judge(outcome, example: example, metric: metric)
    }
    switch outcome {
    case .failure(let error):
      return ExampleResult(row: row, score: nil, example: example, error: error, traceID: traceID)
    case .success(let prediction):
      switch judgement.verdict {
      case .success(let score)?:
        return ExampleResult(
          row: row, score: score.value, raw: score.raw, feedback: score.feedback, example: example,
          outputs: prediction.outputs, traceID: traceID)
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

/// A metric's verdict on one execution, carried from inside the execution to its result.
private final class Judgement {
  var verdict: Result<MetricScore, HoneError>?

  func judge(
    _ outcome: Result<Prediction, HoneError>, example: JSONObject, metric: any Metric
  ) async -> [Assessment] {
    guard case .success(let prediction) = outcome else { return [] }
    do throws(HoneError) {
      let score = try await metric.score(example: example, outputs: prediction.outputs)
      verdict = .success(score)
      return [Assessment(name: metric.name, value: score.raw, rationale: score.feedback)]
    } catch {
      verdict = .failure(error)
      return [Assessment(name: metric.name, value: .null, error: error.message)]
    }
  }
}
