import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Platform
import Programs
import Randomness
import RowStorage

/// One search of SIMBA: its pool of programs, and its steps.
///
/// Whatever is drawn at random is drawn in order before the calls of a step are made, each step from streams of its own.
final class SimbaSearch {
  /// A program of the pool: its demos are in the program, its rules apart, so that they can be taken away.
  struct Member: Sendable, Hashable {
    var demos: [[JSONObject]]
    var instructions: [RuledInstruction]

    func program(_ student: Program) -> Program {
      var program = student
      for index in program.states.indices {
        program.states[index] = PredictorState(instructions: instructions[index].text, demos: demos[index])
      }
      return program
    }

    var mostDemos: Int { demos.map(\.count).max() ?? 0 }
  }

  private let options: SIMBA
  private let task: CompileTask
  private let log: SearchLog
  private let advice: SimbaAdvice
  private let valset: Rows
  private let order: RaceOrder
  private var pool: [Member]
  private var board: ScoreBoard
  /// The best program's scores in the order of the race.
  private var known = RowScores([])

  /// How many rules a predictor has at most.
  private static let mostRules = 8

  init(_ options: SIMBA, _ task: CompileTask, _ log: SearchLog, _ tally: WritingTally) {
    self.options = options
    self.task = task
    self.log = log
    advice = SimbaAdvice(task: task, tally: tally)
    valset = task.valset ?? task.trainset
    order = RaceOrder(valset.count, seed: options.seed)
    pool = [
      Member(
        demos: task.student.states.map(\.demos),
        instructions: task.student.states.map { RuledInstruction(base: $0.instructions) })
    ]
    board = ScoreBoard(rows: task.trainset.count)
  }

  func run() async throws(HoneError) {
    let perStep = 2 * options.numCandidates * options.bsize + valset.count
    await task.session.events.emit(.planned(executions: valset.count + options.maxSteps * perStep))
    await task.session.events.emit(.phase("baseline", message: "Scoring the program as it is"))
    let baseline = try await log.scoreBaseline("eval_full", task.student, on: valset, coordinates: ["step": 0])
    if await log.endsAtPerfectBaseline() { return }
    known = RowScores(baseline, order: order.rows)
    for (number, rows) in options.batches(trainset: task.trainset.count).enumerated() {
      await task.session.events.emit(
        .phase("search", message: "Step \(number + 1) of \(options.maxSteps): \(pool.count) programs so far"))
      let buckets = try await sample(number, rows)
      let fresh = try await grow(number, buckets)
      guard let winner = try await evaluate(number, fresh, rows) else { continue }
      try await validate(number, winner)
      if log.best?.result.isPerfect == true { return }
    }
  }

  // MARK: Choosing

  /// The programs that may be drawn: the best of the pool, and the student; with their estimated scores from 0 to 1.
  private var choices: [(index: Int, score: Double)] {
    let ranking = board.ranking().map { (index: $0.combination[0], score: $0.estimate / 100) }
    var best = Array(ranking.prefix(options.numCandidates))
    if !best.contains(where: { $0.index == 0 }) {
      best.append((0, ranking.first { $0.index == 0 }?.score ?? 0))
    }
    return best
  }

  private func draw(
    _ choices: [(index: Int, score: Double)], temperature: Double, _ random: inout PythonRandom
  ) -> Int {
    let most = choices.map(\.score).max() ?? 0
    let weights = choices.map { exp(($0.score - most) / temperature) }
    return random.choices(choices.map(\.index), weights: weights).first ?? 0
  }

  // MARK: Trying

  /// One try at a row.
  struct Run: Sendable {
    var member: Int
    var score: Double
    var steps: [PredictorStep] = []
    var feedback: String?
    /// What failed, where something did.
    var failure: String?
  }

  /// A row with its runs, best first.
  struct Bucket: Sendable {
    var row: Int
    var runs: [Run]

    /// What makes it worth learning from, the most important first.
    var key: [Double] {
      let scores = runs.map(\.score)
      let (most, least) = (scores.first ?? 0, scores.last ?? 0)
      return [most - least, most, most - scores.reduce(0, +) / Double(max(1, scores.count))]
    }
  }

  private struct Try: Sendable {
    var row: Int
    var slot: Int
    var member: Int
    var program: PreparedProgram
  }

