import Evaluation
import Failures
import JSON
package import Programs
import Schema

/// A metric that the client computes: `metric/score`.
package struct ClientMetric: Metric {
  let name: String
  let isRepeatable = false
  private let callbacks: Callbacks
  private let timeout: Double
  private let options: JSONObject?

  package init(_ request: ClientMetricRequest, callbacks: Callbacks) {
    name = request.client
    timeout = request.timeout
    options = request.options
    self.callbacks = callbacks
  }

  func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    try reading(try await callbacks.answer(question(example, outputs, trace: nil)))
  }

  func score(_ scoring: Scoring) async throws(HoneError) -> MetricScore {
    let steps = scoring.prediction.steps.map { StepRecord($0, predictor: scoring.predictors[$0.predictor]) }
    return try await callbacks.ask(
      question(scoring.example, scoring.prediction.outputs, trace: scoring.isBootstrapping ? steps : nil),
      for: scoring.context.call, reading: reading)
  }

  private func question(_ example: JSONObject, _ outputs: JSONObject, trace: [StepRecord]?) -> Callback {
    var question = ScoreQuestion()
    question.name = name
    question.example = example
    question.prediction = outputs
    question.trace = trace
    question.options = options
    return Callback(question, timeout: timeout, failure: .metricFailed)
  }

  private func reading(_ answer: JSONValue) throws(HoneError) -> MetricScore {
    try MetricScore(reply: answer, metric: name)
  }
}
