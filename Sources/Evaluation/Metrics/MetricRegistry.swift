import Failures
package import JSON

/// What a request's `metric` asks for.
package enum MetricRequest: Sendable {
  /// A metric of this room, ready for use.
  case builtIn(any Metric)
  /// `{"client": NAME, …}`: the client computes the score; the options are the other members.
  case client(name: String, options: JSONObject)
  /// `{"judge": {…}, …}`: a language model judges; the value of `judge`, and the other members.
  case judge(JSONObject, options: JSONObject)
}

/// Makes metrics from what requests say of them.
package enum MetricRegistry {
  /// One metric that goes by name.
  package struct Entry: Sendable {
    package var name: String
    /// Other names that mean the same.
    package var aliases: [String]
    package var summary: String
    let make: @Sendable (FieldReader) -> (any Metric)?
  }

  /// The metrics by name, in the order in which they are listed.
  package static let entries: [Entry] = [
    Entry(
      name: "exact_match", aliases: ["answer_exact_match", "accuracy", "em"],
      summary: "The output is an expected answer, case, articles and punctuation aside."
    ) { reader in
      ExactMatch(
        fields: ComparedFields(reader), frac: reader.double("frac", in: 0...1) ?? 1,
        normalizes: reader.bool("normalize") ?? true)
    },
    Entry(name: "numeric_match", aliases: ["number_match"], summary: "The output's number is the expected one.") {
      reader in
      let extractions = NumericMatch.Extraction.allCases.map(\.rawValue)
      return NumericMatch(
        fields: ComparedFields(reader),
        extraction: reader.choice("extract", of: extractions).flatMap { NumericMatch.Extraction(rawValue: $0) }
          ?? .last,
        tolerance: reader.double("tolerance", in: 0 ... .infinity) ?? 0,
        relativeTolerance: reader.double("relativeTolerance", "relative_tolerance", in: 0 ... .infinity) ?? 0)
    },
    Entry(
      name: "gsm8k_metric", aliases: ["gsm8k"], summary: "The whole number in the output, as GSM8K scores are counted."
    ) { GSM8KMetric(fields: ComparedFields($0)) },
    Entry(name: "f1", aliases: ["answer_f1"], summary: "How many words the output shares with an expected answer.") {
      F1(fields: ComparedFields($0))
    },
    Entry(name: "hotpot_f1", aliases: ["hotpotqa_f1"], summary: "F1, with yes and no met exactly.") {
      F1(fields: ComparedFields($0), isHotpot: true)
    },
    Entry(name: "contains", aliases: ["includes"], summary: "The output contains the expected text.") { reader in
      let texts = reader.strings("text", "texts")
      if texts?.isEmpty == true || texts?.contains("") == true {
        reader.problems.add(reader.place("text"), "The text to look for must not be empty.")
      }
      return Contains(
        fields: ComparedFields(reader), texts: texts, needsAll: reader.bool("all") ?? false,
        isCaseSensitive: reader.bool("caseSensitive", "case_sensitive") ?? false)
    },
    Entry(name: "regex", aliases: ["regex_match"], summary: "The output matches a regular expression.") {
      RegexMatch(reader: $0)
    },
    Entry(name: "json_match", aliases: ["json_equal"], summary: "The output is the expected JSON.") { reader in
      JSONMatch(fields: ComparedFields(reader), isSubset: reader.bool("subset") ?? false)
    },
    Entry(
      name: "passage_match", aliases: ["answer_passage_match"], summary: "A retrieved passage contains the answer."
    ) { reader in
      PassageMatch(
        expectedField: reader.string("expectedField", "expected_field") ?? "answer",
        passagesField: reader.string("passagesField", "passages_field") ?? "context")
    },
  ]

  package static var names: [String] { entries.map(\.name) }

  /// The entry of a name or alias, without regard to case and `_`.
  package static func entry(named name: String) -> Entry? {
    let wanted = fold(name)
    return entries.first { entry in fold(entry.name) == wanted || entry.aliases.contains { fold($0) == wanted } }
  }

  private static func fold(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }

  /// The metric that a request's value describes (a name, `{"name", …options}`, `{"client"}` or
  /// `{"judge"}`), or nil with everything wrong noted.
  ///
  /// - Parameter path: the value's place in the request (`metric`).
  package static func make(_ value: JSONValue, path: String, problems: ProblemList) -> MetricRequest? {
    switch value {
    case .string(let name):
      return make(name, FieldReader([:], path: path, problems: problems), namePath: path)
    case .object(let object):
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
      default:
        guard let name = reader.requiredString("name") else { return nil }
        return make(name, reader, namePath: reader.place("name"))
      }
    default:
      problems.add(
        Problem(
          path: path, message: "Expected a metric (a name, or an object with name, client or judge), got "
            + "\(value.kindName).",
          got: value.excerpt, allowed: names))
      return nil
    }
  }

  private static func make(_ name: String, _ reader: FieldReader, namePath: String) -> MetricRequest? {
    guard let entry = entry(named: name) else {
      reader.problems.add(
        Problem(
          path: namePath, message: "There is no metric \(JSONValue.string(name).excerpt); there are "
            + "\(names.joined(separator: ", ")).",
          got: JSONValue.string(name).excerpt, allowed: names,
          suggestion: nearest(to: name, among: entries.flatMap { [$0.name] + $0.aliases })))
      return nil
    }
    let before = reader.problems.problems.count
    let metric = entry.make(reader)
    reader.finish()
    guard let metric, reader.problems.problems.count == before else { return nil }
    return .builtIn(metric)
  }
}