  /// Tries every row of a batch several times at temperature 1, each time with a program drawn for it.
  ///
  /// - Returns: the rows whose runs differ in score, the most telling first.
  private func sample(_ step: Int, _ rows: [Int]) async throws(HoneError) -> [Bucket] {
    var random = PythonRandom(seed: options.seed, purpose: "sample", number: step)
    let choices = choices
    var prepared: [Int: PreparedProgram] = [:]
    var tries: [Try] = []
    for slot in 0..<options.numCandidates {
      for row in rows {
        let member = draw(choices, temperature: options.temperatureForSampling, &random)
        let program = prepared[member] ?? PreparedProgram(pool[member].program(task.student))
        prepared[member] = program
        tries.append(Try(row: row, slot: slot, member: member, program: program))
      }
    }
    let (task, copies) = (task, options.numCandidates)
    let runs = try await concurrently(tries) { _, piece throws(HoneError) in
      try await Self.run(piece, step: step, copies: copies, task)
    }
    var buckets: [Int: [Run]] = [:]
    for (piece, run) in zip(tries, runs) {
      guard let run else { continue }
      buckets[piece.row, default: []].append(run)
    }
    noteStudent(buckets)
    let sorted = rows.compactMap { row -> Bucket? in
      guard let runs = buckets[row] else { return nil }
      let ranked = runs.indices.sorted {
        runs[$0].score != runs[$1].score ? runs[$0].score > runs[$1].score : $0 < $1
      }
      return Bucket(row: row, runs: ranked.map { runs[$0] })
    }.filter { $0.key[0] > 0 }
    let places = sorted.indices.sorted {
      sorted[$0].key != sorted[$1].key
        ? sorted[$1].key.lexicographicallyPrecedes(sorted[$0].key) : $0 < $1
    }
    return places.map { sorted[$0] }
  }

  /// What the student scored in these tries: it has no evaluation on the trainset.
  private func noteStudent(_ buckets: [Int: [Run]]) {
    let scores = buckets.sorted { $0.key < $1.key }.compactMap { row, runs -> (row: Int, score: Double)? in
      let own = runs.filter { $0.member == 0 }.map(\.score)
      return own.isEmpty ? nil : (row, own.reduce(0, +) / Double(own.count))
    }
    if !scores.isEmpty { board.add([0], scores: scores, full: nil) }
  }

  /// - Returns: nil where an outage or a refusal says nothing of the program.
  private static func run(
    _ piece: Try, step: Int, copies: Int, _ task: CompileTask
  ) async throws(HoneError) -> Run? {
    let example = task.trainset[piece.row]
    // As in DSPy, the teacher makes the first try.
    let isTaught = piece.slot == 0 && task.teacherModel != nil
    let model = isTaught ? task.teacherModel ?? task.taskModel : task.taskModel
    var request = EngineSession.Request(
      program: piece.program, inputs: example, model: model, scope: "sample/\(step)/\(piece.slot)/\(piece.row)")
    request.role = isTaught ? .teacher : .task
    request.leavesOneOut = true
    request.rollout = 1 + step * copies + piece.slot
    var options = model.configuration.sampling
    options.temperature = 1
    request.options = options
    request.metadata = [
      "phase": "sample", "step": .int(step), "row": .int(piece.row), "try": .int(piece.slot),
    ]
    let judgement = Judgement()
    let outcome = try await task.session.execute(request) { outcome, context throws(HoneError) in
      try await judgement.judge(
        outcome, in: context, example: example, program: piece.program, metric: task.metric)
    }.outcome
    if let error = judgement.verdict?.failure ?? outcome.failure {
      if error.kind.stopsWork { throw error }
      if ExampleResult.isOutage(error.kind) || error.kind.isRefusal {
        if error.kind.isPassing, task.session.account.failuresInARow(.task) >= hopeless + task.session.gate.width {
          throw error
        }
        return nil
      }
      return Run(member: piece.member, score: 0, failure: error.message)
    }
    guard case .success(let prediction) = outcome, case .success(let score)? = judgement.verdict else { return nil }
    return Run(
      member: piece.member, score: score.value, steps: prediction.steps, feedback: score.feedback)
  }

  /// How many calls that failed one after the other, beside those under way together, show that the model is gone.
  private static let hopeless = 10

  // MARK: Growing

  private struct Order: Sendable {
    var member: Member
    /// What to ask the prompt model for; nil where the demo was appended already.
    var contrast: SimbaAdvice.Contrast?
  }

  /// New programs, each from one bucket: with a demo, or with rules, that one of the pool does not have.
  private func grow(_ step: Int, _ buckets: [Bucket]) async throws(HoneError) -> [Member] {
    var random = PythonRandom(seed: options.seed, purpose: "grow", number: step)
    let choices = choices
    var orders: [Order] = []
    for bucket in buckets.prefix(options.numCandidates) {
      let source = draw(choices, temperature: options.temperatureForCandidates, &random)
      var member = pool[source]
      dropDemos(&member, &random)
      let isDemo = options.maxDemos > 0 && random.random() < 0.5
      guard let best = bucket.runs.first, let worst = bucket.runs.last else { continue }
      if isDemo {
        append(best, to: &member)
        orders.append(Order(member: member))
      } else {
        orders.append(
          Order(
            member: member,
            contrast: .init(
              example: task.trainset[bucket.row], better: best, worse: worst,
              instructions: member.instructions.map(\.text))))
      }
    }
    let advice = advice
    let rules = try await concurrently(orders) { index, order throws(HoneError) -> [Int: String]? in
      guard let contrast = order.contrast else { return nil }
      return try await advice.ask(contrast, step: step, number: index)
    }
    var fresh: [Member] = []
    for (order, rules) in zip(orders, rules) {
      var member = order.member
      if order.contrast != nil {
        guard let rules, !rules.isEmpty else { continue }
        for (predictor, rule) in rules.sorted(by: { $0.key < $1.key }) {
          guard !member.instructions[predictor].rules.contains(rule) else { continue }
          member.instructions[predictor].rules.append(rule)
          if member.instructions[predictor].rules.count > Self.mostRules {
            member.instructions[predictor].rules.removeFirst()
          }
          await task.session.events.emit(
            .instructionProposed(
              predictor: task.student.predictors[predictor].name, index: pool.count + fresh.count,
              text: member.instructions[predictor].text))
        }
      }
      if !pool.contains(member), !fresh.contains(member) { fresh.append(member) }
    }
    return fresh
  }

