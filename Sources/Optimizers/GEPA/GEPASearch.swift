import Evaluation
import Failures
import JSON
import LanguageModels
import Platform
import Programs
import Randomness
import RowStorage

/// One search of `GEPA`: the pool, what is known of each candidate, and the steps.
///
/// Steps follow one after the other; what is done in one of them at the same time is decided before, so the search is the
/// same whatever the concurrency. Each purpose draws from a random stream of its own.
final class GEPASearch {
  /// A candidate that has been scored on the valset, wholly or in part.
  private struct Candidate {
    /// Its number among all that were written, the rejected ones included.
    var number: Int
    var program: Program
    var parents: [Int]
    /// Scores by row of the valset.
    var scores: [Int: Double]
    var objectives: [String: Double]
    /// Whether it was asked all rows.
    var isWhole: Bool
    /// The step whose turn it is.
    var pointer: Int
    /// Texts that were tried from here and dropped, the latest last, by step.
    var rejected: [[String]]

    var mean: Double {
      scores.isEmpty ? 0 : scores.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value } / Double(scores.count)
    }
  }

  /// A rewriting to be made: from whom, on which rows, which steps.
  private struct Task: Sendable {
    var number: Int
    var parent: Int
    var rows: [Int]
    var steps: [Int]
    var info: EvaluationInfo
  }

  let log: SearchLog
  let tally = WritingTally()
  private let options: GEPA
  private let task: CompileTask
  private let reflection: Reflection
  private let valset: Rows
  private let race: RaceOrder
  private let most: Int
  private let maxCalls: Int?
  private var pool: [Candidate] = []
  private var front = ParetoFront()
  /// Rows scored so far, and model calls of all roles.
  private var spent = 0
  private var calls = 0
  private var iteration = 0
  private var batches = 0
  private var numbers = 1
  private var mergesDue = 0
  private var mergesTried = 0
  private var hasJustAccepted = false
  private var merges: Set<Merge> = []
  private var perfectRows = 0
  private var fruitless = 0
  private var counts = (written: 0, passed: 0, kept: 0, raced: 0, merged: 0)
  private var ending = "its budget was used"

  init(_ options: GEPA, _ task: CompileTask) {
    self.options = options
    self.task = task
    log = SearchLog(task)
    reflection = Reflection(task, tally, proposer: options.proposer)
    valset = task.valset ?? task.trainset
    race = RaceOrder(valset.count, seed: options.seed)
    most = options.metricCalls(task)
    maxCalls = task.maxCalls
    calls = task.adapterCalls
  }

  private var steps: Int { task.student.predictors.count }
  private var width: Int { options.parentsPerStep * options.proposalsPerParent }

  /// Whether there is enough left for so many rows and texts.
  private func affords(rows: Int, texts: Int = 0) -> Bool {
    let perRow = spent == 0 ? Double(max(1, steps)) : max(1, Double(calls) / Double(max(1, spent)))
    return spent + rows <= most && maxCalls.map { calls + Int(perRow * Double(rows)) + texts <= $0 } ?? true
  }

  // MARK: Running

  func run() async throws(HoneError) {
    let events = task.session.events
    await events.emit(.planned(executions: most))
    await events.emit(.phase("baseline", message: "Scoring the program as it is"))
    if task.valset == nil {
      await events.emit(
        .warning(
          "There is no valset, so candidates are scored on the rows that they learn from: the score is too high."))
    }
    let note = CandidateNote(number: 0, parents: [], change: "the program as it came", verdict: .kept)
    let result = try await log.scoreBaseline("eval_full", task.student, on: valset, candidate: note)
    self.note(result)
    guard result.score != nil, !(await log.endsAtPerfectBaseline()) else { return }
    add(task.student, number: 0, parents: [], result, isWhole: true, pointer: 0)
    try checkObjectives()
    await events.emit(.phase("search", message: "Rewriting instructions from what went wrong"))
    while try await step() {}
  }

  /// One step; false where the search is over.
  private func step() async throws(HoneError) -> Bool {
    iteration += 1
    if options.useMerge, steps > 1, mergesDue > 0, hasJustAccepted, affords(rows: 5 + valset.count) {
      hasJustAccepted = false
      if let merge = findMerge() {
        try await attempt(merge)
        return true
      }
    }
    hasJustAccepted = false
    let size = min(options.reflectionMinibatchSize, task.trainset.count)
    guard affords(rows: width * 2 * size + valset.count, texts: width * reflection.callsPerText) else { return false }
    guard perfectRows < task.trainset.count else {
      ending = "every row of the trainset was right"
      return false
    }
    guard fruitless < 8 else {
      ending = "nothing new was written \(fruitless) times running"
      return false
    }
    let tasks = order(size)
    let task = task
    let parents = try await concurrently(tasks) { _, work throws(HoneError) in
      try await task.evaluator.evaluate(work.info, examples: task.trainset)
    }
    var orders: [(task: Int, orders: [Reflection.Order])] = []
    for (place, (work, result)) in zip(tasks, parents).enumerated() {
      note(result)
      await log.add(work.info, result, isFull: false)
      if let order = reflections(work, result) { orders.append((place, order)) }
    }
    let reflection = reflection
    let texts = try await concurrently(orders.flatMap(\.orders)) { _, order throws(HoneError) in
      [try await reflection.write(order)]
    }
    calls += texts.count * reflection.callsPerText
    counts.written += texts.count { $0[0] != nil }
    var rest = texts[...]
    var children: [(task: Int, program: Program, info: EvaluationInfo)] = []
    for (place, orders) in orders {
      let own = rest.prefix(orders.count).map { $0[0] }
      rest = rest.dropFirst(orders.count)
      guard let program = child(tasks[place], orders, own) else {
        fruitless += 1
        continue
      }
      fruitless = 0
      children.append((place, program, childInfo(tasks[place], program)))
    }
    let scored = try await concurrently(children.map(\.info)) { _, info throws(HoneError) in
      try await task.evaluator.evaluate(info, examples: task.trainset)
    }
    for (child, result) in zip(children, scored) {
      note(result)
      try await judge(tasks[child.task], child.info, before: parents[child.task], after: result)
    }
    return true
  }

  private func note(_ result: EvaluationResult) {
    spent += result.count
    calls += result.replies.replies
  }

  private func evaluate(_ info: EvaluationInfo, _ rows: Rows) async throws(HoneError) -> EvaluationResult {
    let result = try await task.evaluator.evaluate(info, examples: rows)
    note(result)
    return result
  }

  // MARK: The pool

  private func add(
    _ program: Program, number: Int, parents: [Int], _ result: EvaluationResult, isWhole: Bool, pointer: Int
  ) {
    let place = pool.count
    var candidate = Candidate(
      number: number, program: program, parents: parents, scores: [:], objectives: [:], isWhole: isWhole,
      pointer: pointer,
      rejected: program.states.map { _ in [] })
    var objectives: [String: [Double]] = [:]
    for example in result.examples where !example.isOutage {
      candidate.scores[example.row] = example.score ?? 0
      for (name, value) in example.objectives { objectives[name, default: []].append(value) }
      if options.frontierType == .cartesian {
        for (name, value) in example.objectives { front.note(value, of: place, at: .rowObjective(example.row, name)) }
      }
      if options.frontierType == .instance || options.frontierType == .hybrid {
        front.note(example.score ?? 0, of: place, at: .row(example.row))
      }
    }
    candidate.objectives = objectives.mapValues { $0.reduce(0, +) / Double($0.count) }
    // A mean over other rows compares with no other.
    if isWhole, options.frontierType == .objective || options.frontierType == .hybrid {
      for (name, value) in candidate.objectives { front.note(value, of: place, at: .objective(name)) }
    }
    pool.append(candidate)
  }

  private func checkObjectives() throws(HoneError) {
    guard options.frontierType != .instance, pool[0].objectives.isEmpty else { return }
    throw HoneError(
      .metricFailed, "frontier_type \(options.frontierType.rawValue) needs a metric that answers objectives.",
      remedy: "Let the metric answer {\"score\", \"objectives\": {name: number}}, or leave frontier_type at instance.")
  }

  private var means: [Int: Double] { Dictionary(uniqueKeysWithValues: pool.indices.map { ($0, pool[$0].mean) }) }

  /// The candidate with the best mean of those that were asked all rows.
  private var best: Int {
    pool.indices.filter { pool[$0].isWhole }.max { (pool[$0].mean, -$0) < (pool[$1].mean, -$1) } ?? 0
  }

  private func parent(_ random: inout PythonRandom) -> Int {
    switch options.candidateSelectionStrategy {
    case .pareto: return front.draw(means: means, random: &random) ?? best
    case .currentBest: return best
    case .epsilonGreedy: return random.random() < 0.1 ? random.choice(pool.indices) ?? best : best
    case .topKPareto:
      let top = pool.indices.filter { pool[$0].isWhole }.sorted { (pool[$1].mean, $0) < (pool[$0].mean, $1) }.prefix(5)
      return front.draw(means: means, among: Set(top), random: &random) ?? best
    }
  }

  // MARK: Deciding

  /// What is tried in this step.
  private func order(_ size: Int) -> [Task] {
    var random = PythonRandom(seed: options.seed, purpose: "parent", number: iteration)
    return (0..<options.parentsPerStep).flatMap { _ -> [Task] in
      let parent = parent(&random)
      return (0..<options.proposalsPerParent).map { _ in
        let rows = minibatch(size)
        var info = log.info(
          "eval_minibatch", pool[parent].program, rows: rows,
          coordinates: ["candidate": .int(pool[parent].number), "data": "trainset"])
        info.keepsSteps = true
        let steps: [Int]
        switch options.componentSelector {
        case .all: steps = Array(pool[parent].program.states.indices)
        case .roundRobin:
          steps = [pool[parent].pointer]
          pool[parent].pointer = (pool[parent].pointer + 1) % self.steps
        }
        defer { numbers += 1 }
        return Task(number: numbers, parent: parent, rows: rows, steps: steps, info: info)
      }
    }
  }

  /// The next rows of the trainset, shuffled anew for each epoch; an epoch that does not come out even is filled up with
  /// rows from its beginning.
  private func minibatch(_ size: Int) -> [Int] {
    let perEpoch = (task.trainset.count + size - 1) / size
    var random = PythonRandom(seed: options.seed, purpose: "minibatch", number: batches / perEpoch)
    let order = random.shuffled(0..<task.trainset.count)
    let start = batches % perEpoch * size
    batches += 1
    return (start..<start + size).map { order[$0 % order.count] }
  }

  /// What the prompt model is to write; nil where there is nothing to learn from these rows.
  private func reflections(_ work: Task, _ result: EvaluationResult) -> [Reflection.Order]? {
    let judged = result.examples.filter { !$0.isOutage && !$0.isRefused }
    let isPerfect = !judged.isEmpty && judged.allSatisfy { ($0.score ?? 0) >= options.perfectScore }
    perfectRows = isPerfect && options.skipPerfectScore ? perfectRows + judged.count : 0
    guard !judged.isEmpty, !(isPerfect && options.skipPerfectScore) else { return nil }
    let readable = judged.filter { $0.error?.kind.isUnreadable != true }
    let shown = options.addFormatFailureAsFeedback || readable.isEmpty ? judged : readable
    return work.steps.map { step in
      var order = Reflection.Order(
        kind: .instruction, program: pool[work.parent].program, predictor: step, results: shown,
        limit: options.maxPromptChars, scope: "reflect/\(work.number)/\(step)", rollout: work.number)
      if options.rememberRejections {
        order.rejected = pool[work.parent].rejected[step].suffix(3).map { String($0.prefix(600)) }
      }
      return order
    }
  }

  /// The parent with its new texts; nil where there are none, or where the pool has such a candidate.
  private func child(_ work: Task, _ orders: [Reflection.Order], _ texts: [String?]) -> Program? {
    var program = pool[work.parent].program
    for (order, text) in zip(orders, texts) {
      if let text { program.states[order.predictor].instructions = text }
    }
    return pool.contains { $0.program == program } ? nil : program
  }

  private func childInfo(_ work: Task, _ program: Program) -> EvaluationInfo {
    var info = log.info("eval_minibatch", program, rows: work.rows, coordinates: ["candidate": .int(work.number)])
    let changed = program.states.indices.filter { program.states[$0] != pool[work.parent].program.states[$0] }
    var note = CandidateNote(
      number: work.number, parents: [pool[work.parent].number],
      change: "new instructions"
        + (changed.map { task.student.stepName($0) }.compactMap(\.self)).reduce("") {
          $0 + ($0.isEmpty ? " for " : ", ") + $1
        }, verdict: .dropped)
    note.predictors = changed.map { task.student.predictors[$0].name }
    info.candidate = note
    return info
  }

  // MARK: Accepting

  /// Compares a child with its parent on the rows that both were asked; one that gained is scored on the valset.
  private func judge(
    _ work: Task, _ info: EvaluationInfo, before: EvaluationResult, after: EvaluationResult
  ) async throws(HoneError) {
    let pairs = zip(before.examples, after.examples).filter { !$0.0.isOutage && !$0.1.isOutage }
    let gain = pairs.reduce(0) { $0 + ($1.1.score ?? 0) - ($1.0.score ?? 0) }
    var info = info
    info.candidate?.pairs = pairs.count
    info.candidate?.gain = pairs.isEmpty ? nil : (10000 * gain / Double(pairs.count)).rounded() / 100
    let isDecisive = pairs.count * 5 >= work.rows.count * 3
    guard isDecisive, gain > 0 else {
      info.candidate?.reason =
        isDecisive ? "no better than its parent on \(pairs.count) rows" : "too few rows could be asked to decide"
      if isDecisive { reject(work.parent, info.program) }
      await log.add(info, after, isFull: false)
      return
    }
    counts.passed += 1
    guard affords(rows: valset.count) else {
      info.candidate?.reason =
        "better than its parent on \(pairs.count) rows, but too little is left to score it on the valset"
      await log.add(info, after, isFull: false)
      return
    }
    info.candidate?.verdict = .kept
    info.candidate?.reason = "better than its parent on \(pairs.count) rows, so it is scored on the valset"
    await log.add(info, after, isFull: false)
    try await validate(
      info.program, number: work.number, parents: [work.parent], change: info.candidate?.change ?? "",
      predictors: info.candidate?.predictors, pointer: pool[work.parent].pointer)
  }

  private func reject(_ parent: Int, _ program: Program) {
    for step in program.states.indices {
      let text = program.states[step].instructions
      if text != pool[parent].program.states[step].instructions { pool[parent].rejected[step].append(text) }
    }
  }

  /// Scores a candidate on the valset: on all of it, or as long as it may be better than its parent.
  private func validate(
    _ program: Program, number: Int, parents: [Int], change: String, predictors: [String]?, pointer: Int
  ) async throws(HoneError) {
    guard affords(rows: valset.count) else { return }
    let isRace = options.validation == .race && valset.count > race.block
    var info = log.info(
      "eval_full", program, rows: isRace ? race.rows : Array(valset.indices), coordinates: ["candidate": .int(number)])
    info.candidate = CandidateNote(
      number: number, parents: parents.map { pool[$0].number }, change: change, verdict: .kept)
    info.candidate?.predictors = predictors
    let against = parents.max { pool[$0].mean < pool[$1].mean } ?? 0
    var isDropped = false
    let result: EvaluationResult
    if isRace {
      let challenge = Challenge(
        evaluator: task.evaluator, rows: valset, known: RowScores(pool[against].scores, order: race.rows),
        block: race.block,
        alpha: options.alpha, margin: options.delta)
      let outcome = try await challenge.run(info)
      (info, result, isDropped) = (outcome.info, outcome.result, outcome.isDropped)
      note(result)
    } else {
      result = try await evaluate(info, valset)
    }
    let common = result.examples.filter { !$0.isOutage && pool[against].scores[$0.row] != nil }
    let gain = common.reduce(0) { $0 + ($1.score ?? 0) - (pool[against].scores[$1.row] ?? 0) }
    info.candidate?.pairs = common.count
    info.candidate?.gain = common.isEmpty ? nil : (10000 * gain / Double(common.count)).rounded() / 100
    if isDropped {
      counts.raced += 1
      info.candidate?.verdict = .dropped
      info.candidate?.reason = "after \(result.count) of \(valset.count) rows no gain worth having was in sight"
      reject(parents[0], program)
    } else {
      counts.kept += 1
      info.candidate?.reason = gain > 0 ? "ahead of its parent on the valset" : "kept for the rows on which it is best"
    }
    await log.add(info, result, isFull: !isDropped)
    add(program, number: number, parents: parents, result, isWhole: !isDropped, pointer: pointer)
    for (step, state) in program.states.enumerated() where state != pool[parents[0]].program.states[step] {
      await task.session.events.emit(
        .instructionProposed(
          predictor: task.student.predictors[step].name, index: pool.count - 1, text: state.instructions))
    }
    guard !isDropped else { return }
    hasJustAccepted = true
    if mergesTried < options.maxMergeInvocations { mergesDue += 1 }
  }

  // MARK: Merging

  private func findMerge() -> Merge? {
    guard pool.count >= 3 else { return nil }
    var random = PythonRandom(seed: options.seed, purpose: "merge", number: iteration)
    let family = Merge.Family(
      parents: pool.map(\.parents), texts: pool.map { $0.program.states.map(\.instructions) }, means: pool.map(\.mean))
    return Merge.find(
      family, pool: front.undominated(means: means).map(\.candidate), made: merges, random: &random)
  }

  /// Tries a merge on five rows of the valset: some on which the one, some on which the other, some on which neither is
  /// ahead.
  private func attempt(_ merge: Merge) async throws(HoneError) {
    merges.insert(merge)
    let (first, second) = (pool[merge.first], pool[merge.second])
    let common = first.scores.keys.filter { second.scores[$0] != nil }.sorted()
    guard common.count >= 5 else { return }
    var random = PythonRandom(seed: options.seed, purpose: "merge rows", number: iteration)
    let lead = { (row: Int) in (first.scores[row] ?? 0) - (second.scores[row] ?? 0) }
    var rows: [Int] = []
    for group in [common.filter { lead($0) > 0 }, common.filter { lead($0) < 0 }, common.filter { lead($0) == 0 }] {
      rows += random.sample(group, k: min(2, group.count, 5 - rows.count))
    }
    let rest = common.filter { !rows.contains($0) }
    rows += random.sample(rest, k: min(5 - rows.count, rest.count))
    var program = pool[merge.ancestor].program
    for (step, origin) in merge.origins.enumerated() { program.states[step] = pool[origin].program.states[step] }
    let number = numbers
    numbers += 1
    var info = log.info("eval_minibatch", program, rows: rows.sorted(), coordinates: ["candidate": .int(number)])
    var note = CandidateNote(
      number: number, parents: [first.number, second.number], change: "their instructions merged, step by step",
      verdict: .dropped)
    let result = try await evaluate(info, valset)
    let own = result.examples.reduce(0) { $0 + ($1.score ?? 0) }
    let needed = max(rows.reduce(0) { $0 + (first.scores[$1] ?? 0) }, rows.reduce(0) { $0 + (second.scores[$1] ?? 0) })
    note.pairs = rows.count
    note.gain = (10000 * (own - needed) / Double(rows.count)).rounded() / 100
    let isAccepted = result.outages == 0 && own >= needed
    note.verdict = isAccepted ? .kept : .dropped
    note.reason = isAccepted ? "as good as the better of both on \(rows.count) rows" : "worse than the better of both"
    info.candidate = note
    await log.add(info, result, isFull: false)
    guard isAccepted else { return }
    mergesDue -= 1
    mergesTried += 1
    counts.merged += 1
    try await validate(
      program, number: number, parents: [merge.first, merge.second], change: note.change, predictors: nil,
      pointer: max(first.pointer, second.pointer))
  }

  // MARK: Telling

  func summary(stoppedBy error: HoneError?) -> String {
    var sentences = [
      "\(reflection.writer) wrote \(counts.written) new texts; \(counts.passed) were better on the rows that they were made "
        + "from, \(counts.kept) of these on the valset"
        + (counts.raced > 0 ? "; \(counts.raced) lost a race there." : ".")
    ]
    if options.useMerge, steps > 1 { sentences.append("\(counts.merged) merges were taken.") }
    if let baseline = log.baseline?.result.score, let best = log.best?.result.score {
      sentences.append(best > baseline ? "The best scores \(best), the student \(baseline)." : "None beat the student.")
    }
    sentences.append(error.map { "It ended early: \($0.message)" } ?? "It ended because \(ending).")
    return sentences.joined(separator: " ")
  }
}

extension RowScores {
  /// Scores by row, in the order of a race; nil where a row has none.
  init(_ scores: [Int: Double], order: [Int]) { values = order.map { scores[$0] } }
}
