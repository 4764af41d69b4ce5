import Evaluation
import Failures
import JSON
import Schema

/// A metric that a newcomer might add: whether the answer is short.
struct Short: NamedMetric {
  static let name = "short"
  static let summary = "The answer is short."
  static let members: [Member<Self>] = [Member("most", \.most, in: 1...1000, "How many characters are short.")]

  var most = 80

  func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    MetricScore((outputs["answer"]?.stringValue ?? "").count <= most)
  }
}
