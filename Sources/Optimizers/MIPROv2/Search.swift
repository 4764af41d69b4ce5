import Evaluation
import Failures
import JSON
import Programs
import Randomness
import RowStorage

/// The third step of MIPROv2: which combinations of instructions and demo sets are tried, and on what.
///
/// Everything is decided in one place and order (`next`), from what `commit` has taken in by then; how many results
/// are out at a decision is fixed, so the search is the same whatever the concurrency.
final class Search {
  private let options: MIPROv2
  private let plan: Plan
  private let task: CompileTask
  private let log: SearchLog
  private let proposer: InstructionProposer
  /// For each set and predictor the demos; nil in a zero-shot search.
  private var demoSets: [[[JSONObject]]]?
  /// For each predictor the instructions to choose from; grows with refined ones.
  private var instructions: [[String]]
  private var random: PythonRandom
  private var board: ScoreBoard
  private let valset: Rows
  private let order: RaceOrder

  private var minibatchTrials = 0
  private var fullEvaluations = 0
  private var trialsSinceFull = 0
  /// Combinations whose full evaluation has been decided.
  private var pendingFull: Set<[Int]> = []
  private var opening: [[Int]] = []
  private var refinements = 0
  /// Pairs of combination and row that have been asked; a repeat costs nothing.
  private var asked: [[Int]: Set<Int>] = [:]
  /// What has been asked and not been free, of what may go into further trials: executions, proposals of later trials,
  /// and a share of the rows that were bootstrapped in vain, which no plan foresees.
  private var spent: Int
  /// How many of each predictor's instructions have been written; the rest are being so.
  private var written: [Int] = []
  /// How many proposals, the last ones, came to nothing one after the other.
  private var failedProposals: Int
  /// Whether the first trial is that of labelled demos alone, and what they gave, where it has been made already.
  private let hasLabeled: Bool
  private let labeled: EvaluationResult?
  /// That trial, as long as it is to be made.
  private var first: [Int]?
  /// Evaluations decided whose results have not come in.
  private var outstanding = 0

  init(
    options: MIPROv2, plan: Plan, task: CompileTask, log: SearchLog, proposer: InstructionProposer,
    demoSets: [[[JSONObject]]]?, instructions: [[String]], random: PythonRandom, spent: Int, failedProposals: Int,
    hasLabeled: Bool, labeled: EvaluationResult?
  ) {
    self.options = options
    self.plan = plan
    self.task = task
    self.log = log
    self.proposer = proposer
    self.demoSets = demoSets
    self.instructions = instructions
    self.random = random
    self.spent = spent
    self.failedProposals = failedProposals
    self.hasLabeled = hasLabeled
    self.labeled = labeled
    valset = task.valset ?? []
    order = RaceOrder(valset.count, seed: options.seed)
    board = ScoreBoard(rows: valset.count)
    written = instructions.map(\.count)
  }

  /// One evaluation as it was decided.
  struct Piece: Sendable {
    /// For each predictor an instruction's index, then (with demos) for each a demo set's.
    var combination: [Int]
    var info: EvaluationInfo
    var isFull: Bool
    /// A proposal to be written first; its text takes the place of the instruction that it names.
    var refinement: InstructionProposer.Order?
    /// The best program's scores, where the evaluation goes on only as long as it may beat them.
    var race: RowScores?
    /// The rows that had not been asked of the combination when it was decided.
    var fresh: Set<Int> = []
  }

  struct Outcome: Sendable {
    var info: EvaluationInfo
    var result: EvaluationResult
    /// The refined instruction, or nil if the model gave none and nothing was evaluated.
    var instruction: String?
    /// Whether a race ended it before all rows were asked.
    var isDropped = false
  }

  // MARK: Running

