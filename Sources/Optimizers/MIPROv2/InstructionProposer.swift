import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
import Traces

/// Writes instructions, grounded in what is known: the data, the program, how examples were solved, what was tried
/// and how it scored, and a hint on style.
///
/// A proposal that fails, or is no instruction, is left out and counted; the search goes on with those there are.
struct InstructionProposer: Sendable {
  /// An instruction that was tried, with its estimated score in percent.
  typealias Attempt = (instruction: String, score: Double)

  private let options: MIPROv2
  private let task: CompileTask
  private let dataSummary: String?
  private let tally: WritingTally
  private let answers: QuotedAnswers

  init(_ options: MIPROv2, _ task: CompileTask, dataSummary: String?, _ tally: WritingTally) {
    self.options = options
    self.task = task
    self.dataSummary = dataSummary
    self.tally = tally
    answers = QuotedAnswers(task)
  }

  /// Hints on how an instruction may be written; nil stands for none.
  private static let tips: [String?] = [
    nil,
    "Take an unusual angle: an approach that a first attempt would miss.",
    "Say it in one short, plain sentence.",
    "Be thorough: name the steps, the pitfalls and the exact form of the result.",
    "Say what is at stake if the result is wrong.",
    "Say who is at work: an expert in this very kind of task.",
  ]

  private static let write = Signature(
    inputs: [
      Field("data_summary", description: "what the examples are like"),
      Field("program", description: "the program the instruction is for"),
      Field("step", description: "the step of the program that will follow the instruction"),
      Field("solved_examples", description: "examples of that step done right"),
      Field("current_instruction", description: "the instruction in use now"),
      Field("attempts", description: "instructions tried so far with their scores in percent, best last"),
      Field("tip", description: "a hint on how to write the new one"),
    ],
    outputs: [Field("proposed_instruction", description: "the new instruction, ready to be used as it stands")],
    instructions:
      "A language model carries out one step of a program, following an instruction. Write an instruction with which "
      + "it does the step better than now: concrete, complete, and about the task itself. Keep what has proved to "
      + "help in earlier attempts, leave out what has not. Answer with the instruction alone."
  )

  private static let describe = Signature(
    inputs: [
      Field("program", description: "the steps of a program, each with its inputs and outputs"),
      Field("solved_examples", description: "what it did with some examples"),
    ],
    outputs: [Field("description", description: "two or three sentences on what task the program solves, and how")],
    instructions: "Say what the program is for and how its steps work together to that end.")

  /// What proposals will be asked with: without what is not known yet, and with as much as there may be.
  static func planned(_ task: CompileTask, _ count: ClosedRange<Int>, trainset: Rows) -> PlannedPart {
    guard let predictor = task.student.predictors.first, let state = task.student.states.first else {
      return PlannedPart("propose", .prompt, 0...0, shortest: .init(Program(.predict(write)), []))
    }
    let known: JSONObject = [
      "program": .string("\(predictor.name): \(predictor.signature.text)"),
      "current_instruction": .string(state.instructions),
    ]
    var more = known
    more["data_summary"] = .string(String(repeating: "x", count: 600))
    more["solved_examples"] = .string(text(Array(trainset.prefix(3)), predictor.signature))
    more["attempts"] = .string(String(repeating: "x", count: 900))
    more["tip"] = .string(tips.compactMap { $0 }.max { $0.count < $1.count } ?? "")
    return PlannedPart(
      "propose", .prompt, count, shortest: .init(Program(.predict(write)), [known]),
      longest: .init(Program(.predict(write)), [more]), details: ["what": "instructions"])
  }

  // MARK: Proposing

  /// The first instruction candidates of each predictor: its own, then proposed ones, `count` in all.
  ///
  /// - Returns: for each predictor its texts, the random stream behind the draws made here, and how many proposals, the
  ///   last ones, came to nothing one after the other.
  func initial(
    count: Int, demoSets: [[[JSONObject]]], random start: PythonRandom
  ) async throws(HoneError) -> (texts: [[String]], random: PythonRandom, failures: Int) {
    var random = start
    var orders: [Order] = []
    for predictor in task.student.predictors.indices {
      for slot in 1..<max(1, count) {
        orders.append(draw(predictor, slot: slot, demoSets: demoSets, attempts: [], random: &random))
      }
    }
    let program = orders.isEmpty ? nil : try await describeProgram(demoSets)
    let proposals = try await concurrently(orders) { _, order throws(HoneError) in
      try await propose(order, program: program)
    }
    var texts = task.student.states.map { [$0.instructions] }
    for (order, text) in zip(orders, proposals) {
      guard let text, !texts[order.predictor].contains(text) else { continue }
      texts[order.predictor].append(text)
      await task.session.events.emit(
        .instructionProposed(
          predictor: task.student.predictors[order.predictor].name, index: texts[order.predictor].count - 1,
          text: text))
    }
    return (texts, random, proposals.reversed().prefix { $0 == nil }.count)
  }

  /// One more instruction, written with the best attempts in view; nil if the model gave none.
  func refined(_ order: Order) async throws(HoneError) -> String? {
    try await propose(order, program: nil)
  }

  /// What one proposal is to be made from; drawn in order, so that it does not depend on timing.
  struct Order: Sendable {
    var predictor: Int
    /// Names the proposal within the run.
    var slot: Int
    var tip: String?
    var rollout: Int
    var demos: [JSONObject]
    var current: String
    var attempts: [Attempt]
  }

