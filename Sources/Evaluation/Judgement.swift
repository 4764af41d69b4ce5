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
  package func judge(
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
