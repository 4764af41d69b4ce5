package import Failures
package import JSON
package import Programs
package import Traces

/// A metric's verdict on one execution, carried from inside the execution to its result.
package final class Judgement {
  /// Nil until the execution gave something to judge.
  package private(set) var verdict: Result<MetricScore, HoneError>?

  package init() {}

  /// Asks the metric; what it says goes onto the trace, and into `verdict`.
  ///
  /// - Parameter isBootstrapping: whether the execution may become a demo.
  /// - Throws: what ends more than this execution.
  package func judge(
    _ outcome: Result<Prediction, HoneError>, in context: ExecutionContext, example: JSONObject,
    program: PreparedProgram, metric: any Metric, isBootstrapping: Bool = false
  ) async throws(HoneError) -> [Assessment] {
    guard case .success(let prediction) = outcome else { return [] }
    do throws(HoneError) {
      let score = try await metric.score(
        Scoring(
          example: example, prediction: prediction, predictors: program.program.predictors.map(\.name),
          isBootstrapping: isBootstrapping, context: context))
      verdict = .success(score)
      return [Assessment(name: metric.name, value: score.raw, rationale: score.feedback, source: metric.source)]
    } catch {
      if error.kind.endsRun { throw error }
      verdict = .failure(error)
      return [Assessment(name: metric.name, value: .null, source: metric.source, error: error.message)]
    }
  }
}
