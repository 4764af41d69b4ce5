import Failures
package import JSON
package import Schema

/// What a request's `metric` asks for.
package enum MetricRequest: Sendable {
  /// A metric of this room, ready for use.
  case builtIn(any Metric)
  /// `{"client": NAME, …}`: the client computes the score.
  case client(JSONObject)
  /// `{"judge": {…}}`: a language model judges.
  case judge(JSONObject)
}

/// The metrics that go by name, and the other ways to ask for one.
package enum MetricRegistry {
  package static let all = Registry<any Metric>(
    "metric",
    [
      ExactMatch.self, NumericMatch.self, GSM8KMetric.self, F1.self, HotpotF1.self, Contains.self, RegexMatch.self,
      JSONMatch.self, PassageMatch.self,
    ])

  /// The metric that a request's value describes (a name, `{"name", …options}`, `{"client"}` or
  /// `{"judge"}`), or nil with everything wrong noted.
  ///
  /// - Parameter path: the value's place in the request (`metric`).
  package static func make(
    _ value: JSONValue, path: String, among all: Registry<any Metric> = all, problems: ProblemList
  ) -> MetricRequest? {
    if value.stringValue != nil { return all.read(value, at: path, problems).map(MetricRequest.builtIn) }
    guard let object = value.objectValue else {
      problems.add(
        Problem(
          path: path,
          message: "Expected a metric (a name, or an object with name, client or judge), got \(value.kindName).",
          got: value.excerpt, allowed: all.names))
      return nil
    }
    let kinds = ["name", "client", "judge"].filter { object[$0] != nil }
    guard kinds.count == 1, let kind = kinds.first else {
      problems.add(
        Problem(
          path: path, message: "A metric needs exactly one of \"name\", \"client\" and \"judge\".",
          got: value.excerpt, allowed: ["name", "client", "judge"]))
      return nil
    }
    switch kind {
    case "client": return .client(object)
    case "judge": return .judge(object)
    default: return all.read(value, at: path, problems).map(MetricRequest.builtIn)
    }
  }
}
