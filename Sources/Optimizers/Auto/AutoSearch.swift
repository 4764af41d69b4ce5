import Evaluation
import Failures
import JSON
import LanguageModels
import Platform
import Programs
import Randomness
import RowStorage

/// One search of `Auto`.
///
/// Everything is decided in one place and order (`next`), from what `commit` has taken in by then; how many results are out
/// at a decision is fixed, so the search is the same whatever the concurrency.
final class AutoSearch {
  /// A rule for one step, and what it is known to do.
  private struct Rule {
    var text: String
    var predictor: Int
    var feature: Int
    var number: Int
    /// How many rows it has taken part in.
    var uses = 0
  }

  /// Demos for every step.
  private struct DemoSet {
    var demos: [[JSONObject]]
    var feature: Int
    var what: String
  }

  /// A program as a choice of parts.
  struct Mixture: Hashable, Sendable {
    /// Places of rules, ascending.
    var rules: [Int] = []
    /// The place of a demo set; nil stands for the student's own.
    var demos: Int?
  }

  struct Block: Sendable {
    var mixture: Mixture
    var isShown: Bool
    var info: EvaluationInfo
  }

  enum Piece: Sendable {
    case block(Block)
    case rule(Reflection.Order)
    case confirmation(EvaluationInfo)
  }

  enum Outcome: Sendable {
    case scores(EvaluationResult)
    case rule(String?)
  }

  // Found on generated landscapes other than those that figures are told of; most of them may be doubled or halved with
  // little effect.
  private static let blockRows = 4
  private static let firstRows = 16
  static let firstRules = 4
  static let rowsPerRule = 12
  private static let failuresShown = 4
  private static let mostRulesInUse = 30
  private static let ruleDeviation = 0.9
  private static let ruleMean = 0.15
  private static let rowDeviation = 1.5
  private static let demoDeviation = 0.8
  private static let demoSetDeviation = 0.4
  /// What a part has to contribute to be used: length costs, and so does a part that does nothing.
  private static let leastEffect = 0.1
  private static let leastUses = 8
  private static let scale = 0.4
  /// From the many rows that could be asked, those are whose answers are least sure.
  private static let choice = 3
  /// How many rows in a row, answered rightly, show that there is nothing left to learn from.
  private static let allRight = 48

  let log: SearchLog
  let tally = WritingTally()
  private let options: Auto
  private let task: CompileTask
  private let rows: AutoRows
  private let reflection: Reflection
  private let calls: Int
  private var random: PythonRandom
  private var model = PartModel()
  private let constant: Int
  private let anyDemos: Int
  private var rowFeatures: [String: Int] = [:]
  private var rules: [Rule] = []
  private var demoSets: [DemoSet] = []
  private var candidates: [Mixture: Int] = [:]
  private var shownPosition = 0
  private var scoringPosition = 0
  /// Rows of the trainset by what came of them last.
  private var failing: [Int: ExampleResult] = [:]
  private var failingOrder: [Int] = []
  private var solved: [(row: Int, demos: [[JSONObject]])] = []
  private var spent = 0
  /// Calls and rules that are out.
  private var ordered = 0
  private var waiting = 0
  private var rulesOrdered = 0
  private var sinceRule = 0
  private var blocks = 0
  private var rightInARow = 0
  private var fruitless = 0
  private var predictorTurn = 0
  /// Whether the budget may end before the calls that were planned: then what is best is confirmed now and then.
  private let isBoundOtherwise: Bool
  private var nextCheck = 100
  private var confirmed: Set<Mixture> = []
  private var ending = "the calls that it planned with were used"

  init(_ options: Auto, _ task: CompileTask, _ rows: AutoRows) {
    self.options = options
    self.task = task
    self.rows = rows
    log = SearchLog(task)
    reflection = Reflection(task, tally, proposer: options.proposer)
    calls = options.calls(task)
    random = PythonRandom(seed: options.seed)
    constant = model.add(mean: -0.5, deviation: 1.5)
    anyDemos = model.add(mean: 0, deviation: Self.demoDeviation)
    spent = task.adapterCalls
    let limits = task.session.account.budget.limits
    isBoundOtherwise =
      limits.maxTokens != nil || limits.maxCost != nil || limits.maxSeconds != nil
      || task.session.account.budget.ceiling?.isLimited == true
  }

