import Basics
package import Failures
package import JSON
package import Schema

/// True if the output is one of the expected answers as `TextComparison` compares them; with `frac` below 1, if its F1
/// with one of them is at least that. Values that are no texts are compared as JSON.
package struct ExactMatch: NamedMetric {
  package static let name = "exact_match"
  package static let otherNames = ["answer_exact_match", "accuracy", "em"]
  package static let summary =
    "The output is an expected answer, ignoring case, articles and punctuation that says nothing."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      .normalization(\.comparison),
      Member("frac", \.frac, in: 0...1, "The share of words from which an answer counts."),
      Member(
        "normalize", \.normalizes, "Whether anything is ignored; otherwise texts are equal to the last character."),
    ]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var comparison = TextComparison.standard
  var frac = 1.0
  var normalizes = true

  package init() {}

  package mutating func settle(_ fields: FieldReader) {
    if !normalizes, fields.gives("normalization") {
      fields.problems.add(fields.place("normalization"), "This member has no effect where \"normalize\" is false.")
    }
  }

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let (got, expected) = try fields.values(example: example, outputs: outputs, metric: name)
    // A list that is the answer itself, not a choice of answers, is compared whole.
    let accepted = got.arrayValue == nil ? expected.arrayValue ?? [expected] : [expected]
    guard !accepted.isEmpty else { throw noAcceptedAnswer(name) }
    let isRight = accepted.contains { isSame(got, $0) }
    return MetricScore(isRight, feedback: verdict(isRight, got: got, expected: expected))
  }

  private func isSame(_ got: JSONValue, _ answer: JSONValue) -> Bool {
    if got.stringValue == nil, answer.stringValue == nil { return got.isSame(answer, text: isSame) }
    return isSame(got.comparedText, answer.comparedText)
  }

  private func isSame(_ text: String, _ answer: String) -> Bool {
    if frac < 1 { return comparison.f1(text, answer) >= frac }
    return normalizes ? comparison.isSame(text, answer) : text.utf8.elementsEqual(answer.utf8)
  }
}

extension Member {
  fileprivate static func normalization(_ path: MemberPath<Owner, TextComparison>) -> Member {
    Member("normalization", path, "How texts are made comparable.")
  }
}

/// The greatest F1 of the output's words with those of an expected answer, from 0 to 1.
package struct F1: NamedMetric {
  package static let name = "f1"
  package static let otherNames = ["answer_f1"]
  package static let summary = "How many words the output shares with an expected answer."
  package static let members: [Member<Self>] = Member.of(\.fields) + [.normalization(\.comparison)]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var comparison = TextComparison.standard

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    try fields.bestF1(example, outputs, metric: name, comparison.f1)
  }
}

/// F1 in which yes, no and noanswer must be met exactly, as in HotPotQA.
package struct HotpotF1: NamedMetric {
  package static let name = "hotpot_f1"
  package static let otherNames = ["hotpotqa_f1"]
  package static let summary = "F1, with yes and no met exactly."
  package static let members: [Member<Self>] = Member.of(\.fields) + [.normalization(\.comparison)]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { fields }
  var comparison = TextComparison.standard

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    try fields.bestF1(example, outputs, metric: name, comparison.hotpotF1)
  }
}

extension ComparedFields {
  fileprivate func bestF1(
    _ example: JSONObject, _ outputs: JSONObject, metric: String, _ f1: (String, String) -> Double
  ) throws(HoneError) -> MetricScore {
    let (got, expected) = try values(example: example, outputs: outputs, metric: metric)
    let text = got.comparedText
    guard let best = expected.acceptedTexts.map({ f1(text, $0) }).max() else { throw noAcceptedAnswer(metric) }
    let feedback =
      best == 1
      ? "Right: the words match."
      : "Of the words, an F1 of \((best * 1000).rounded() / 1000) matches: expected \(expected.forFeedback), got "
        + "\(got.forFeedback)."
    return MetricScore(best, feedback: feedback)
  }
}

