package import Failures
package import JSON
import RegularExpressions
package import Schema

/// True if the output matches a regular expression; with `group`, if the text that the group caught is
/// the expected answer.
///
/// The expressions are those of `RegularExpression`, whose matching time is linear in the output.
package struct RegexMatch: NamedMetric {
  package static let name = "regex"
  package static let otherNames = ["regex_match"]
  package static let summary = "The output matches a regular expression."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      Member("pattern", \.pattern, isRequired: true, "The regular expression."),
      Member("full", \.isFull, "Whether the whole output must match."),
      Member(
        "group", \.group, in: 0...99,
        "The group whose text is compared with the expected answer. Null only asks for a match."),
      Member("ignoreCase", \.ignoresCase, "Whether capitals make no difference."),
      Member("multiline", \.isMultiline, "Whether ^ and $ match at the ends of lines."),
      Member("dotAll", \.dotMatchesNewlines, "Whether . matches the end of a line, too."),
    ]

  /// The longest output that is searched, in Unicode scalars.
  static let maximumLength = 200_000

  package var fields = ComparedFields()
  var pattern = ""
  var isFull = false
  var group: Int?
  var ignoresCase = false
  var isMultiline = false
  var dotMatchesNewlines = false
  private var expression: RegularExpression?

  package init() {}

  package mutating func settle(_ fields: FieldReader) {
    var options: RegularExpression.Options = []
    if ignoresCase { options.insert(.ignoreCase) }
    if isMultiline { options.insert(.multiline) }
    if dotMatchesNewlines { options.insert(.dotAll) }
    do throws(RegularExpression.SyntaxError) {
      expression = try RegularExpression(pattern, options: options)
    } catch {
      fields.problems.add(
        Problem(
          path: fields.place("pattern"), message: "This is not a valid regular expression: \(error).",
          got: JSONValue.string(pattern).excerpt))
    }
    if let group, let groups = expression?.groupCount, group > groups {
      fields.problems.add(
        fields.place("group"), "The pattern has \(groups) groups; there is no group \(group).")
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
        .metricFailed,
        "The metric regex searches at most \(Self.maximumLength) characters; the output has "
          + "\(scalars.count).",
        remedy: "Limit the program's output, or choose another metric.")
    }
    let found: [Range<Int>?]?
    do throws(RegularExpression.Abandoned) {
      found = try expression?.firstMatch(in: scalars, isFull: isFull, needsGroups: group != nil)
    } catch {
      if error == .cancelled { throw HoneError(.cancelled, "The request was cancelled.") }
      throw HoneError(
        .metricFailed, "The metric regex gave up: /\(pattern)/ needs too many steps on this output.",
        remedy: "Simplify the pattern.")
    }
    guard let match = found else {
      return MetricScore(false, feedback: "Expected a match of /\(pattern)/, got \(got.forFeedback).")
    }
    guard let group, let expected else { return MetricScore(true, feedback: "Right: the output matches.") }
    guard let range = match[group] else {
      return MetricScore(false, feedback: "Group \(group) of /\(pattern)/ caught nothing.")
    }
    let caught = String(String.UnicodeScalarView(scalars[range]))
    let isRight = expected.acceptedTexts.contains { TextComparison.standard.isSame(caught, $0) }
    return MetricScore(isRight, feedback: verdict(isRight, got: .string(caught), expected: expected))
  }
}
