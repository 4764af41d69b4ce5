package import Failures
package import JSON
package import LanguageModels
import Messages
package import Programs
package import Schema
package import Traces

/// A metric that is a program itself: a language model judges, with feedback if it gives any.
///
/// Its calls are counted under the role `judge`, within the run's budget, and its spans stand in the trace of the
/// execution that it judges.
package struct JudgeMetric: Metric {
  package let name: String
  private let program: PreparedProgram
  private let model: ModelClient
  private let options: Options
  /// The output that holds the score.
  private let field: String

  /// How a judge is wired and its verdict read.
  package struct Options: SchemaObject {
    package static let members: [Member<Self>] = [
      Member("field", \.field, "The output that holds the score; by default it is found by its name and type."),
      Member(
        "threshold", \.threshold,
        "The score from which an example counts as solved; by default the score is used as it is."),
      Member("range", \.bounds, "The scale of the score, which becomes 0 to 1: two numbers, the lower first."),
      Member(
        "inputs", \.sources, "Where the judge's inputs take their values from: example.FIELD or prediction.FIELD."),
    ]

    package var field: String?
    package var threshold: Double?
    private var bounds: [Double]?
    package var sources: [String: String] = [:]

    package init() {}

    /// The scale; nil: it is 0 to 1.
    package var range: ClosedRange<Double>? {
      guard let bounds, bounds.count == 2, bounds[0] < bounds[1] else { return nil }
      return bounds[0]...bounds[1]
    }

    package mutating func settle(_ fields: FieldReader) {
      if bounds != nil, range == nil {
        fields.problems.add(fields.place("range"), "Expected two numbers, the lower first, as in [1, 5].")
      }
      for (input, source) in sources.sorted(by: { $0.key < $1.key }) {
        let isKnown = ["example", "prediction"].contains { source == $0 || source.hasPrefix($0 + ".") }
        if isKnown { continue }
        fields.problems.add(
          fields.place("inputs.\(input)"),
          "Expected \"example.FIELD\" or \"prediction.FIELD\", got \(JSONValue.string(source).excerpt).")
      }
    }
  }

  /// Notes what in the options does not fit the judge's program, and then gives nil.
  package init?(
    name: String, program: Program, model: ModelClient, options: Options, path: String, problems: ProblemList
  ) {
    let outputs = program.module.outputs
    let before = problems.problems.count
    if let field = options.field, !outputs.contains(where: { $0.name == field }) {
      let names = outputs.map(\.name)
      problems.add(
        Problem(
          path: "\(path).field", message: "The judge gives no output \"\(field)\".", got: field, allowed: names,
          suggestion: nearest(to: field, among: names)))
    }
    let inputs = program.module.inputs.map(\.name)
    for input in options.sources.keys.sorted() where !inputs.contains(input) {
      problems.add(
        Problem(
          path: "\(path).inputs.\(input)", message: "The judge takes no input \"\(input)\".", got: input,
          allowed: inputs, suggestion: nearest(to: input, among: inputs)))
    }
    guard problems.problems.count == before, let field = options.field ?? Self.scoreField(outputs) else { return nil }
    self.name = name
    self.program = PreparedProgram(program)
    self.model = model
    self.options = options
    self.field = field
  }

  package var source: Assessment.Source { .judge }

  /// The program that judges.
  package var judge: Program { program.program }
  /// The configuration of the model that it judges with.
  package var configuration: ModelConfiguration { model.configuration }

  private static func scoreField(_ outputs: [Field]) -> String? {
    let own = outputs.filter { !remarks.contains($0.name) }
    return (own.first { $0.name == "score" } ?? own.first { [.int, .float, .bool].contains($0.type) } ?? own.last)?.name
  }

  /// Outputs that say why, the likeliest first.
  private static let remarks = ["feedback", "critique", "rationale", "reasoning", "trajectory"]

  // MARK: Judging

  package func score(example: JSONObject, outputs: JSONObject) async throws(HoneError) -> MetricScore {
    let call = CallContext(account: RunAccount(), role: .judge)
    return try await verdict(example, outputs, in: ExecutionContext(model: model, call: call))
  }

  package func score(_ scoring: Scoring) async throws(HoneError) -> MetricScore {
    var context = scoring.context
    context.model = model
    context.call.role = .judge
    context.call.scope += "/judge"
    context.options = nil
    context.leavesOneOut = false
    context.tally = nil
    guard let trace = context.trace else {
      return try await verdict(scoring.example, scoring.prediction.outputs, in: context)
    }
    let span = trace.begin(
      "judge.\(name)", .evaluator, parent: trace.root,
      inputs: .json(["example": .object(scoring.example), "prediction": .object(scoring.prediction.outputs)]))
    context.parent = span
    do throws(HoneError) {
      let score = try await verdict(scoring.example, scoring.prediction.outputs, in: context)
      trace.end(span, outputs: .json(["score": score.raw, "feedback": JSONValue(score.feedback)]))
      return score
    } catch {
      trace.end(span, error: (error.kind.rawValue, error.message))
      throw error
    }
  }

  private func verdict(
    _ example: JSONObject, _ outputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> MetricScore {
    var inputs: JSONObject = [:]
    for field in program.program.module.inputs {
      inputs[field.name] = try value(field.name, example, outputs)
    }
    let judged: JSONObject
    do throws(HoneError) {
      judged = try await program.run(inputs, in: context).outputs
    } catch  where error.kind.isUnreadable {
      // It is not the judged program's output that could not be read.
      throw HoneError(.metricFailed, "The judge \(name) could not be read: \(error.message)", remedy: error.remedy)
    }
    let feedback = Self.remarks.lazy.compactMap { judged[$0]?.stringValue }.first { !$0.isEmpty }
    let value = judged[field] ?? .null
    if case .bool(let isRight) = value { return MetricScore(isRight, feedback: feedback) }
    guard var number = value.doubleValue ?? value.stringValue.flatMap(Self.number) else {
      throw HoneError(
        .metricFailed, "The judge \(name) gave \(value.excerpt) as \"\(field)\" where a score is expected.",
        remedy: "Give that output a type: \"\(field): float\" or \"\(field): bool\".")
    }
    if let threshold = options.threshold { return MetricScore(number >= threshold, feedback: feedback) }
    if let range = options.range {
      number =
        (min(max(number, range.lowerBound), range.upperBound) - range.lowerBound)
        / (range.upperBound - range.lowerBound)
    }
    return MetricScore(number, feedback: feedback)
  }

  /// A verdict in words.
  private static func number(_ text: String) -> Double? {
    // A number among other words may be about anything.
    if case .success(let reading) = FieldType.float.read(text), !reading.isRepaired { return reading.value.doubleValue }
    switch text.lowercased().filter(\.isLetter) {
    case "yes", "true", "right", "correct", "pass", "passed": return 1
    case "no", "false", "wrong", "incorrect", "fail", "failed": return 0
    default: return nil
    }
  }

  /// What an input of the judge is given: as wired, else by its name.
  private func value(_ name: String, _ example: JSONObject, _ outputs: JSONObject) throws(HoneError) -> JSONValue {
    if let source = options.sources[name] {
      let parts = source.split(separator: ".", maxSplits: 1).map(String.init)
      let values = parts[0] == "example" ? example : outputs
      guard parts.count == 2 else { return .object(values) }
      if let value = values[parts[1]] { return value }
      throw missing(name, "\(parts[0]) has no \"\(parts[1])\"", example, outputs)
    }
    if let value = outputs[name] ?? example[name] { return value }
    if name == "prediction" { return .object(outputs) }
    if name == "example" { return .object(example) }
    for prefix in ["expected_", "example_", "gold_"] where name.hasPrefix(prefix) {
      if let value = example[String(name.dropFirst(prefix.count))] { return value }
    }
    for prefix in ["predicted_", "prediction_"] where name.hasPrefix(prefix) {
      if let value = outputs[String(name.dropFirst(prefix.count))] { return value }
    }
    throw missing(name, "nothing of that name is there", example, outputs)
  }

  private func missing(_ name: String, _ why: String, _ example: JSONObject, _ outputs: JSONObject) -> HoneError {
    HoneError(
      .metricFailed,
      "The judge \(self.name) takes \"\(name)\", but \(why): the example has \(example.keys.joined(separator: ", ")), "
        + "the prediction \(outputs.keys.joined(separator: ", ")).",
      remedy: "Say in the judge's \"inputs\" where it comes from, as in {\"\(name)\": \"prediction.answer\"}.")
  }
}