  /// Takes demos away, as many as make room for others on the average; at the same places for every predictor.
  private func dropDemos(_ member: inout Member, _ random: inout PythonRandom) {
    let count = member.mostDemos
    let most = options.maxDemos > 0 ? options.maxDemos : 3
    var drops = Self.poisson(Double(count) / Double(most), &random)
    if count >= most { drops = max(1, drops) }
    drops = min(drops, count)
    let places = Set((0..<drops).compactMap { _ in random.choice(0..<count) })
    for index in member.demos.indices {
      member.demos[index] = member.demos[index].enumerated().filter { !places.contains($0.offset) }.map(\.element)
    }
  }

  /// A number from Poisson's distribution: D. Knuth, "The Art of Computer Programming" 2, §3.4.1.
  static func poisson(_ mean: Double, _ random: inout PythonRandom) -> Int {
    let least = exp(-mean)
    var count = 0
    var product = random.random()
    while product > least {
      count += 1
      product *= random.random()
    }
    return count
  }

  /// Appends what each predictor did last in a run as a demo; where there are too many, the oldest go.
  private func append(_ run: Run, to member: inout Member) {
    var demos: [Int: JSONObject] = [:]
    for step in run.steps where member.demos.indices.contains(step.predictor) {
      var demo: JSONObject = ["augmented": true]
      for (key, value) in step.inputs { demo[key] = shortened(value) }
      for (key, value) in step.outputs { demo[key] = value }
      demos[step.predictor] = demo
    }
    for (predictor, demo) in demos where !member.demos[predictor].contains(demo) {
      member.demos[predictor] = Array((member.demos[predictor] + [demo]).suffix(options.maxDemos))
    }
  }

  private func shortened(_ value: JSONValue) -> JSONValue {
    guard case .string(let text) = value, text.count > options.demoInputFieldMaxlen else { return value }
    return .string(String(text.prefix(options.demoInputFieldMaxlen)))
  }

  // MARK: Comparing

  /// Scores new programs on the batch that they were made from, and takes them into the pool.
  ///
  /// - Returns: the place of the best; nil where none was ranked.
  private func evaluate(_ step: Int, _ fresh: [Member], _ rows: [Int]) async throws(HoneError) -> Int? {
    let first = pool.count
    pool += fresh
    let infos = fresh.enumerated().map { number, member in
      log.info(
        "eval_minibatch", member.program(task.student), rows: rows,
        coordinates: [
          "step": .int(step + 1), "candidate": .int(first + number), "demos": .int(member.mostDemos),
          "rules": .int(member.instructions.reduce(0) { $0 + $1.rules.count }),
        ])
    }
    let (evaluator, trainset) = (task.evaluator, task.trainset)
    let results = try await concurrently(infos) { _, info throws(HoneError) in
      try await evaluator.evaluate(info, examples: trainset)
    }
    var best: (place: Int, rank: Double)?
    for (number, (info, result)) in zip(infos, results).enumerated() {
      await log.add(info, result, isFull: false)
      guard result.outages == 0, result.score != nil else { continue }
      board.add([first + number], scores: result.examples.map { ($0.row, $0.score ?? 0) }, full: nil)
      if result.rank > best?.rank ?? -.infinity { best = (first + number, result.rank) }
    }
    return best?.place
  }

  /// Races a program against the best so far on the rows that decide.
  private func validate(_ step: Int, _ member: Int) async throws(HoneError) {
    let info = log.info(
      "eval_full", pool[member].program(task.student), rows: order.rows,
      coordinates: ["step": .int(step + 1), "candidate": .int(member)])
    let outcome = try await Challenge(
      evaluator: task.evaluator, rows: valset, known: known, block: order.block
    ).run(info)
    let before = log.best?.number
    await log.add(outcome.info, outcome.result, isFull: !outcome.isDropped)
    if log.best?.number != before { known = RowScores(outcome.result, order: order.rows) }
  }
}
