import Basics
package import Failures
package import JSON
package import Schema

/// True if the number in the output equals the expected one within the tolerance.
///
/// Signs and decimals count, all lines are read, and an output without a number is never right
/// (see `NumberText` for what counts as a number). Which number of the text is meant, `extract` says.
package struct NumericMatch: NamedMetric {
  package static let name = "numeric_match"
  package static let otherNames = ["number_match"]
  package static let summary = "The output's number is the expected one."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      Member("extract", \.extraction, "Which number of the output counts."),
      Member("tolerance", \.tolerance, in: 0 ... .infinity, "How far the number may be off."),
      Member(
        "relativeTolerance", \.relativeTolerance, in: 0 ... .infinity,
        "How far the number may be off, as a share of the expected one."),
    ]

  package enum Extraction: String, SchemaChoice {
    /// Models and worked solutions end in their answer.
    case last
    case first
    case whole

    package var summary: String {
      switch self {
      case .last: "The last number of the text."
      case .first: "The first number of the text."
      case .whole: "The only one: nothing but a currency or percent sign may stand beside it."
      }
    }
  }

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var extraction = Extraction.last
  var tolerance = 0.0
  var relativeTolerance = 0.0

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let (got, expected) = try fields.values(example: example, outputs: outputs, metric: name)
    let accepted = expected.acceptedTexts.compactMap { NumberText.whole($0) ?? NumberText.all(in: $0).last }
    guard !accepted.isEmpty else {
      throw HoneError(
        .metricFailed, "The metric \(name) compares numbers, and the expected value \(expected.forFeedback) has none.",
        remedy: "Choose another metric, or another field with the option \"expectedField\".")
    }
    guard let number = extract(got.comparedText) else {
      let what = extraction == .whole ? "nothing but a number" : "a number"
      return MetricScore(false, feedback: "Expected \(what) (\(accepted[0].text)), got \(got.forFeedback).")
    }
    let isRight = accepted.contains { isEqual(number, $0) }
    return MetricScore(
      isRight,
      feedback: isRight ? "Right: \(number.text)." : "Expected the number \(accepted[0].text), got \(number.text).")
  }

  private func extract(_ text: String) -> NumberText? {
    switch extraction {
    case .last: NumberText.all(in: text).last
    case .first: NumberText.all(in: text).first
    case .whole: NumberText.whole(text)
    }
  }

  private func isEqual(_ number: NumberText, _ expected: NumberText) -> Bool {
    if let a = number.exact, let b = expected.exact, tolerance == 0, relativeTolerance == 0 { return a == b }
    guard number.value.isFinite, expected.value.isFinite else { return false }
    return abs(number.value - expected.value) <= max(tolerance, relativeTolerance * abs(expected.value))
  }
}

/// True if output and expected answer are the same whole number in GSM8K's lenient reading
/// (`AnswerText.gsm8kInteger`), for scores that compare with published ones.
package struct GSM8KMetric: NamedMetric {
  package static let name = "gsm8k_metric"
  package static let otherNames = ["gsm8k"]
  package static let summary = "The whole number in the output, as GSM8K scores are counted."
  package static let members: [Member<Self>] = Member.of(\.fields)

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let (got, expected) = try fields.values(example: example, outputs: outputs, metric: name)
    let number = AnswerText.gsm8kInteger(got.comparedText)
    let wanted = AnswerText.gsm8kInteger(expected.comparedText)
    let isRight = number == wanted
    return MetricScore(
      isRight,
      feedback: isRight ? "Right: \(number)." : "Expected \(wanted), got \(number) (from \(got.forFeedback)).")
  }
}
