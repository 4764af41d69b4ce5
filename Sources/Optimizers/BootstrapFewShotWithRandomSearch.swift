import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
package import Schema

/// Bootstraps many demo sets from shuffled trainsets and keeps the one that scores best on the valset.
///
/// Algorithm: DSPy's BootstrapFewShotWithRandomSearch. Candidates are numbered from −3: the student without demos,
/// labelled rows, an unshuffled bootstrap, then `num_candidate_programs` shuffled ones, each with the random stream of
/// its own number. Candidates are made and scored concurrently and compared in order; with `validation` "race" all are
/// made first, then raced (`Tournament`).
package struct BootstrapFewShotWithRandomSearch: Optimizer {
  package static let name = "BootstrapFewShotWithRandomSearch"
  package static let otherNames = ["BootstrapRS"]
  package static let summary =
    "Bootstraps many demo sets from shuffled trainsets and keeps the one that scores best on the valset."
  package static let members: [Member<Self>] = [
    .maxBootstrappedDemos(\.maxBootstrappedDemos, atLeast: 1),
    .maxLabeledDemos(\.maxLabeledDemos),
    .maxRounds(\.maxRounds),
    Member(
      "num_candidate_programs", \.numCandidatePrograms, in: 0...10_000,
      "How many demo sets are made from shuffled trainsets."),
    .maxErrors(\.maxErrors),
    Member("stop_at_score", \.stopAtScore, in: 0...100, "The score, in percent, at which the search ends."),
    .metricThreshold(\.metricThreshold),
    .validation(\.validation),
  ]

  package var maxBootstrappedDemos = 4
  package var maxLabeledDemos = 16
  package var maxRounds = 1
  package var numCandidatePrograms = 16
  package var maxErrors = 10
  package var stopAtScore: Double?
  package var metricThreshold: Double?
  package var validation = Validation.full

  package init() {}

  package var scoresTrainset: Bool { true }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let valset = task.valset ?? task.trainset
    let sizes = [maxBootstrappedDemos] + (0..<numCandidatePrograms).map { size(of: $0) }
    let full = LabeledFewShot(k: max(maxBootstrappedDemos, maxLabeledDemos)).labeled(
      task.student, trainset: task.trainset)
    let bare = task.student.withoutDemos()
    // A score that was wished for may be there at once.
    let least = stopAtScore == nil ? numCandidatePrograms + 2 : 0
    return [task.adapterPart(examples: examples(task), keepsStudent: true, rows: valset)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: valset, shortest: bare, longest: bare),
      BootstrapFewShot.bootstrapping(
        task, rows: task.trainset, sizes: sizes, labeled: maxLabeledDemos, rounds: maxRounds,
        mayEndEarly: stopAtScore != nil),
      validation == .full
        ? task.scoring("search", least...numCandidatePrograms + 2, rows: valset, shortest: bare, longest: full)
        : PlannedPart(
          "search", .task,
          Tournament.executions(least...numCandidatePrograms + 2, rows: valset.count), shortest: .init(bare, valset),
          longest: .init(full, valset),
          details: [
            "evaluations": bounds(least...numCandidatePrograms + 2), "rows": .int(valset.count), "raced": true,
          ]),
    ]
  }

  /// How many demos a shuffled candidate bootstraps.
  private func size(of seed: Int) -> Int {
    var sizer = PythonRandom(seed: seed)
    return sizer.randint(1...maxBootstrappedDemos)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    var bare = task
    bare.student = task.student.withoutDemos()
    let rows = task.valset ?? task.trainset
    return await bare.withAdapter(examples: examples(task), keepsStudent: true, rows: rows) { decided in
      var task = task
      task.student.adapter = decided.student.adapter
      let log = SearchLog(task)
      do throws(HoneError) {
        if validation == .full { try await search(task, log) } else { try await race(task, log) }
        return log.result()
      } catch {
        return log.result(stoppedBy: error)
      }
    }
  }

  private func examples(_ task: CompileTask) -> Program? {
    LabeledFewShot(k: max(maxLabeledDemos, maxBootstrappedDemos)).labeled(task.student, trainset: task.trainset)
  }

  private func search(_ task: CompileTask, _ log: SearchLog) async throws(HoneError) {
    let valset = task.valset ?? task.trainset
    let rows = Array(valset.indices)
    await task.session.events.emit(.phase("search", message: "Scoring \(numCandidatePrograms + 3) candidate demo sets"))
    await task.session.events.emit(.planned(executions: (numCandidatePrograms + 3) * rows.count))
    var seed = -3
    var reached = false
    if let known = log.knownBaseline(task.student.withoutDemos(), on: valset) {
      seed = -2
      reached = await log.endsAtPerfectBaseline() || stopAtScore.map { known.rank >= $0 } == true
    }
    // Bounded money goes into one candidate after the other, so that where it ends the most are scored whole.
    let window = task.session.account.budget.isLimited ? 1 : 3
    try await inOrder(free: 0, window: window) { () async throws(HoneError) in
      guard !reached, seed < numCandidatePrograms else { return nil }
      // The student alone first: where it has every row right, nothing else is asked.
      if seed > -3, log.baseline == nil { return nil }
      defer { seed += 1 }
      let info = log.info("eval", task.student, rows: rows, coordinates: ["seed": .int(seed)])
      return Candidate(seed: seed, info: info)
    } work: { (candidate: Candidate) async throws(HoneError) in
      var info = candidate.info
      let (program, attempts) = try await make(candidate.seed, task)
      info.program = program
      let demos = program.states.map(\.demos.count).max() ?? 0
      info.coordinates["demos"] = .int(demos)
      await task.session.events.emit(.demoSetReady(index: candidate.seed + 3, demos: demos, attempts: attempts))
      return Scored(info: info, result: try await task.evaluator.evaluate(info, examples: valset))
    } commit: { (candidate: Candidate, scored: Scored) async throws(HoneError) in
      // Pieces decided before the wanted score was reached do not count once it is.
      guard !reached else { return }
      await log.add(scored.info, scored.result, isFull: true, isBaseline: candidate.seed == -3)
      if candidate.seed == -3, await log.endsAtPerfectBaseline() { reached = true }
      if let stopAtScore, scored.result.outages == 0, scored.result.rank >= stopAtScore { reached = true }
    }
  }

  /// Makes all candidates, then races them.
  private func race(_ task: CompileTask, _ log: SearchLog) async throws(HoneError) {
    let valset = task.valset ?? task.trainset
    await task.session.events.emit(.phase("search", message: "Racing \(numCandidatePrograms + 3) candidate demo sets"))
    await task.session.events.emit(.planned(executions: (numCandidatePrograms + 3) * valset.count))
    let baseline = try await log.scoreBaseline("eval", task.student, on: valset, coordinates: ["seed": -3, "demos": 0])
    if await log.endsAtPerfectBaseline() { return }
    if let stopAtScore, baseline.outages == 0, baseline.rank >= stopAtScore { return }
    let made = try await concurrently(Array(-2..<numCandidatePrograms)) { _, seed throws(HoneError) in
      let (program, attempts) = try await make(seed, task)
      let demos = program.states.map(\.demos.count).max() ?? 0
      await task.session.events.emit(.demoSetReady(index: seed + 3, demos: demos, attempts: attempts))
      return Tournament.Contender(program: program, coordinates: ["seed": .int(seed), "demos": .int(demos)])
    }
    let tournament = Tournament(
      task: task, log: log, rows: valset, order: RaceOrder(valset.count, seed: 0), enough: stopAtScore)
    _ = try await tournament.run([.init(program: task.student, known: baseline)] + made)
  }

  private struct Candidate: Sendable {
    var seed: Int
    var info: EvaluationInfo
  }

  private struct Scored: Sendable {
    var info: EvaluationInfo
    var result: EvaluationResult
  }

  private func make(_ seed: Int, _ task: CompileTask) async throws(HoneError) -> (program: Program, attempts: Int) {
    switch seed {
    case -3: return (task.student.withoutDemos(), 0)
    case -2: return (LabeledFewShot(k: maxLabeledDemos).labeled(task.student, trainset: task.trainset), 0)
    default:
      var order = Array(task.trainset.indices)
      var size = maxBootstrappedDemos
      if seed >= 0 {
        var shuffler = PythonRandom(seed: seed)
        shuffler.shuffle(&order)
        size = self.size(of: seed)
      }
      var bootstrap = BootstrapFewShot()
      bootstrap.maxBootstrappedDemos = size
      bootstrap.maxLabeledDemos = maxLabeledDemos
      bootstrap.maxRounds = maxRounds
      bootstrap.maxErrors = maxErrors
      bootstrap.metricThreshold = metricThreshold
      return try await bootstrap.bootstrap(
        task.student.withoutDemos(), order: order, label: "\(seed)", task)
    }
  }
}