  func run() async throws(HoneError) {
    await task.session.events.emit(.phase("search", message: "Trying combinations of instructions and demos"))
    let student = [Int](repeating: 0, count: variables)
    note(student, rows: Array(valset.indices))
    if let baseline = log.baseline { take(baseline.result, of: student, isFull: true) }
    if hasLabeled {
      let combination = Self.labeledOnly(predictors: predictors)
      note(combination, rows: Array(valset.indices))
      // Under auto it stands for as many trials as it costs, so that no more is asked than planned.
      minibatchTrials = plan.isElastic ? (valset.count + plan.rowsPerTrial - 1) / plan.rowsPerTrial : 1
      if let labeled { take(labeled, of: combination, isFull: true) } else { first = combination }
    }
    opening = openingCombinations()
    try await inOrder(free: opening.count + (first == nil ? 0 : 1), window: 2, next: next, work: work, commit: commit)
  }

  private var predictors: Int { task.student.predictors.count }
  private var variables: Int { demoSets == nil ? predictors : 2 * predictors }

  private var sizes: [Int] {
    written + (demoSets.map { sets in (0..<predictors).map { _ in sets.count } } ?? [])
  }

  /// The first combinations: instructions and demo sets in a random order, each in one as far as a third of the trials
  /// reaches. What they leave out is for later trials, which build on the best so far and so find more.
  private func openingCombinations() -> [[Int]] {
    let limit = max(1, plan.trials / 3)
    var columns: [[Int]] = []
    for (variable, size) in sizes.enumerated() {
      // The student's own choice (0) is known from its evaluation; it stands in where there is nothing else.
      var values = Array(0..<size)
      if size > 1, variable >= predictors || size > limit { values.removeFirst() }
      random.shuffle(&values)
      columns.append(values)
    }
    let count = min(limit, columns.map(\.count).max() ?? 0)
    var combinations: [[Int]] = []
    for index in 0..<count {
      let combination = columns.map { $0[index % $0.count] }
      if asked[combination] == nil, !combinations.contains(combination) {
        combinations.append(combination)
      }
    }
    return combinations
  }

  // MARK: Deciding

  private func next() async throws(HoneError) -> Piece? {
    let piece = decide()
    if piece != nil { outstanding += 1 }
    return piece
  }

  /// The next evaluation; nil while there is nothing to do before more results are in, and at the end.
  private func decide() -> Piece? {
    if let combination = first {
      first = nil
      return piece(combination, rows: Array(valset.indices), isFull: true)
    }
    let isLastDue = minibatchTrials >= plan.trials && !mayExtend
    if plan.minibatch, trialsSinceFull >= options.minibatchFullEvalSteps, let piece = fullEvaluation() { return piece }
    if isLastDue {
      // The last choice is made with everything known; saved executions allow a second opinion.
      guard plan.minibatch, outstanding == 0 else { return nil }
      return trialsSinceFull > 0 || mayCheckAnother ? fullEvaluation() : nil
    }
    minibatchTrials += 1
    trialsSinceFull += 1
    if !opening.isEmpty { return trial(opening.removeFirst()) }
    if options.historyAwareProposer, minibatchTrials % 5 != 0 {
      if failedProposals < Self.hopeless {
        if let piece = refinedTrial() { return piece }
      } else if let piece = redrawnTrial() {
        return piece
      }
    }
    return trial(sampled())
  }

  /// Whether executions saved so far allow one more trial and the full evaluation of what it may find.
  private var mayExtend: Bool {
    plan.isElastic && plan.minibatch && minibatchTrials < 2 * plan.trials
      && spent + valset.count <= plan.executions
  }

  /// Whether the best estimate belongs to a combination that has had no full evaluation, and saved executions allow
  /// one.
  private var mayCheckAnother: Bool {
    guard plan.isElastic, let first = board.ranking().first, isUnchecked(first.combination) else { return false }
    return spent + valset.count - (asked[first.combination]?.count ?? 0) <= plan.executions
  }

  /// Whether a combination has scores but no full evaluation, and none that is out or was lost to an outage.
  private func isUnchecked(_ combination: [Int]) -> Bool {
    board.entries[combination]?.isFull == false && !pendingFull.contains(combination)
  }