  // MARK: Running

  func run() async throws(HoneError) {
    await task.session.events.emit(.planned(executions: max(1, calls / steps)))
    await task.session.events.emit(.phase("baseline", message: "Scoring the program as it is"))
    let baseline = try await baseline()
    guard baseline.score != nil, !(await log.endsAtPerfectBaseline()) else { return }
    addLabeledDemos()
    await task.session.events.emit(.phase("search", message: "Learning which rules and demos help"))
    try await inOrder(free: 0, window: 2, next: next, work: work, commit: commit)
    await task.session.events.emit(
      .phase("confirm", message: "Scoring the program found on rows that did not choose it"))
    let best = best()
    guard !confirmed.contains(best) else { return }
    let info = confirmation(of: best)
    await take(info, try await task.evaluator.evaluate(info, examples: rows.valset))
  }

  private var steps: Int { max(1, task.student.predictors.count) }
  /// What confirming will cost, by what a row has cost so far.
  private var reserve: Int {
    rows.confirming.count * max(steps, asked == 0 ? steps : (replies + asked - 1) / asked) + calls / 50
  }
  private var asked = 0
  private var replies = 0

  private func baseline() async throws(HoneError) -> EvaluationResult {
    confirmed.insert(Mixture())
    var note = note(Mixture())
    note.verdict = .kept
    let result = try await log.scoreBaseline(
      "eval_full", task.student, on: rows.valset, rows: rows.confirmingPlaces, coordinates: coordinates(Mixture()),
      candidate: note)
    spent += result.replies.replies
    return result
  }

  /// An evaluation on the rows that take no part in the search.
  private func confirmation(of mixture: Mixture) -> EvaluationInfo {
    confirmed.insert(mixture)
    var info = log.info(
      "eval_full", program(mixture), rows: rows.confirmingPlaces, coordinates: coordinates(mixture))
    info.candidate = note(mixture)
    info.candidate?.verdict = .kept
    info.candidate?.estimate = estimate(mixture)
    info.candidate?.reason = "chosen by what its parts have shown; scored on rows that did not choose it"
    return info
  }

  private func take(_ info: EvaluationInfo, _ result: EvaluationResult) async {
    spent += result.replies.replies
    await log.add(info, result, isFull: true)
  }

  // MARK: Deciding

  private func next() async throws(HoneError) -> Piece? {
    guard spent + ordered + reserve < calls, rightInARow < Self.allRight else {
      if rightInARow >= Self.allRight { ending = "the last \(rightInARow) rows were all right" }
      return nil
    }
    if isBoundOtherwise, asked >= nextCheck {
      nextCheck *= 2
      let best = best()
      if !confirmed.contains(best) { return .confirmation(confirmation(of: best)) }
    }
    if let order = ruleOrder() {
      ordered += reflection.callsPerText
      waiting += 1
      return .rule(order)
    }
    let left = Double(calls - reserve - spent) / Double(max(1, calls))
    // The last answers go to what is best, or near it.
    let mixture = blocks * Self.blockRows < Self.firstRows ? Mixture() : draw(left > 0.15 ? Self.scale : Self.scale / 2)
    return .block(block(mixture))
  }

  /// A rule to be written now; nil while there are no failures to learn from, or enough rules.
  private func ruleOrder() -> Reflection.Order? {
    guard rules.count + waiting < options.maxRules, fruitless < 4, blocks * Self.blockRows >= Self.firstRows else {
      return nil
    }
    let isFirst = rules.count + waiting < Self.firstRules && sinceRule < Self.rowsPerRule
    guard isFirst || sinceRule >= Self.rowsPerRule, !failingOrder.isEmpty else { return nil }
    let left = Double(calls - reserve - spent) / Double(max(1, calls))
    guard left > 0.15 else { return nil }
    if !isFirst { sinceRule = 0 }
    let recent = Array(failingOrder.suffix(6 * Self.failuresShown))
    let shown = random.sample(recent, k: min(Self.failuresShown, recent.count)).compactMap { failing[$0] }
    let predictor = blamed(shown)
    let program = program(best())
    let room = options.maxPromptChars - program.states[predictor].instructions.count
    guard room > 100 else { return nil }
    rulesOrdered += 1
    return Reflection.Order(
      kind: .rule, program: program, predictor: predictor, results: shown, limit: min(1000, room),
      scope: "rule/\(rulesOrdered)", rollout: random.randint(1...1_000_000_000))
  }

