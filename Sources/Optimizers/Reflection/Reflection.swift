import Evaluation
import Failures
import JSON
import Messages
import Programs
import RowStorage

/// Lets the prompt model, or a function of the client, look at rows that went wrong and write what would have helped: a
/// whole instruction, or one rule to add.
///
/// What a model writes goes through `ProposalGate`; what was cut off, is empty, copies the prompt or is known already is
/// not taken. A client's text is known to be meant: it has to be new, short enough and without the marks of the layout.
struct Reflection: Sendable {
  /// What is to be written.
  struct Order: Sendable {
    enum Kind: Sendable { case instruction, rule }
    var kind: Kind
    /// The program whose failures are shown.
    var program: Program
    var predictor: Int
    /// Rows that went wrong, and maybe some that went right.
    var results: [ExampleResult]
    /// Texts that were tried and did not help.
    var rejected: [String] = []
    /// The most characters that the text may have.
    var limit = 4000
    /// Where in the search it stands.
    var scope: String
    var rollout = 0
  }

  let task: CompileTask
  let tally: WritingTally
  let answers: QuotedAnswers
  var temperature = 1.0
  /// Who writes in place of the prompt model.
  let proposer: ClientProposer?

  init(_ task: CompileTask, _ tally: WritingTally, proposer: ClientProposer? = nil) {
    self.task = task
    self.tally = tally
    self.proposer = proposer
    answers = QuotedAnswers(task)
  }

  /// How many model calls a text costs.
  var callsPerText: Int { proposer == nil ? 1 : 0 }

  /// Who writes, in words.
  var writer: String { proposer.map { "The client's proposer \"\($0.client)\"" } ?? "The prompt model" }

  private static let instructionTask =
    "A language model carries out one step of a program. It follows an instruction and makes the mistakes that "
    + "the examples show. Find out what they have in common: what the task really asks for, which facts and which form "
    + "the step has to know, which way of working gets it right. Then write a better instruction: complete, to be used "
    + "as it stands, true for inputs that are not among the examples. Do not quote the examples or their answers. "
    + "Answer with the instruction alone."

  private static let ruleTask =
    "A language model carries out one step of a program. It follows the instruction below and makes the mistakes that "
    + "the examples show. Write one more rule, in one or two sentences, which would have prevented several of them and "
    + "holds for other inputs, too. Say something that the instruction does not say yet. Do not quote the examples or "
    + "their answers. Answer with the rule alone."

  private static func signature(_ order: Order) -> Signature {
    let isRule = order.kind == .rule
    // Rules are added to what stays as it is; an instruction that is to be rewritten is an input like the examples.
    var text =
      isRule
      ? ruleTask + "\n\nThe instruction now:\n\(order.program.states[order.predictor].instructions)"
      : instructionTask + " Use at most \(order.limit) characters."
    if !order.rejected.isEmpty {
      text += "\n\nTried already, and no better:\n" + order.rejected.map { "- \($0)" }.joined(separator: "\n")
    }
    let current = Field("current_instruction", description: "the instruction in use now")
    return Signature(
      inputs: [Field("step", description: "what the step is given and has to give")] + (isRule ? [] : [current]) + [
        Field("examples", description: "inputs, what was made of them, and what was right or wrong")
      ],
      outputs: [
        isRule
          ? Field("new_rule", description: "the rule to add")
          : Field("new_instruction", description: "the instruction to use instead")
      ],
      instructions: text)
  }

  /// What one request to the prompt model is like before any row has gone wrong; nil where it is not asked.
  static func planned(
    _ task: CompileTask, _ count: ClosedRange<Int>, _ kind: Order.Kind, by proposer: ClientProposer?
  ) -> PlannedPart? {
    guard proposer == nil else { return nil }
    let order = Order(kind: kind, program: task.student, predictor: 0, results: [], scope: "")
    let rows = task.trainset.prefix(4).map { row in
      ExampleResult(row: 0, score: 0, example: row, outputs: [:])
    }
    let text = FailureText(program: task.student, metric: task.metric)
    let examples: [JSONObject] =
      task.student.predictors.isEmpty ? [] : [["examples": .string(text.text(rows, predictor: 0))]]
    return PlannedPart(
      "reflect", .prompt, count, shortest: .init(Program(.predict(signature(order))), .init(examples)),
      details: ["what": kind == .rule ? "rules" : "instructions"])
  }

  /// A new text; nil, and noted, if there is none that can be used.
  ///
  /// - Throws: what ends the search (see `DataSummary.ask`).
  func write(_ order: Order) async throws(HoneError) -> String? {
    if let proposer {
      guard let text = try await answer(of: proposer, to: order) else { return nil }
      return accepted(.success(text), order, .proposal)
    }
    guard let (proposal, gate) = try await modelsAnswer(to: order) else { return nil }
    return accepted(gate.check(proposal), order, .instruction)
  }

  /// What the prompt model wrote, and what tells it from what is none.
  private func modelsAnswer(to order: Order) async throws(HoneError) -> (String, ProposalGate)? {
    let predictor = order.program.predictors[order.predictor]
    let shown = FailureText(program: order.program, metric: task.metric)
    let step = order.program.stepName(order.predictor).map { "\($0): " } ?? ""
    var inputs: JSONObject = ["step": .string(step + predictor.signature.text)]
    if order.kind == .instruction {
      inputs["current_instruction"] = .string(order.program.states[order.predictor].instructions)
    }
    inputs["examples"] = .string(shown.text(order.results, predictor: order.predictor))
    let signature = Self.signature(order)
    let output = try await DataSummary.ask(
      task, signature, inputs, (tally, .instruction), scope: order.scope, rollout: order.rollout,
      temperature: temperature,
      metadata: ["phase": "reflect", "predictor": .string(predictor.name), "slot": .string(order.scope)])
    guard let output, let proposal = output[signature.outputs[0].name]?.stringValue else { return nil }
    let own = order.kind == .rule ? Self.ruleTask : Self.instructionTask
    let current = order.program.states[order.predictor].instructions
    let examples = inputs["examples"]?.stringValue ?? ""
    return (proposal, ProposalGate(shown: [own, examples], kin: [current, examples]))
  }

  private func accepted(
    _ proposal: Result<String, ProposalGate.Refusal>, _ order: Order, _ kind: WritingTally.Kind
  ) -> String? {
    let current = order.program.states[order.predictor].instructions
    switch proposal {
    case .failure(let refusal):
      tally.refused(kind, refusal.reason)
      return nil
    case .success(let text):
      if text.isEmpty {
        tally.refused(kind, "was empty")
        return nil
      }
      if text.contains("[[ ##") {
        tally.refused(kind, "kept marks of the prompt's layout")
        return nil
      }
      if text == current || order.kind == .rule && current.contains(text) {
        tally.refused(kind, "said what the instruction says already")
        return nil
      }
      if order.rejected.contains(text) {
        tally.refused(kind, "had been tried already")
        return nil
      }
      if text.count > order.limit {
        tally.refused(kind, "was longer than \(order.limit) characters")
        return nil
      }
      let quoted = answers.places(in: text, beside: current)
      if !quoted.isEmpty { tally.quotes(quoted) }
      return text
    }
  }
}