  /// A combination by the estimator; one that is known on the whole valset already is drawn again a few times.
  private func sampled() -> [Int] {
    let observations = board.ranking().map { (values: $0.combination, score: $0.estimate) }
    let sampler = TreeParzenSampler(sizes: sizes)
    var combination = sampler.suggest(after: observations, random: &random)
    for _ in 0..<8 where board.entries[combination]?.isFull == true {
      combination = sampler.suggest(after: observations, random: &random)
    }
    return combination
  }

  /// A trial of a new instruction, written from the best attempts so far, for one predictor of the best combination;
  /// every third time with a demo set that the predictor has not had in any trial.
  private func refinedTrial() -> Piece? {
    let ranking = board.ranking()
    guard let best = ranking.first else { return nil }
    refinements += 1
    spent += 1
    let predictor = refinements % predictors
    var attempts: [InstructionProposer.Attempt] = []
    let shown = random.randint(1...3)
    for (combination, estimate) in ranking where attempts.count < shown {
      let text = instructions[predictor][combination[predictor]]
      if !attempts.contains(where: { $0.instruction == text }) { attempts.append((text, estimate)) }
    }
    let order = proposer.draw(
      predictor, slot: 1000 + refinements, demoSets: demoSets ?? [],
      current: instructions[predictor][best.combination[predictor]], attempts: attempts.reversed(), random: &random)
    // The new text's place is taken now, filled when it is written.
    instructions[predictor].append(instructions[predictor][best.combination[predictor]])
    var combination = best.combination
    combination[predictor] = instructions[predictor].count - 1
    if refinements / predictors % 3 == 2, let set = random.choice(untriedDemoSets(of: predictor)) {
      combination[predictors + predictor] = set
    }
    var piece = trial(combination)
    piece.refinement = order
    return piece
  }

  /// How many proposals that came to nothing, one after the other, show that the prompt model cannot write any.
  private static let hopeless = 4

  /// A trial of the best instructions with another demo set, for a prompt model that writes none: one not tried yet, else
  /// a new one of rows as they are.
  private func redrawnTrial() -> Piece? {
    guard var sets = demoSets, let best = board.ranking().first, let trainset = labeledRows else { return nil }
    var combination = best.combination
    let untried = untriedDemoSets(of: 0).filter { $0 > 0 }
    if let set = random.choice(untried) {
      for predictor in 0..<predictors { combination[predictors + predictor] = set }
    } else {
      sets.append(
        (0..<predictors).map { _ in random.sample(trainset, k: min(options.maxLabeledDemos, trainset.count)) })
      demoSets = sets
      for predictor in 0..<predictors { combination[predictors + predictor] = sets.count - 1 }
    }
    return trial(combination)
  }

  /// Rows to show as they are; nil where demos may not be such.
  private var labeledRows: Rows? {
    options.maxLabeledDemos > 0 && !task.trainset.isEmpty ? task.trainset : nil
  }

  private func untriedDemoSets(of predictor: Int) -> [Int] {
    guard let demoSets else { return [] }
    let tried = Set(asked.keys.map { $0[predictors + predictor] })
    return demoSets.indices.filter { !tried.contains($0) }
  }

  private func trial(_ combination: [Int]) -> Piece {
    guard plan.minibatch else { return whole(combination) }
    let rows = random.sample(Array(valset.indices), k: plan.rowsPerTrial)
    note(combination, rows: rows)
    return piece(combination, rows: rows, isFull: false)
  }

  /// The full evaluation of the best combination that has had none; nil if there is none.
  private func fullEvaluation() -> Piece? {
    guard let best = board.ranking().first(where: { isUnchecked($0.combination) }) else {
      trialsSinceFull = 0
      return nil
    }
    trialsSinceFull = 0
    fullEvaluations += 1
    pendingFull.insert(best.combination)
    return whole(best.combination)
  }