/// True if the output contains the expected text, or one (with `all`, every one) of several.
///
/// Letter by letter, once both are folded (`foldedText`); but a number is only found as a whole: 5 is neither in 15 nor
/// in -5 nor in 3.5.
package struct Contains: NamedMetric {
  package static let name = "contains"
  package static let otherNames = ["includes"]
  package static let summary = "The output contains the expected text."
  package static let members: [Member<Self>] =
    Member.of(\.fields) + [
      Member("text", \.texts, also: ["texts"], "The text or texts to look for, in place of the row's."),
      Member("all", \.needsAll, "Whether every text must be there."),
      Member("caseSensitive", \.isCaseSensitive, "Whether capitals matter."),
    ]

  var fields = ComparedFields()
  package var comparedFields: ComparedFields? { texts == nil ? fields : nil }
  var texts: [String]?
  var needsAll = false
  var isCaseSensitive = false

  package init() {}

  package mutating func settle(_ fields: FieldReader) {
    if texts?.isEmpty == true || texts?.contains("") == true {
      fields.problems.add(fields.place("text"), "The text to look for must not be empty.")
    }
  }

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let got: JSONValue
    let wanted: [String]
    if let texts {
      got = try fields.output(outputs: outputs, metric: name)
      wanted = texts
    } else {
      let (value, expected) = try fields.values(example: example, outputs: outputs, metric: name)
      got = value
      wanted = expected.acceptedTexts
    }
    guard !wanted.isEmpty, !wanted.contains("") else {
      throw HoneError(
        .metricFailed, "The metric contains has an empty text to look for, which every output contains.",
        remedy: "Give the example a text that is not empty.")
    }
    let haystack = folded(got.comparedText)
    let missing = wanted.filter { !Self.contains(haystack, folded($0)) }
    let isRight = needsAll ? missing.isEmpty : missing.count < wanted.count
    let quoted = (needsAll ? missing : wanted).prefix(5).map { JSONValue.string($0).forFeedback }
    let what = (needsAll || wanted.count == 1 ? "" : "one of ") + quoted.joined(separator: ", ")
    return MetricScore(
      isRight,
      feedback: isRight
        ? "Right: the output contains what was asked for."
        : "Expected the output to contain \(what); got \(got.forFeedback).")
  }

  /// With one space for any white space.
  private func folded(_ text: String) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for scalar in foldedText(text, ignoringCase: !isCaseSensitive) {
      if !PythonText.isSpace(scalar) { result.append(scalar) } else if result.last != " " { result.append(" ") }
    }
    return result
  }

  private static func contains(_ text: [Unicode.Scalar], _ part: [Unicode.Scalar]) -> Bool {
    func at(_ index: Int) -> Unicode.Scalar? { text.indices.contains(index) ? text[index] : nil }
    func isDigit(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ("0"..."9").contains($0) } ?? false }
    func isPoint(_ scalar: Unicode.Scalar?) -> Bool { scalar == "." || scalar == "," }
    return text.hasContiguous(part) { place in
      let (before, after) = (place.lowerBound - 1, place.upperBound)
      if isDigit(part.first) {
        if isDigit(at(before)) || (isPoint(at(before)) && isDigit(at(before - 1))) { return false }
        if at(before) == "-", !(at(before - 1).map(PythonText.isAlphanumeric) ?? false) { return false }
      }
      return !isDigit(part.last) || !(isDigit(at(after)) || (isPoint(at(after)) && isDigit(at(after + 1))))
    }
  }
}

/// True if a passage of the output (or of the example) contains an expected answer as a run of tokens.
///
/// See `TextComparison.contains(_:in:)`.
package struct PassageMatch: NamedMetric {
  package static let name = "passage_match"
  package static let otherNames = ["answer_passage_match"]
  package static let summary = "A retrieved passage contains the answer."
  package static let members: [Member<Self>] = [
    Member("expectedField", \.expectedField, "The row's member that holds what is right."),
    Member("passagesField", \.passagesField, "The output that holds the passages."),
    .normalization(\.comparison),
  ]

  var expectedField = "answer"
  var passagesField = "context"
  var comparison = TextComparison.standard

  package init() {}

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    guard let expected = example[expectedField], !expected.isNull else {
      throw HoneError(
        .metricFailed, "The metric \(name) looks for the example's field \"\(expectedField)\", which is missing.",
        remedy: "Name the field that holds the answer with the metric's option \"expectedField\".")
    }
    guard let passages = outputs[passagesField] ?? example[passagesField], !passages.isNull else {
      throw HoneError(
        .metricFailed, "The metric \(name) searches the passages in \"\(passagesField)\", which is missing.",
        remedy: "Name the field that holds the passages with the metric's option \"passagesField\".")
    }
    let answers = expected.acceptedTexts
    let texts = passages.acceptedTexts
    let isRight = texts.contains { passage in answers.contains { comparison.contains($0, in: passage) } }
    return MetricScore(
      isRight,
      feedback: isRight
        ? "Right: a passage contains the answer."
        : "None of the \(texts.count) passages contains the answer \(expected.forFeedback).")
  }
}

func verdict(_ isRight: Bool, got: JSONValue, expected: JSONValue) -> String {
  isRight
    ? "Right: \(got.forFeedback)."
    : "Expected \(expected.arrayValue == nil ? "" : "one of ")\(expected.forFeedback), got \(got.forFeedback)."
}

func noAcceptedAnswer(_ metric: String) -> HoneError {
  HoneError(
    .metricFailed, "The metric \(metric) compares with a list of answers, and the example's list is empty.",
    remedy: "Give every example at least one answer.")
}
