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
    let question = question(example, outputs, trace: .null)
    return try reading(try await callbacks.answer(question))
  }

  func score(_ scoring: Scoring) async throws(HoneError) -> MetricScore {
    var trace = JSONValue.null
    if scoring.isBootstrapping {
      trace = .array(
        scoring.prediction.steps.map { step in
          [
            "predictor": .string(scoring.predictors[step.predictor]), "inputs": .object(step.inputs),
            "outputs": .object(step.outputs),
          ]
        })
    }
    return try await callbacks.ask(
      question(scoring.example, scoring.prediction.outputs, trace: trace), for: scoring.context.call,
      reading: reading)
  }

  private func question(_ example: JSONObject, _ outputs: JSONObject, trace: JSONValue) -> Callback {
    var params: JSONObject = ["example": .object(example), "prediction": .object(outputs), "trace": trace]
    if let options { params.append("options", .object(options)) }
    return Callback(method: "metric/score", name: name, params: params, timeout: timeout, failure: .metricFailed)
  }

  private func reading(_ answer: JSONValue) throws(HoneError) -> MetricScore {
    try MetricScore(reply: answer, metric: name)
  }
}