  /// An evaluation on the whole valset; a race against the best so far where that is wanted.
  private func whole(_ combination: [Int]) -> Piece {
    let fresh = Set(valset.indices).subtracting(asked[combination] ?? [])
    let known = options.validation == .race ? log.best?.result : nil
    let rows = known == nil ? Array(valset.indices) : order.rows
    note(combination, rows: rows)
    var piece = piece(combination, rows: rows, isFull: true)
    piece.race = known.map { RowScores($0, order: order.rows) }
    piece.fresh = fresh
    return piece
  }

  private func note(_ combination: [Int], rows: [Int]) {
    for row in rows where asked[combination, default: []].insert(row).inserted { spent += 1 }
  }

  private func piece(_ combination: [Int], rows: [Int], isFull: Bool) -> Piece {
    let info = log.info(
      isFull ? "eval_full" : "eval_minibatch", program(combination), rows: rows,
      coordinates: Self.coordinates(of: combination, in: task.student))
    return Piece(combination: combination, info: info, isFull: isFull)
  }

  private func program(_ combination: [Int]) -> Program {
    var program = task.student
    for index in 0..<predictors {
      program.states[index].instructions = instructions[index][combination[index]]
      if let demoSets { program.states[index].demos = demoSets[combination[predictors + index]][index] }
    }
    return program
  }

  /// The student's own instructions with the demo set of rows as they are, the first trial: what these alone give is the
  /// least that a search is to find.
  static func labeledOnly(predictors: Int) -> [Int] {
    [Int](repeating: 0, count: predictors) + [Int](repeating: 1, count: predictors)
  }

  /// DSPy's names for where a trial stands.
  static func coordinates(of combination: [Int], in program: Program) -> JSONObject {
    let predictors = program.predictors.count
    var object = JSONObject()
    for index in 0..<predictors {
      object["\(index)_predictor_instruction"] = .int(combination[index])
      if combination.count > predictors { object["\(index)_predictor_demos"] = .int(combination[predictors + index]) }
    }
    return object
  }

  // MARK: Working and taking in

  private var work: @Sendable (Piece) async throws(HoneError) -> Outcome {
    let (task, proposer, valset, block) = (task, proposer, valset, order.block)
    return { piece throws(HoneError) in
      var info = piece.info
      var text: String?
      if let order = piece.refinement {
        text = try await proposer.refined(order)
        // Without a new text the trial repeats the best combination on other rows: of some use, and the count stays.
        info.program.states[order.predictor].instructions = text ?? order.current
      }
      if let known = piece.race {
        let raced = try await Challenge(evaluator: task.evaluator, rows: valset, known: known, block: block).run(info)
        return Outcome(info: raced.info, result: raced.result, instruction: text, isDropped: raced.isDropped)
      }
      return Outcome(
        info: info, result: try await task.evaluator.evaluate(info, examples: valset), instruction: text)
    }
  }

  private func commit(_ piece: Piece, _ outcome: Outcome) async throws(HoneError) {
    outstanding -= 1
    if let order = piece.refinement {
      failedProposals = outcome.instruction == nil ? failedProposals + 1 : 0
      let index = piece.combination[order.predictor]
      if let text = outcome.instruction { instructions[order.predictor][index] = text }
      written[order.predictor] = index + 1
      await task.session.events.emit(
        .instructionProposed(
          predictor: task.student.predictors[order.predictor].name, index: index,
          text: instructions[order.predictor][index]))
    }
    // What a race saved is there for further trials.
    let unasked = outcome.isDropped ? piece.fresh.subtracting(outcome.info.rows) : []
    asked[piece.combination]?.subtract(unasked)
    spent -= unasked.count
    let isFull = piece.isFull && !outcome.isDropped
    take(outcome.result, of: piece.combination, isFull: isFull)
    await log.add(outcome.info, outcome.result, isFull: isFull)
  }

  private func take(_ result: EvaluationResult, of combination: [Int], isFull: Bool) {
    // A candidate is not ranked on what an outage left of its rows.
    guard result.outages == 0 else { return }
    board.add(
      combination, scores: result.examples.map { ($0.row, $0.score ?? 0) }, full: isFull ? result.rank : nil)
  }
}
