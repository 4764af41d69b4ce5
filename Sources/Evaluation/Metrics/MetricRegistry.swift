import Failures
package import JSON
package import Schema

/// What a request's `metric` asks for.
package enum MetricRequest: Sendable {
  /// A metric of this room, ready for use.
  case builtIn(any Metric)
  /// `{"client": NAME, …}`: the client computes the score; the options are the other members.
  case client(name: String, options: JSONObject)
  /// `{"judge": {…}, …}`: a language model judges; the value of `judge`, and the other members.
  case judge(JSONObject, options: JSONObject)
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
    let reader = FieldReader(object, path: path, problems: problems)
    let options = object.filter { $0 != kind }
    switch kind {
    case "client": return reader.requiredString("client").map { .client(name: $0, options: options) }
    case "judge": return reader.object("judge").map { .judge($0, options: options) }
    default: return all.read(value, at: path, problems).map(MetricRequest.builtIn)
    }
  }
}
