import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage

/// Has the prompt model compare a good and a bad execution of a program, and say for each of its steps what to do.
struct SimbaAdvice: Sendable {
  /// Two executions on one row.
  struct Contrast: Sendable {
    var example: JSONObject
    var better: SimbaSearch.Run
    var worse: SimbaSearch.Run
    /// The steps' instructions as they are.
    var instructions: [String]
  }

  let task: CompileTask
  let tally: WritingTally

  private static let inputs = [
    Field("program", description: "a program, step by step"),
    Field("current_instructions", description: "what each step is told now"),
    Field("task", description: "one task that the program was given"),
    Field("expected", description: "what is known of the right result"),
    Field("better_run", description: "what the steps did in a better execution, and its score"),
    Field("worse_run", description: "what the steps did in a worse execution, and its score"),
  ]

  private static let told =
    "A program carried out the same task twice, once better and once worse. Find out what made the difference, and give "
    + "advice with which the better way is taken on other tasks of this kind, too. Advice is one or two sentences that "
    + "say under which circumstances to do what. Do not speak of this task in particular, and leave advice empty for a step "
    + "that needs none."

  private static func signature(_ program: Program) -> Signature {
    let isOne = program.predictors.count == 1
    let advice = program.predictors.enumerated().map { index, predictor in
      Field(
        isOne ? "advice" : "advice_\(index + 1)",
        description: isOne ? "the advice" : "advice for the step \(predictor.name)")
    }
    return Signature(
      inputs: inputs,
      outputs: [Field("discussion", description: "what made the difference, in a few sentences")] + advice,
      instructions: told)
  }

  /// Advice by predictor; nil, and noted, where there is none that can be used.
  func ask(_ contrast: Contrast, step: Int, number: Int) async throws(HoneError) -> [Int: String]? {
    let inputs = texts(contrast)
    var signature = Self.signature(task.student)
    signature.inputs = signature.inputs.filter { inputs[$0.name] != nil }
    let output = try await DataSummary.ask(
      task, signature, inputs, (tally, .instruction), scope: "advice/\(step)/\(number)",
      metadata: ["phase": "propose", "step": .int(step), "number": .int(number)])
    guard let output else { return nil }
    let data = ["task", "expected", "better_run", "worse_run"].compactMap { inputs[$0]?.stringValue }
    let answers = QuotedAnswers(task)
    var advice: [Int: String] = [:]
    var refusals: [String] = []
    for (index, field) in signature.outputs.dropFirst().enumerated() {
      let text = (output[field.name]?.stringValue ?? "").trimmed
      // No advice is an answer, too.
      if text.isEmpty { continue }
      let gate = ProposalGate(
        shown: [Self.told, task.student.outline] + signature.fields.map(\.description) + data,
        kin: [contrast.instructions[index]] + data)
      switch gate.check(text) {
      case .success(let text):
        let quoted = answers.places(in: text, beside: contrast.instructions[index])
        if !quoted.isEmpty { tally.quotes(quoted) }
        // One rule, one line.
        advice[index] = String(text.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(Self.mostText))
      case .failure(let refusal): refusals.append(refusal.reason)
      }
    }
    if advice.isEmpty { tally.refused(.instruction, refusals.first ?? "was empty") }
    return advice
  }

  /// How many characters a rule has at most.
  private static let mostText = 2000

  // MARK: Texts

  private func texts(_ contrast: Contrast) -> JSONObject {
    let program = task.student
    var inputs: JSONObject = ["program": .string(program.outline)]
    inputs["current_instructions"] = .string(
      zip(program.predictors, contrast.instructions).map { "\($0.name): \($1)" }.joined(separator: "\n"))
    let names = Set(program.module.inputs.map(\.name))
    inputs["task"] = .string(Self.text(contrast.example.filter { names.contains($0.key) }))
    let expected = contrast.example.filter { !names.contains($0.key) }
    if !expected.isEmpty { inputs["expected"] = .string(Self.text(expected)) }
    inputs["better_run"] = .string(text(contrast.better))
    inputs["worse_run"] = .string(text(contrast.worse))
    return inputs
  }

  private func text(_ run: SimbaSearch.Run) -> String {
    var lines = run.steps.map { step in
      "\(task.student.predictors[step.predictor].name)\n\(Self.text(step.inputs))\n\(Self.text(step.outputs))"
    }
    if let failure = run.failure { lines.append("failed: \(failure)") }
    lines.append("score: \(run.score)")
    if let feedback = run.feedback { lines.append("feedback: \(feedback.prefix(2000))") }
    return lines.joined(separator: "\n\n")
  }

  private static func text(_ fields: some Sequence<(key: String, value: JSONValue)>) -> String {
    fields.map { "\($0.key): \(Adapter.text(of: $0.value).prefix(2000))" }.joined(separator: "\n")
  }

  /// What the requests will be asked with: two executions as long as a row.
  static func planned(_ task: CompileTask, _ count: ClosedRange<Int>) -> PlannedPart {
    let own = SimbaAdvice(task: task, tally: WritingTally())
    let program = Program(.predict(signature(task.student)))
    let samples = task.trainset.prefix(3).map { row -> JSONObject in
      let run = SimbaSearch.Run(
        member: 0, score: 1,
        steps: task.student.predictors.indices.map { PredictorStep(predictor: $0, inputs: row, outputs: [:]) })
      return own.texts(
        Contrast(
          example: row, better: run, worse: run, instructions: task.student.states.map(\.instructions)))
    }
    return PlannedPart(
      "propose", .prompt, count, shortest: .init(program, Rows(samples)), details: ["what": "rules"])
  }
}
