import Basics
package import Failures
package import JSON
package import Schema

/// The share of the expected JSON's fields that the output has right, whatever the order of members; 1 where all is.
///
/// A field that holds an object, or a list of objects, counts with the share of its own. A string that holds a JSON object
/// or array counts as that. Numbers are compared by value; a member that is null is one that is missing. With `subset`, the output's objects may have further members.
package struct JSONMatch: NamedMetric {
  package static let name = "json_match"
  package static let otherNames = ["json_equal"]
  package static let summary = "The share of the expected JSON's fields that are right."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      Member("subset", \.isSubset, "Whether further members of the output are ignored."),
      Member("whole", \.isWhole, "Whether only a value that is right as a whole counts."),
    ]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var isSubset = false
  var isWhole = false

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let (got, expected) = try fields.values(example: example, outputs: outputs, metric: name)
    let (whole, goal) = (Self.decoded(got), Self.decoded(expected))
    var differences: [String] = []
    let share = compare(whole, goal, at: "", &differences)
    guard !differences.isEmpty else { return MetricScore(true, feedback: "Right: the values are the same.") }
    var feedback = differences.prefix(5).joined(separator: " ")
    if let parts = parts(whole, goal) { feedback += " Score of each field: \(parts)." }
    if isWhole || share == 0 { return MetricScore(false, feedback: feedback) }
    var score = MetricScore(share, feedback: feedback)
    // Half a record is no example to learn from.
    score.isSolved = false
    return score
  }

  /// The score of each field, where there are several.
  private func parts(_ got: JSONValue, _ expected: JSONValue) -> String? {
    guard let got = got.objectValue, let expected = expected.objectValue, expected.count > 1 else { return nil }
    return expected.map { key, value in
      var unused: [String] = []
      let share = compare(got[key] ?? .null, value, at: key, &unused)
      return "\(key) \(JSONValue.double((share * 100).rounded() / 100).text())"
    }.joined(separator: ", ")
  }

  private static func decoded(_ value: JSONValue) -> JSONValue {
    guard case .string(let text) = value else { return value }
    let start = text.unicodeScalars.first { !PythonText.isSpace($0) }
    guard start == "{" || start == "[" else { return value }
    return (try? JSONReader.read(text)) ?? value
  }

  /// How much of the value is right, and what differs, in words. The depth is bounded by the reader's.
  private func compare(
    _ got: JSONValue, _ expected: JSONValue, at path: String, _ differences: inout [String]
  ) -> Double {
    let place = path.isEmpty ? "The value" : path
    switch (got, expected) {
    case (.object(let a), .object(let b)):
      var (right, count) = (0.0, b.count)
      for (key, value) in b {
        let inner = path.isEmpty ? key : "\(path).\(key)"
        if let other = a[key] {
          right += compare(other, value, at: inner, &differences)
        } else if value.isNull {
          right += 1
        } else {
          differences.append("\(inner) is missing; expected \(value.forFeedback).")
        }
      }
      for (key, value) in isSubset ? [:] : a where b[key] == nil && !value.isNull {
        count += 1
        differences.append("\(path.isEmpty ? key : "\(path).\(key)") is not expected; got \(value.forFeedback).")
      }
      return count == 0 ? 1 : right / Double(count)
    case (.array(let a), .array(let b)):
      if a.count != b.count { differences.append("\(place) has \(a.count) elements; expected \(b.count).") }
      let areRecords = b.allSatisfy { $0.objectValue != nil }
      guard areRecords || a.count == b.count else { return 0 }
      guard !a.isEmpty || !b.isEmpty else { return 1 }
      let before = differences.count
      var right = 0.0
      for (index, pair) in zip(a, b).enumerated() {
        right += compare(pair.0, pair.1, at: "\(path)[\(index)]", &differences)
        // A list of plain values is right or not; the first difference tells.
        if !areRecords, differences.count > before { return 0 }
      }
      return right / Double(max(a.count, b.count))
    default:
      if got.isSameScalar(expected) { return 1 }
      differences.append("\(place): expected \(expected.text().prefix(300)), got \(got.text().prefix(300)).")
      return 0
    }
  }
}
