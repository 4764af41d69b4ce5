import Basics
package import Failures
package import JSON
package import Schema

/// True if output and expected value are the same JSON, whatever the order of members.
///
/// A string that holds a JSON object or array counts as that. Numbers are compared by value. With
/// `subset`, the output's objects may have further members.
package struct JSONMatch: NamedMetric {
  package static let name = "json_match"
  package static let otherNames = ["json_equal"]
  package static let summary = "The output is the expected JSON."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      Member("subset", \.isSubset, "Whether further members of the output are ignored.")
    ]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var isSubset = false

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let (got, expected) = try fields.values(example: example, outputs: outputs, metric: name)
    guard let difference = firstDifference(Self.decoded(got), Self.decoded(expected), at: "") else {
      return MetricScore(true, feedback: "Right: the values are the same.")
    }
    return MetricScore(false, feedback: difference)
  }

  private static func decoded(_ value: JSONValue) -> JSONValue {
    guard case .string(let text) = value else { return value }
    let start = text.unicodeScalars.first { !PythonText.isSpace($0) }
    guard start == "{" || start == "[" else { return value }
    return (try? JSONReader.read(text)) ?? value
  }

  /// What differs first, in words, or nil. The depth is bounded by the reader's.
  private func firstDifference(_ got: JSONValue, _ expected: JSONValue, at path: String) -> String? {
    let place = path.isEmpty ? "The value" : path
    switch (got, expected) {
    case (.object(let a), .object(let b)):
      for (key, value) in b {
        let inner = path.isEmpty ? key : "\(path).\(key)"
        guard let other = a[key] else { return "\(inner) is missing; expected \(value.forFeedback)." }
        if let difference = firstDifference(other, value, at: inner) { return difference }
      }
      if !isSubset, let extra = a.first(where: { b[$0.key] == nil }) {
        return "\(path.isEmpty ? extra.key : "\(path).\(extra.key)") is not expected; got \(extra.value.forFeedback)."
      }
      return nil
    case (.array(let a), .array(let b)):
      guard a.count == b.count else { return "\(place) has \(a.count) elements; expected \(b.count)." }
      for (index, pair) in zip(a, b).enumerated() {
        if let difference = firstDifference(pair.0, pair.1, at: "\(path)[\(index)]") { return difference }
      }
      return nil
    default:
      return got.isSameScalar(expected)
        ? nil : "\(place): expected \(expected.text().prefix(300)), got \(got.text().prefix(300))."
    }
  }
}