  /// The step to write for: the one that the metric's words name most, else each in its turn.
  private func blamed(_ shown: [ExampleResult]) -> Int {
    let names = task.student.predictors.map(\.name)
    let counts = names.map { name in shown.count { $0.predictorFeedback[name] != nil } }
    predictorTurn += 1
    if let most = counts.max(), most > 0, counts.contains(where: { $0 != most }),
      let place = counts.firstIndex(of: most)
    {
      return place
    }
    return (predictorTurn - 1) % names.count
  }

  private func draw(_ scale: Double) -> Mixture {
    let features = [anyDemos] + rules.map(\.feature) + demoSets.map(\.feature)
    return mixture(model.draw(features, scale: scale, random: &random))
  }

  /// What is best by what is known: a rule that has hardly been tried is no part of it.
  private func best() -> Mixture {
    mixture(
      [model.means[anyDemos]] + rules.map { $0.uses < Self.leastUses ? -.infinity : model.means[$0.feature] }
        + demoSets.map { model.means[$0.feature] })
  }

  /// The best mixture if parts contribute so much: demos as such, each rule, each demo set.
  private func mixture(_ effects: [Double]) -> Mixture {
    let ofRules = effects.dropFirst().prefix(rules.count)
    let ofSets = Array(effects.dropFirst(1 + rules.count))
    var mixture = Mixture()
    let helping = zip(rules.indices, ofRules).filter { $0.1 > Self.leastEffect }
    let most = helping.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(Self.mostRulesInUse).map(\.0)
    var lengths = task.student.states.map(\.instructions.count)
    for place in most {
      let rule = rules[place]
      guard lengths[rule.predictor] + rule.text.count + 3 <= options.maxPromptChars else { continue }
      lengths[rule.predictor] += rule.text.count + 3
      mixture.rules.append(place)
    }
    mixture.rules.sort()
    if let top = ofSets.indices.max(by: { ofSets[$0] < ofSets[$1] }), effects[0] + ofSets[top] > 0 {
      mixture.demos = top
    }
    return mixture
  }

  private func features(_ mixture: Mixture) -> [Int] {
    [constant] + mixture.rules.map { rules[$0].feature }
      + (mixture.demos.map { [anyDemos, demoSets[$0].feature] } ?? [])
  }

  /// Four rows for a mixture: of the next dozen, those whose answers are least sure.
  private func block(_ mixture: Mixture) -> Block {
    // Both kinds of rows in turn, as many of each as there are.
    let isShown =
      rows.scoring.isEmpty
      || Double(shownPosition) / Double(max(1, rows.shown.count))
        <= Double(scoringPosition) / Double(max(1, rows.scoring.count))
    let order = isShown ? rows.shown : rows.scoring
    let position = isShown ? shownPosition : scoringPosition
    var seen: Set<Int> = []
    let near = (0..<Self.blockRows * Self.choice).map { order[(position + $0) % order.count] }
      .filter { seen.insert($0).inserted }
    let advance = Self.blockRows * Self.choice / 2
    if isShown { shownPosition += advance } else { scoringPosition += advance }
    let parts = features(mixture)
    let unsure = near.enumerated().map { place, row -> (place: Int, row: Int, doubt: Double) in
      let known = rowFeatures[Self.key(row, isShown)]
      let chance =
        known.map { model.chance(parts + [$0]) } ?? model.chance(parts, variance: Self.rowDeviation * Self.rowDeviation)
      return (place, row, chance * (1 - chance))
    }
    let chosen = unsure.sorted { $0.doubt != $1.doubt ? $0.doubt > $1.doubt : $0.place < $1.place }
      .prefix(Self.blockRows).map(\.row)
    blocks += 1
    sinceRule += chosen.count
    ordered += chosen.count * steps
    var info = log.info(
      "eval_minibatch", program(mixture), rows: chosen,
      coordinates: coordinates(mixture).merging(["data": isShown ? "trainset" : "valset"]))
    info.keepsSteps = true
    info.candidate = note(mixture)
    return Block(mixture: mixture, isShown: isShown, info: info)
  }

