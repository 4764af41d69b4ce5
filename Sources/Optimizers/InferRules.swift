import Basics
import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
package import Schema

/// Bootstraps demos, has the prompt model infer rules from solved rows, and keeps the rules with which the program scores
/// best.
///
/// Algorithm: DSPy's InferRules, with its options and defaults. It departs from DSPy's where that saves calls or uses them
/// better:
/// - Each candidate's rules are inferred from rows of their own, drawn with replacement (bagging: L. Breiman, "Bagging
///   predictors", Machine Learning 24, 1996). There the same rows go in every time, and only the temperature makes
///   candidates differ.
/// - A step whose fields are not in the data learns from what it did in the bootstrapped executions.
/// - Candidates are raced (`Tournament`); so is the bootstrapped program without rules.
/// - Then the best candidate's rules are tried one by one: one without which the program does as well on a sample of the
///   rows goes. The pruned program is scored on all rows, and taken if it scores as well.
package struct InferRules: Optimizer {
  package static let name = "InferRules"
  package static let summary =
    "Bootstraps demos, infers rules from solved rows, and keeps those with which the program scores best."
  package static let members: [Member<Self>] = [
    Member("num_candidates", \.numCandidates, in: 1...1000, "How many programs get rules of their own."),
    Member("num_rules", \.numRules, in: 1...100, "How many rules, at most, a predictor gets."),
    .maxBootstrappedDemos(\.maxBootstrappedDemos),
    .maxLabeledDemos(\.maxLabeledDemos),
    .maxRounds(\.maxRounds),
    .maxErrors(\.maxErrors),
    .metricThreshold(\.metricThreshold),
    .seed(\.seed),
  ]

  package var numCandidates = 10
  package var numRules = 10
  package var maxBootstrappedDemos = 4
  package var maxLabeledDemos = 16
  package var maxRounds = 1
  package var maxErrors = 10
  package var metricThreshold: Double?
  package var seed = 0

  package init() {}

  package var writesTexts: Bool { true }

  /// How many rows, at most, one request of rules shows.
  private static let shownRows = 20
  /// How many characters, at most, of all of them.
  private static let shownText = 24_000
  /// How many rows, at most, decide on one rule.
  static let pruningRows = 50

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    if valset == nil, trainset < 2 {
      problems.add("trainset", "InferRules without a valset splits the trainset, which needs at least 2 rows.")
    }
  }

  /// The data of the search: without a valset, the first half of the trainset trains and the second one scores.
  private func split(_ task: CompileTask) -> (trainset: Rows, valset: Rows) {
    if let valset = task.valset { return (task.trainset, valset) }
    let half = task.trainset.count / 2
    return (task.trainset.choosing(0..<half), task.trainset.choosing(half..<task.trainset.count))
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let (trainset, valset) = split(task)
    let predictors = task.student.predictors.count
    let full = examples(task, trainset) ?? task.student
    let requests = numCandidates * predictors
    let mostRules = predictors * numRules
    let longest = PlannedPart.Sample(full, valset)
    let program = Program(.predict(Self.infer))
    let shown = Array(trainset.prefix(Self.shownRows))
    let sample: PlannedPart.Sample =
      task.student.predictors.isEmpty
      ? .init(program, []) : .init(program, [inputs(0, task.student, shown.map { (row: $0, isWhole: true) })])
    return [task.adapterPart(examples: examples(task, trainset), keepsStudent: true, rows: valset)].compactMap(\.self)
      + [
        task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student),
        BootstrapFewShot.bootstrapping(
          task, rows: trainset, sizes: [maxBootstrappedDemos], labeled: maxLabeledDemos, rounds: maxRounds),
        PlannedPart("propose", .prompt, requests...requests, shortest: sample, details: ["what": "rules"]),
        PlannedPart(
          "search", .task, Tournament.executions(1...numCandidates + 1, rows: valset.count),
          shortest: .init(task.student, valset), longest: longest,
          details: [
            "evaluations": bounds(1...numCandidates + 1), "rows": .int(valset.count), "raced": true,
          ]),
        PlannedPart(
          "prune", .task, 0...mostRules * min(valset.count, Self.pruningRows) + valset.count,
          shortest: .init(task.student, valset), longest: longest, details: ["rules": bounds(0...mostRules)]),
      ]
  }

  private func examples(_ task: CompileTask, _ trainset: Rows) -> Program? {
    let count = max(maxLabeledDemos, maxBootstrappedDemos)
    return count == 0 ? nil : LabeledFewShot(k: count).labeled(task.student, trainset: trainset)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let (trainset, valset) = split(task)
    return await task.withAdapter(examples: examples(task, trainset), keepsStudent: true, rows: valset) { task in
      var task = task
      task.trainset = trainset
      task.valset = valset
      let log = SearchLog(task)
      let tally = WritingTally()
      let search = task
      let stopped = await attempt { () async throws(HoneError) in
        try await self.search(search, valset, log, tally)
      }.failure
      for warning in tally.warnings(model: task.promptModel.configuration.model) {
        await task.session.events.emit(.warning(warning))
      }
      return log.result(stoppedBy: stopped)
    }
  }

  /// A program with rules.
  private struct Candidate {
    var base: Program
    var instructions: [RuledInstruction]

    var program: Program {
      var program = base
      for index in program.states.indices { program.states[index].instructions = instructions[index].text }
      return program
    }
  }

  private func search(
    _ task: CompileTask, _ valset: Rows, _ log: SearchLog, _ tally: WritingTally
  ) async throws(HoneError) {
    await task.session.events.emit(.planned(executions: valset.count * (numCandidates + 2)))
    await task.session.events.emit(
      .phase("bootstrap", message: "Scoring the program as it is, then bootstrapping demos"))
    let baseline = try await log.scoreBaseline("eval", task.student, on: valset)
    if await log.endsAtPerfectBaseline() { return }
    let base = try await bootstrapped(task)
    await task.session.events.emit(
      .phase("propose", message: "Inferring rules for \(numCandidates) candidates"))
    let candidates = try await written(base, task, tally)
    await task.session.events.emit(
      .phase("search", message: "Comparing \(candidates.count) programs with rules"))
    let order = RaceOrder(valset.count, seed: seed)
    var contenders = [Tournament.Contender(program: task.student, known: baseline)]
    if base != task.student { contenders.append(.init(program: base, coordinates: ["rules": 0])) }
    let first = contenders.count
    for (number, candidate) in candidates.enumerated() {
      contenders.append(
        .init(
          program: candidate.program,
          coordinates: [
            "candidate": .int(number), "rules": .int(candidate.instructions.reduce(0) { $0 + $1.rules.count }),
          ]))
    }
    let outcome = try await Tournament(task: task, log: log, rows: valset, order: order).run(contenders)
    guard let winner = outcome.winner, winner >= first, let result = outcome.results[winner] else { return }
    try await prune(candidates[winner - first], result, order, task, valset, log)
  }

  private func bootstrapped(_ task: CompileTask) async throws(HoneError) -> Program {
    var bootstrap = BootstrapFewShot()
    bootstrap.maxBootstrappedDemos = maxBootstrappedDemos
    bootstrap.maxLabeledDemos = maxLabeledDemos
    bootstrap.maxRounds = maxRounds
    bootstrap.maxErrors = maxErrors
    bootstrap.metricThreshold = metricThreshold
    let (program, attempts) = try await bootstrap.bootstrap(
      task.student, order: Array(task.trainset.indices), label: "0", task)
    await task.session.events.emit(
      .demoSetReady(index: 0, demos: program.states.map(\.demos.count).max() ?? 0, attempts: attempts))
    return program
  }

  // MARK: Writing

  private static let infer = Signature(
    inputs: [
      Field("program", description: "the program the rules are for, step by step"),
      Field("step", description: "the step of the program that will keep to the rules"),
      Field("current_instruction", description: "the instruction that the rules will stand below"),
      Field("solved_examples", description: "tasks with their right results"),
      Field("number_of_rules", description: "how many rules there may be at most"),
    ],
    outputs: [
      Field("natural_language_rules", description: "the rules, one on each line, without numbers")
    ],
    instructions:
      "Find out from the examples how such tasks are solved rightly, and put it into rules for somebody who has to solve "
      + "others of the same kind. Each rule is one short sentence that says what to do, holds for more than one "
      + "example, and says nothing that another rule says."
  )

  /// What is shown of one row: `isWhole` says that it is a row of the data, not a step's own record.
  private typealias Shown = (row: JSONObject, isWhole: Bool)

  /// The candidates whose rules could be used, each once.
  private func written(
    _ base: Program, _ task: CompileTask, _ tally: WritingTally
  ) async throws(HoneError) -> [Candidate] {
    struct Order: Sendable {
      var candidate: Int
      var predictor: Int
      var rollout: Int
      var inputs: JSONObject
    }
    var orders: [Order] = []
    for candidate in 0..<numCandidates {
      var random = PythonRandom(seed: seed, purpose: "rules", number: candidate)
      let size = min(task.trainset.count, Self.shownRows)
      var drawn = random.choices(Array(task.trainset.indices), k: size)
      var seen: Set<Int> = []
      drawn = drawn.filter { seen.insert($0).inserted }
      for predictor in base.predictors.indices {
        orders.append(
          Order(
            candidate: candidate, predictor: predictor, rollout: random.randint(1...1_000_000_000),
            inputs: inputs(predictor, base, shown(drawn, predictor, base, task))))
      }
    }
    let texts = try await concurrently(orders) { _, order throws(HoneError) -> String? in
      var signature = Self.infer
      signature.inputs = signature.inputs.filter { order.inputs[$0.name] != nil }
      return try await DataSummary.ask(
        task, signature, order.inputs, (tally, .instruction), scope: "rules/\(order.candidate)/\(order.predictor)",
        rollout: order.rollout,
        metadata: [
          "phase": "propose", "predictor": .string(base.predictors[order.predictor].name),
          "candidate": .int(order.candidate),
        ])?["natural_language_rules"]?.stringValue
    }
    let answers = QuotedAnswers(task)
    let plain = Candidate(base: base, instructions: base.states.map { RuledInstruction(base: $0.instructions) })
    var candidates = Array(repeating: plain, count: numCandidates)
    for (order, text) in zip(orders, texts) {
      guard let text, let rules = usable(text, order.inputs, tally) else { continue }
      candidates[order.candidate].instructions[order.predictor].rules = rules
      let quoted = answers.places(
        in: rules.joined(separator: "\n"), beside: base.states[order.predictor].instructions)
      if !quoted.isEmpty { tally.quotes(quoted) }
      await task.session.events.emit(
        .instructionProposed(
          predictor: base.predictors[order.predictor].name, index: order.candidate,
          text: candidates[order.candidate].instructions[order.predictor].text))
    }
    var seen: Set<[RuledInstruction]> = [plain.instructions]
    return candidates.filter { seen.insert($0.instructions).inserted }
  }

  private func usable(_ text: String, _ inputs: JSONObject, _ tally: WritingTally) -> [String]? {
    let examples = inputs["solved_examples"]?.stringValue ?? ""
    let gate = ProposalGate(
      shown: [Self.infer.instructions, inputs["program"]?.stringValue ?? "", examples]
        + Self.infer.fields.map(\.description),
      kin: [inputs["current_instruction"]?.stringValue ?? "", examples])
    switch gate.check(text) {
    case .failure(let refusal):
      tally.refused(.instruction, refusal.reason)
      return nil
    case .success(let text):
      let rules = RuledInstruction.rules(in: text, most: numRules)
      if rules.isEmpty { tally.refused(.instruction, "held no rules") }
      return rules.isEmpty ? nil : rules
    }
  }

  /// Rows of the data that have the fields of a predictor; else what the step did in bootstrapped executions; else the
  /// rows, which at least show what the whole program is for.
  private func shown(_ drawn: [Int], _ predictor: Int, _ base: Program, _ task: CompileTask) -> [Shown] {
    let rows = drawn.map { task.trainset[$0] }
    let outputs = base.predictors[predictor].signature.outputs.map(\.name).filter { $0 != Module.reasoning.name }
    let fitting = rows.filter { row in outputs.contains { row[$0] != nil } }
    if !fitting.isEmpty { return fitting.map { ($0, false) } }
    let records = base.states[predictor].demos.filter { $0["augmented"] == true }
    return records.isEmpty ? rows.map { ($0, true) } : records.map { ($0, false) }
  }

  private func inputs(_ predictor: Int, _ program: Program, _ shown: [Shown]) -> JSONObject {
    let own = program.predictors[predictor]
    var text = ""
    for (row, isWhole) in shown {
      let fields = isWhole ? row.map(\.key) : own.signature.fields.map(\.name)
      let lines = fields.compactMap { name in row[name].map { "\(name): \(Adapter.text(of: $0).prefix(2000))" } }
      let block = (text.isEmpty ? "" : "\n\n") + lines.joined(separator: "\n")
      // As many rows as there is room for, one at the least.
      if !text.isEmpty, text.count + block.count > Self.shownText { break }
      text += block
    }
    var inputs: JSONObject = [
      "program": .string(program.outline),
      "current_instruction": .string(program.states[predictor].instructions),
      "solved_examples": .string(text), "number_of_rules": .int(numRules),
    ]
    if program.predictors.count > 1 { inputs["step"] = .string("\(own.name): \(own.signature.text)") }
    return inputs
  }

  // MARK: Pruning

  /// Takes rules away without which the program scores as well on a sample of the rows, then scores what is left of it
  /// on all of them.
  private func prune(
    _ winner: Candidate, _ known: EvaluationResult, _ order: RaceOrder, _ task: CompileTask, _ valset: Rows,
    _ log: SearchLog
  ) async throws(HoneError) {
    await task.session.events.emit(.phase("prune", message: "Finding out which rules help"))
    let rows = Array(order.rows.prefix(Self.pruningRows))
    var current = winner
    var scores = RowScores(known, order: rows)
    var whole: EvaluationResult?
    for predictor in winner.instructions.indices {
      for rule in winner.instructions[predictor].rules {
        var shorter = current
        shorter.instructions[predictor].rules.removeAll { $0 == rule }
        let isAll = rows.count == valset.count
        let info = log.info(
          isAll ? "eval" : "eval_minibatch", shorter.program, rows: rows, coordinates: ["without": .string(rule)])
        let outcome = try await Challenge(
          evaluator: task.evaluator, rows: valset, known: scores, block: order.block, mayTie: true
        ).run(info)
        let own = RowScores(outcome.result, order: rows)
        let isAsGood = !outcome.isDropped && own.isWhole && own.differences(to: scores).reduce(0, +) >= -1e-9
        await log.add(
          outcome.info, outcome.result, isFull: isAll && !outcome.isDropped, winsTies: isAsGood)
        guard isAsGood else { continue }
        current = shorter
        scores = own
        whole = isAll ? outcome.result : nil
      }
    }
    guard current.instructions != winner.instructions, whole == nil else { return }
    let info = log.info(
      "eval", current.program, rows: Array(valset.indices),
      coordinates: ["rules": .int(current.instructions.reduce(0) { $0 + $1.rules.count })])
    await log.add(info, try await task.evaluator.evaluate(info, examples: valset), isFull: true, winsTies: true)
  }
}
