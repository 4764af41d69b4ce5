import Failures
import JSON
package import Schema

/// Which field of the outputs a metric compares with which field of the example.
///
/// Without a choice it is the one field that both have, `answer` if it is among them.
package struct ComparedFields: SchemaObject, Hashable {
  package static let members: [Member<Self>] = [
    Member("field", \.field, "The output to compare; by default the one that example and program share."),
    Member(
      "expectedField", \.expectedField,
      "The row's member that holds the right value; by default the same as field."),
  ]

  package var field: String?
  package var expectedField: String?

  package init() {}

  /// The two values to compare.
  /// - Throws: `metricFailed` where a field is missing or the choice is open.
  func values(
    example: JSONObject, outputs: JSONObject, metric: String
  ) throws(HoneError) -> (got: JSONValue, expected: JSONValue) {
    let field: String
    if let chosen = self.field {
      field = chosen
    } else {
      field = try shared(example: example, outputs: outputs, metric: metric)
    }
    let got = try output(field, outputs: outputs, metric: metric)
    let label = expectedField ?? field
    guard let expected = example[label], !expected.isNull else {
      throw HoneError(
        .metricFailed,
        "The metric \(metric) compares with the example's field \"\(label)\", which is missing; the example has "
          + "\(example.keys.joined(separator: ", ")).",
        remedy: "Name the field that holds the right value with the metric's option \"expectedField\".")
    }
    return (got, expected)
  }

  /// The output to look at, for metrics that need no label.
  func output(outputs: JSONObject, metric: String) throws(HoneError) -> JSONValue {
    if let field { return try output(field, outputs: outputs, metric: metric) }
    if let answer = outputs["answer"] { return answer }
    let candidates = outputs.keys.filter { !Self.asides.contains($0) }
    guard candidates.count == 1 else { throw Self.openChoice(candidates, metric: metric) }
    return try output(candidates[0], outputs: outputs, metric: metric)
  }

  private func output(_ field: String, outputs: JSONObject, metric: String) throws(HoneError) -> JSONValue {
    guard let got = outputs[field] else {
      throw HoneError(
        .metricFailed,
        "The metric \(metric) looks at the output \"\(field)\", which is missing; the outputs are "
          + "\(outputs.keys.joined(separator: ", ")).",
        remedy: "Name one of the program's outputs with the metric's option \"field\".")
    }
    return got
  }

  /// Fields that tell how an answer came about; never compared unless asked for.
  static let asides: Set<String> = ["reasoning", "rationale", "trajectory"]

  private func shared(example: JSONObject, outputs: JSONObject, metric: String) throws(HoneError) -> String {
    // With a label named, it is the output that bears no other name.
    if expectedField != nil {
      let candidates = outputs.keys.filter { !Self.asides.contains($0) }
      if candidates.contains("answer") { return "answer" }
      if candidates.count == 1 { return candidates[0] }
      throw Self.openChoice(candidates, metric: metric)
    }
    let both = outputs.keys.filter { example[$0] != nil }
    if both.contains("answer") { return "answer" }
    let candidates = both.count > 1 ? both.filter { !Self.asides.contains($0) } : both
    if candidates.count == 1 { return candidates[0] }
    guard both.isEmpty else { throw Self.openChoice(candidates, metric: metric) }
    throw HoneError(
      .metricFailed,
      "The metric \(metric) finds no field to compare: the outputs are \(outputs.keys.joined(separator: ", ")), the "
        + "example has \(example.keys.joined(separator: ", ")).",
      remedy: "Name the fields with the metric's options \"field\" and \"expectedField\".")
  }

  private static func openChoice(_ candidates: [String], metric: String) -> HoneError {
    HoneError(
      .metricFailed,
      "The metric \(metric) cannot tell which field to look at: \(candidates.joined(separator: ", ")) are all there.",
      remedy: "Name one with the metric's option \"field\".")
  }
}

extension ComparedFields {
  /// The output with which the example's `expectedField` is compared, and that field; nil where it has the output's name,
  /// and where the choice is open.
  package func renamed(among outputs: [String]) -> (output: String, label: String)? {
    guard let label = expectedField else { return nil }
    let candidates = outputs.filter { !Self.asides.contains($0) }
    let only = candidates.count == 1 ? candidates.first : nil
    guard let output = field ?? (candidates.contains("answer") ? "answer" : only) else { return nil }
    return (output, label)
  }
}

extension JSONValue {
  /// Whether both are the same scalar, numbers by their value.
  func isSameScalar(_ other: JSONValue) -> Bool {
    if let x = intValue, let y = other.intValue { return x == y }
    if let x = doubleValue, let y = other.doubleValue { return x == y }
    return self == other
  }

  /// Whether both are the same JSON, whatever the order of members; texts as `isSame` says. The depth is bounded by the
  /// reader's.
  func isSame(_ other: JSONValue, text isSame: (String, String) -> Bool) -> Bool {
    switch (self, other) {
    case (.string(let a), .string(let b)): isSame(a, b)
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame($1, text: isSame) }
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { key, value in b[key].map { value.isSame($0, text: isSame) } ?? false }
    default: isSameScalar(other)
    }
  }

  /// The value as the text that metrics on text look at: strings as they are, other values as JSON.
  var comparedText: String { stringValue ?? text() }

  /// The accepted answers that an expected value states: the elements of a list, else the value itself.
  var acceptedTexts: [String] {
    if case .array(let elements) = self { elements.map(\.comparedText) } else { [comparedText] }
  }

  /// The value for feedback: up to 300 characters of its text.
  var forFeedback: String {
    let text = comparedText
    return text.count > 300 ? "\"\(text.prefix(300))…\"" : "\"\(text)\""
  }
}