  private static func key(_ row: Int, _ isShown: Bool) -> String { "\(isShown ? "train" : "val")/\(row)" }

  // MARK: Programs

  private func program(_ mixture: Mixture) -> Program {
    var program = task.student
    for predictor in program.states.indices {
      let own = mixture.rules.map { rules[$0] }.filter { $0.predictor == predictor }
      if !own.isEmpty { program.states[predictor].instructions += "\n" + own.map { "\n- \($0.text)" }.joined() }
      if let set = mixture.demos { program.states[predictor].demos = demoSets[set].demos[predictor] }
    }
    return program
  }

  private func coordinates(_ mixture: Mixture) -> JSONObject {
    var object: JSONObject = ["rules": .array(mixture.rules.map { .int(rules[$0].number) })]
    if let set = mixture.demos { object["demoSet"] = .int(set + 1) }
    return object
  }

  private func note(_ mixture: Mixture) -> CandidateNote {
    let number = candidates[mixture] ?? candidates.count
    candidates[mixture] = number
    return CandidateNote(number: number, parents: number == 0 ? [] : [0], change: words(mixture), verdict: .probe)
  }

  private func words(_ mixture: Mixture) -> String {
    var parts: [String] = []
    if !mixture.rules.isEmpty {
      let numbers = mixture.rules.map { "\(rules[$0].number)" }.joined(separator: ", ")
      parts.append("rule\(mixture.rules.count == 1 ? "" : "s") \(numbers)")
    }
    if let set = mixture.demos { parts.append("demo set \(set + 1)") }
    return parts.isEmpty ? "the program as it came" : parts.joined(separator: " and ")
  }

  /// The share of all rows that a mixture would get right, in percent.
  private func estimate(_ mixture: Mixture) -> Double? {
    guard !rowFeatures.isEmpty else { return nil }
    let parts = features(mixture)
    let known = rowFeatures.values.sorted()
    let sum = known.reduce(0.0) { $0 + model.chance(parts + [$1]) }
    return (1000 * sum / Double(known.count)).rounded() / 10
  }

  // MARK: Working and taking in

  private var work: @Sendable (Piece) async throws(HoneError) -> Outcome {
    let (task, reflection, rows) = (task, reflection, rows)
    return { piece throws(HoneError) in
      switch piece {
      case .block(let block):
        .scores(try await task.evaluator.evaluate(block.info, examples: block.isShown ? rows.trainset : rows.valset))
      case .confirmation(let info): .scores(try await task.evaluator.evaluate(info, examples: rows.valset))
      case .rule(let order): .rule(try await reflection.write(order))
      }
    }
  }

  private func commit(_ piece: Piece, _ outcome: Outcome) async throws(HoneError) {
    switch (piece, outcome) {
    case (.block(let block), .scores(let result)): await take(block, result)
    case (.confirmation(let info), .scores(let result)): await take(info, result)
    case (.rule(let order), .rule(let text)): await take(order, text)
    default: break
    }
  }

  private func take(_ order: Reflection.Order, _ text: String?) async {
    ordered -= reflection.callsPerText
    waiting -= 1
    spent += reflection.callsPerText
    guard let text, !rules.contains(where: { $0.text == text && $0.predictor == order.predictor }) else {
      fruitless += 1
      if fruitless == 4 {
        await task.session.events.emit(
          .warning("\(reflection.writer) gave nothing new four times running, so no more rules are asked for."))
      }
      return
    }
    fruitless = 0
    let feature = model.add(mean: Self.ruleMean, deviation: Self.ruleDeviation)
    rules.append(Rule(text: text, predictor: order.predictor, feature: feature, number: rules.count + 1))
    await task.session.events.emit(
      .instructionProposed(
        predictor: task.student.predictors[order.predictor].name, index: rules.count, text: text))
  }