  func draw(
    _ predictor: Int, slot: Int, demoSets: [[[JSONObject]]], current: String? = nil, attempts: [Attempt],
    random: inout PythonRandom
  ) -> Order {
    let tip = options.tipAwareProposer ? random.choice(Self.tips) ?? nil : nil
    let rollout = random.randint(1...1_000_000_000)
    // Solved examples come from this slot's demo set, then from the ones after it.
    var demos: [JSONObject] = []
    if options.fewshotAwareProposer {
      for offset in demoSets.indices where demos.count < 3 {
        let set = demoSets[(slot + offset) % demoSets.count]
        guard predictor < set.count else { continue }
        for demo in set[predictor] where demo["augmented"] == true && !demos.contains(demo) && demos.count < 3 {
          demos.append(demo)
        }
      }
    }
    return Order(
      predictor: predictor, slot: slot, tip: tip, rollout: rollout, demos: demos,
      current: current ?? task.student.states[predictor].instructions, attempts: attempts)
  }

  private func propose(_ order: Order, program: String?) async throws(HoneError) -> String? {
    let predictor = task.student.predictors[order.predictor]
    var inputs: JSONObject = [:]
    if let dataSummary { inputs["data_summary"] = .string(dataSummary) }
    if options.programAwareProposer {
      inputs["program"] = .string(program.map { "\($0)\n\n\(programText)" } ?? programText)
      if task.student.predictors.count > 1 {
        inputs["step"] = .string("\(predictor.name): \(predictor.signature.text)")
      }
    } else {
      inputs["step"] = .string(predictor.signature.text)
    }
    if !order.demos.isEmpty { inputs["solved_examples"] = .string(Self.text(order.demos, predictor.signature)) }
    inputs["current_instruction"] = .string(order.current)
    if !order.attempts.isEmpty {
      inputs["attempts"] = .string(
        order.attempts.map { "\(Int($0.score.rounded())) %: \($0.instruction)" }.joined(separator: "\n"))
    }
    if let tip = order.tip { inputs["tip"] = .string(tip) }
    var signature = Self.write
    signature.inputs = signature.inputs.filter { inputs[$0.name] != nil }
    let output = try await ask(
      signature, inputs, .instruction, scope: "propose/\(order.predictor)/\(order.slot)", rollout: order.rollout,
      metadata: ["phase": "propose", "predictor": .string(predictor.name), "slot": .int(order.slot)])
    let text = output?["proposed_instruction"]?.stringValue.flatMap { usable($0, inputs) }
    if let text {
      let quoted = answers.places(in: text, beside: task.student.states[order.predictor].instructions)
      if !quoted.isEmpty { tally.quotes(quoted) }
    }
    return text
  }

  /// The instruction in a proposal; nil, and noted, where it holds none.
  private func usable(_ proposal: String, _ inputs: JSONObject) -> String? {
    let told = Self.write.inputs.map(\.description) + Self.write.outputs.map(\.description)
    var shown = [Self.write.instructions] + told + Self.tips.compactMap(\.self)
    for name in ["data_summary", "program", "solved_examples"] {
      if let text = inputs[name]?.stringValue { shown.append(text) }
    }
    let kin = ["current_instruction", "attempts", "solved_examples", "data_summary"].compactMap {
      inputs[$0]?.stringValue
    }
    switch ProposalGate(shown: shown, kin: kin).check(proposal) {
    case .success(let text): return text
    case .failure(let refusal):
      tally.refused(.instruction, refusal.reason)
      return nil
    }
  }

  private func describeProgram(_ demoSets: [[[JSONObject]]]) async throws(HoneError) -> String? {
    guard options.programAwareProposer else { return nil }
    var inputs: JSONObject = ["program": .string(programText)]
    let example = demoSets.lazy.compactMap { set -> String? in
      let parts = zip(task.student.predictors, set).compactMap { predictor, demos in
        demos.first { $0["augmented"] == true }.map { Self.text([$0], predictor.signature) }
      }
      return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }.first
    if let example { inputs["solved_examples"] = .string(example) }
    var signature = Self.describe
    signature.inputs = signature.inputs.filter { inputs[$0.name] != nil }
    let output = try await ask(
      signature, inputs, .description, scope: "describe", rollout: 0, metadata: ["phase": "describe"])
    return output?["description"]?.stringValue.flatMap { text in
      let gate = ProposalGate(shown: [Self.describe.instructions], kin: inputs.compactMap { $0.value.stringValue })
      guard case .failure(let refusal) = gate.check(text) else { return text }
      tally.refused(.description, refusal.reason)
      return nil
    }
  }

  /// Asks the prompt model; nil, and noted, if it gave nothing that can be read.
  private func ask(
    _ signature: Signature, _ inputs: JSONObject, _ kind: WritingTally.Kind, scope: String, rollout: Int,
    metadata: JSONObject
  ) async throws(HoneError) -> JSONObject? {
    try await DataSummary.ask(
      task, signature, inputs, (tally, kind), scope: scope, rollout: rollout, temperature: options.initTemperature,
      metadata: metadata)
  }

  // MARK: Texts

  private var programText: String { task.student.outline }

  static func text(_ demos: [JSONObject], _ signature: Signature) -> String {
    demos.map { demo in
      signature.fields.compactMap { field in
        demo[field.name].map { "\(field.name): \(Adapter.text(of: $0).prefix(2000))" }
      }.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }
}
