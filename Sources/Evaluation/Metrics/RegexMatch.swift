package import Failures
package import JSON

/// True if the output matches a regular expression; with `group`, if the text that the group caught is
/// the expected answer.
///
/// The expressions are those of `RegularExpression`, whose matching time is linear in the output.
package struct RegexMatch: Metric {
  package let name = "regex"
  /// The longest output that is searched, in Unicode scalars.
  static let maximumLength = 200_000

  var fields: ComparedFields
  var expression: RegularExpression
  /// Whether the whole output must match.
  var isFull: Bool
  /// The group whose text is compared with the expected answer; nil only asks for a match.
  var group: Int?

  /// Reads `pattern`, `ignoreCase`, `multiline`, `dotAll`, `full` and `group`; nil with the problems
  /// noted if they are wrong.
  init?(reader: FieldReader) {
    fields = ComparedFields(reader)
    isFull = reader.bool("full") ?? false
    group = reader.int("group", in: 0...99)
    var options: RegularExpression.Options = []
    if reader.bool("ignoreCase", "ignore_case") ?? false { options.insert(.ignoreCase) }
    if reader.bool("multiline") ?? false { options.insert(.multiline) }
    if reader.bool("dotAll", "dot_all") ?? false { options.insert(.dotAll) }
    guard let pattern = reader.requiredString("pattern") else { return nil }
    do throws(RegularExpression.SyntaxError) {
      expression = try RegularExpression(pattern, options: options)
    } catch {
      reader.problems.add(
        Problem(
          path: reader.place("pattern"), message: "This is no regular expression: \(error).",
          got: JSONValue.string(pattern).excerpt))
      return nil
    }
    if let group, group > expression.groupCount {
      reader.problems.add(
        reader.place("group"), "The pattern has \(expression.groupCount) groups; there is no group \(group).")
    }
  }

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    var expected: JSONValue?
    let got: JSONValue
    if group == nil {
      got = try fields.output(outputs: outputs, metric: name)
    } else {
      let values = try fields.values(example: example, outputs: outputs, metric: name)
      got = values.got
      expected = values.expected
    }
    let scalars = Array(got.comparedText.unicodeScalars)
    guard scalars.count <= Self.maximumLength else {
      throw HoneError(
        .metricFailed, "The metric regex searches at most \(Self.maximumLength) characters; the output has "
          + "\(scalars.count).",
        remedy: "Bound the program's output, or choose another metric.")
    }
    guard let match = expression.firstMatch(in: scalars, isFull: isFull) else {
      return MetricScore(false, feedback: "Expected a match of /\(expression.pattern)/, got \(got.forFeedback).")
    }
    guard let group, let expected else { return MetricScore(true, feedback: "Right: the output matches.") }
    guard let range = match[group] else {
      return MetricScore(false, feedback: "Group \(group) of /\(expression.pattern)/ caught nothing.")
    }
    let caught = String(String.UnicodeScalarView(scalars[range]))
    let isRight = expected.acceptedTexts.contains { AnswerText.isSame(caught, $0) }
    return MetricScore(isRight, feedback: verdict(isRight, got: .string(caught), expected: expected))
  }
}