  private func take(_ block: Block, _ result: EvaluationResult) async {
    ordered -= block.info.rows.count * steps
    spent += result.replies.replies
    asked += result.count
    replies += result.replies.replies
    let parts = features(block.mixture)
    for example in result.examples where !example.isOutage && !example.isRefused {
      let score = min(1, max(0, example.score ?? 0))
      let key = Self.key(example.row, block.isShown)
      let row = rowFeatures[key] ?? model.add(mean: 0, deviation: Self.rowDeviation)
      rowFeatures[key] = row
      model.observe(parts + [row], score)
      for place in block.mixture.rules { rules[place].uses += 1 }
      rightInARow = score >= 1 ? rightInARow + 1 : 0
      if block.isShown { note(example, score) }
    }
    gatherDemos()
    var info = block.info
    info.candidate?.estimate = estimate(block.mixture)
    await log.add(info, result, isFull: false)
  }

  /// Remembers a row of the trainset as one to learn from, or to show.
  private func note(_ example: ExampleResult, _ score: Double) {
    let row = example.row
    failingOrder.removeAll { $0 == row }
    let passes = options.metricThreshold.map { score >= $0 } ?? (score > 0)
    if score < 1 {
      failing[row] = example
      failingOrder.append(row)
    } else {
      failing[row] = nil
    }
    guard passes, options.metricThreshold != nil || score >= 1, !solved.contains(where: { $0.row == row }) else {
      return
    }
    var demos: [[JSONObject]] = task.student.predictors.map { _ in [] }
    for step in example.steps where demos[step.predictor].isEmpty {
      var demo: JSONObject = ["augmented": true]
      for (key, value) in step.inputs.merging(step.outputs) { demo[key] = value }
      demos[step.predictor].append(demo)
    }
    solved.append((row, demos))
  }

  // MARK: Demos

  /// Sets of labelled rows, which cost nothing.
  private func addLabeledDemos() {
    for size in [4, 16] {
      let count = min(size, options.maxLabeledDemos, rows.trainset.count)
      guard count > 0, !demoSets.contains(where: { $0.demos.first?.count == count }) else { continue }
      let shown = random.sample(rows.shown, k: count).map { rows.trainset[$0] }
      add(task.student.predictors.map { _ in shown }, "\(count) rows of the trainset as they are")
    }
  }

  /// Another set of runs that were right, from time to time while there are enough of them.
  private func gatherDemos() {
    let made = demoSets.count { $0.demos.contains { $0.contains { $0["augmented"] == true } } }
    let sizes = [4, 4, 8, 4, 8, 4, 8, 8]
    guard options.maxBootstrappedDemos > 0, made < sizes.count, made < 3 || asked >= 150 * (made - 1) else { return }
    let size = min(sizes[made], options.maxBootstrappedDemos)
    // The first sets need not wait until there is all that they may hold.
    guard solved.count >= min(size, made < 2 ? 2 : size) else { return }
    let chosen = random.sample(solved, k: min(size, solved.count))
    let demos = task.student.predictors.indices.map { predictor in chosen.flatMap { $0.demos[predictor] } }
    guard !demoSets.contains(where: { $0.demos == demos }) else { return }
    add(demos, "\(chosen.count) runs that were right")
  }

  private func add(_ demos: [[JSONObject]], _ what: String) {
    let feature = model.add(mean: 0, deviation: Self.demoSetDeviation)
    demoSets.append(DemoSet(demos: demos, feature: feature, what: what))
  }

  // MARK: Telling

  /// What was done and why, for a person.
  func summary(stoppedBy error: HoneError?) -> String {
    var sentences = [
      "Mixed \(rules.count) rules and \(demoSets.count) demo sets over \(asked) rows asked (\(spent) calls in all)."
    ]
    let best = best()
    let result = log.best?.evaluation.program
    if result == nil || result == task.student {
      sentences.append("Nothing did better than the program as it came, so that is the result.")
    } else {
      let demos = best.demos.map { "demo set \($0 + 1) (\(demoSets[$0].what))" } ?? "no other demos"
      sentences.append("Kept \(best.rules.count) rules, each for what it contributed to right answers, and \(demos).")
    }
    if rules.isEmpty, rulesOrdered > 0 { sentences.append("No rule could be written.") }
    sentences.append(
      error.map { "It ended early: \($0.message)" } ?? "It ended because \(ending).")
    return sentences.joined(separator: " ")
  }
}
