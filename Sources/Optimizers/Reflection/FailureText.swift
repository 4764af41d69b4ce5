import Evaluation
import Failures
import JSON
import Programs
import Schema

/// Rows and what a program made of them, as a prompt model is shown them when it is to improve one step.
///
/// Plain text: a name and a value on each line, so that a weak model reads it and long values can be cut.
struct FailureText {
  let program: Program
  let metric: any Metric

  /// Characters of one value, and of one text, at most.
  private static let mostOfValue = 2000
  private static let mostInAll = 16_000

  /// The rows, in their order, as far as they fit.
  ///
  /// - Parameter predictor: the place of the step that is to be improved.
  func text(_ results: [ExampleResult], predictor: Int) -> String {
    var text = ""
    for (number, result) in results.enumerated() {
      let next = "Example \(number + 1)\n" + example(result, predictor) + "\n\n"
      if !text.isEmpty, text.count + next.count > Self.mostInAll { break }
      text += next
    }
    return text.trimmed
  }

  private func example(_ result: ExampleResult, _ predictor: Int) -> String {
    let signature = program.predictors[predictor].signature
    // A step may run several times; the last one led to the answer.
    let step = result.steps.last { $0.predictor == predictor }
    var lines: [String] = []
    for field in step == nil ? program.module.inputs : signature.inputs {
      if let value = step?.inputs[field.name] ?? result.example[field.name] { lines.append(line(field.name, value)) }
    }
    let outputs = step?.outputs ?? result.outputs
    if !outputs.isEmpty {
      lines.append(program.predictors.count > 1 ? "What the step gave:" : "What the program gave:")
      for (name, value) in outputs { lines.append(line(name, value)) }
      if program.predictors.count > 1, step != nil {
        for (name, value) in result.outputs where outputs[name] == nil {
          lines.append(line("the program's \(name)", value))
        }
      }
    }
    lines.append("Verdict: " + verdict(result, predictor))
    return lines.joined(separator: "\n")
  }

  private func line(_ name: String, _ value: JSONValue) -> String {
    let text = Adapter.text(of: value)
    return "\(name): " + (text.count > Self.mostOfValue ? text.prefix(Self.mostOfValue) + "…" : text)
  }

  /// What was right or wrong: the metric's words where it has any, else what was expected and what came.
  func verdict(_ result: ExampleResult, _ predictor: Int) -> String {
    if let own = result.predictorFeedback[program.predictors[predictor].name] { return own }
    if let feedback = result.feedback, !feedback.isEmpty { return feedback }
    if let error = result.error {
      guard error.kind.isUnreadable else { return "It failed: \(error.message)" }
      return "The reply could not be read: \(error.message) Asked for: \(program.predictors[predictor].signature.text)"
    }
    let score = result.score ?? 0
    let outputs = program.module.outputs.map(\.name)
    if let label = metric.comparedFields?.label(outputs: outputs, columns: Set(result.example.keys)),
      let expected = result.example[label]
    {
      let got = result.outputs[label] ?? result.outputs["answer"]
      if score >= 1 { return "Right: \(Adapter.text(of: expected).prefix(300))" }
      let part = score > 0 ? " It counts as \(Self.percent(score)) right." : ""
      return
        "Expected \(Adapter.text(of: expected).prefix(600)), but got \(got.map { Adapter.text(of: $0) }?.prefix(600) ?? "nothing").\(part)"
    }
    // What the row says beside the inputs is what the metric looked at.
    let inputs = Set(program.module.inputs.map(\.name))
    let known = result.example.filter { !inputs.contains($0.key) }.map { line($0.key, $0.value) }
    let told = known.isEmpty ? "" : " The row says: " + known.joined(separator: "; ")
    return "The metric gave \(Self.percent(score)).\(told)"
  }

  private static func percent(_ score: Double) -> String { "\(Int((100 * score).rounded())) %" }
}
