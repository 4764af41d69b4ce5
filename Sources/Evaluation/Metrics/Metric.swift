package import Failures
package import JSON
import Platform
package import Programs
package import Schema
package import Traces

/// Says how good a program's outputs are for one example.
package protocol Metric: Sendable {
  /// The name under which the metric was asked for, in its canonical spelling.
  var name: String { get }
  /// What kind of judge it is, as its verdicts are marked on traces.
  var source: Assessment.Source { get }
  /// Whether it may be asked the same twice at no cost; a client's may be a person.
  var isRepeatable: Bool { get }
  /// Which member of a row it compares with which output; nil where it wants something else.
  var comparedFields: ComparedFields? { get }

  /// The score of `outputs` for `example`.
  ///
  /// - Parameters:
  ///   - example: all members of the example, labels included.
  ///   - outputs: the program's output fields.
  /// - Throws: `metricFailed` where the score cannot be told (a label is missing, a field has the wrong
  ///   kind), and what a remote metric throws.
  func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore

  /// The score of a whole execution; for metrics that look at more than the outputs, or that ask somebody.
  func score(_ scoring: Scoring) async throws(HoneError) -> MetricScore
}

extension Metric {
  package var source: Assessment.Source { .code }
  package var isRepeatable: Bool { true }
  package var comparedFields: ComparedFields? { nil }

  package func score(_ scoring: Scoring) async throws(HoneError) -> MetricScore {
    let (example, outputs) = (scoring.example, scoring.prediction.outputs)
    guard example.isLarge(beyond: Self.shortBytes) || outputs.isLarge(beyond: Self.shortBytes) else {
      return try await score(example: example, outputs: outputs)
    }
    let cancelled = Result<MetricScore, HoneError>.failure(HoneError(.cancelled, "The request was cancelled."))
    return try await ComputationThreads.metrics.run(cancelled: cancelled) {
      await attempt { () async throws(HoneError) in try await score(example: example, outputs: outputs) }
    }.get()
  }

  /// Up to so many bytes are compared where the request is worked on: that takes less time than going elsewhere.
  private static var shortBytes: Int { 1 << 10 }
}

/// An execution to be scored.
package struct Scoring: Sendable {
  package var example: JSONObject
  package var prediction: Prediction
  /// The names of the program's predictors, which the prediction's steps refer to by place.
  package var predictors: [String]
  /// Whether the execution may become a demo: metrics may then want more than a right answer.
  package var isBootstrapping: Bool
  /// Whose execution it was, where in the run it stands, and its trace.
  package var context: ExecutionContext

  package init(
    example: JSONObject, prediction: Prediction, predictors: [String], isBootstrapping: Bool, context: ExecutionContext
  ) {
    self.example = example
    self.prediction = prediction
    self.predictors = predictors
    self.isBootstrapping = isBootstrapping
    self.context = context
  }
}

/// What a metric said of one example.
package struct MetricScore: Sendable, Hashable {
  /// The score as a finite number; true is 1 and false is 0.
  package var value: Double
  /// The score as the metric gave it: true, false or a number.
  package var raw: JSONValue
  /// What was right or wrong, in words that help whoever improves the program.
  package var feedback: String?
  /// Whether the example counts as solved, where the number does not tell: a metric of parts may want them all.
  package var isSolved: Bool?
  /// Further scores, by name: searches that look at several objectives use them.
  package var objectives: [String: Double] = [:]
  /// What was right or wrong in single steps, by the predictor's name.
  package var predictorFeedback: [String: String] = [:]

  package init(_ isRight: Bool, feedback: String? = nil) {
    value = isRight ? 1 : 0
    raw = .bool(isRight)
    self.feedback = feedback
  }

  /// From a finite number; anything else becomes 0.
  package init(_ value: Double, feedback: String? = nil) {
    self.value = value.isFinite ? value : 0
    raw = .double(self.value)
    self.feedback = feedback
  }

  /// Reads what a metric outside this process answers: a boolean, a number, or `{"score", "feedback"?}`.
  /// - Throws: `metricFailed` for anything else.
  package init(reply: JSONValue, metric: String) throws(HoneError) {
    let answer = MetricAnswer(reply)
    let score = reply.objectValue == nil ? reply : answer.score
    let feedback = answer.feedback
    guard feedback.isNull || feedback.stringValue != nil else {
      throw HoneError(
        .metricFailed, "The metric \(metric) answered feedback that is \(feedback.kindName), not a string.")
    }
    switch score {
    case .bool(let isRight): self.init(isRight, feedback: feedback.stringValue)
    default:
      guard let value = score.doubleValue else {
        throw HoneError(
          .metricFailed, "The metric \(metric) answered \(reply.excerpt) where a score is expected.",
          remedy: "Answer true, false, a finite number, or {\"score\": ..., \"feedback\": ...}.")
      }
      self.init(value, feedback: feedback.stringValue)
      raw = score
    }
    for (name, value) in answer.objectives {
      guard let value = value.doubleValue, value.isFinite else {
        throw HoneError(
          .metricFailed, "The metric \(metric) answered an objective \"\(name)\" that is no finite number.")
      }
      objectives[name] = value
    }
    for (name, value) in answer.byPredictor {
      guard let text = value.stringValue ?? value["feedback"]?.stringValue else {
        throw HoneError(
          .metricFailed, "The metric \(metric) answered feedback on \"\(name)\" that is no text.",
          remedy: "Answer byPredictor as {\"name\": \"what was right or wrong in that step\"}.")
      }
      predictorFeedback[name] = text
    }
  }

  /// Whether the example counts as solved without a threshold: as the metric says, else true or any number but 0.
  package var passes: Bool { isSolved ?? (value != 0) }

  /// Whether the example counts as solved: at or above the threshold if there is one, else `passes`.
  package func passes(threshold: Double?) -> Bool { threshold.map { value >= $0 } ?? passes }
}

/// A metric that goes by name, with options that are declared.
package protocol NamedMetric: Metric, NamedSchemaObject {}

extension NamedMetric {
  package var name: String { Self.name }
}
