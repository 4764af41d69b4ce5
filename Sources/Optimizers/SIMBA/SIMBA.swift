import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import Randomness
import RowStorage
package import Schema

/// Lets the program try a batch of rows several times, looks where it once succeeded and once failed, and learns from
/// the difference: the better execution becomes a demo, or the prompt model says what to do otherwise.
///
/// Algorithm: SIMBA, stochastic introspective mini-batch ascent, as DSPy has it, with its options and defaults. It departs
/// from DSPy's where that saves calls or uses them better:
/// - The student's scores count like any other program's when programs are drawn; there its mean stays 0.
/// - Programs are compared after taking out how hard their batches were (`ScoreBoard`).
/// - Only rows whose runs differ in score are learned from. There rows without any difference are used, too, and
///   percentiles of the batch's scores decide what is good, which say nothing where scores are 0 or 1.
/// - A step whose advice cannot be used makes no program; there it makes one with fewer demos. Programs that are there
///   already are not evaluated again.
/// - Advice is kept as a list of rules, at most eight for a predictor: with the ninth the oldest goes. There instructions
///   grow without bound.
/// - The best new program of each step is raced at once against the best so far, on the valset where there is one
///   (`Challenge`), so that a search that ends early has its best; there up to num_candidates + 1 programs are scored on
///   the trainset in the end.
package struct SIMBA: Optimizer {
  package static let name = "SIMBA"
  package static let summary =
    "Tries batches of rows several times and learns from where the program once succeeded and once failed: by demos, and "
    + "by rules that the prompt model writes."
  package static let members: [Member<Self>] = [
    Member("bsize", \.bsize, in: 1...1_000_000, "How many rows of the trainset a step looks at."),
    Member(
      "num_candidates", \.numCandidates, in: 1...1000,
      "How often each row of a step is tried, and how many new programs a step makes."),
    Member("max_steps", \.maxSteps, in: 1...10_000, "How many steps there are."),
    Member(
      "max_demos", \.maxDemos, in: 0...1000, "How many demos a predictor has at most; with 0 only rules are learned."),
    Member(
      "demo_input_field_maxlen", \.demoInputFieldMaxlen, in: 1...Int.max,
      "How many characters of an input a demo keeps."),
    Member(
      "temperature_for_sampling", \.temperatureForSampling, in: 0.001...1000,
      "How much chance decides which programs try a batch; low: the best do."),
    Member(
      "temperature_for_candidates", \.temperatureForCandidates, in: 0.001...1000,
      "How much chance decides which programs new ones are made from; low: the best are."),
    .seed(\.seed),
  ]

  package var bsize = 32
  package var numCandidates = 6
  package var maxSteps = 8
  package var maxDemos = 4
  package var demoInputFieldMaxlen = 100_000
  package var temperatureForSampling = 0.2
  package var temperatureForCandidates = 0.2
  package var seed = 0

  package init() {}

  package var writesTexts: Bool { true }

  package var scoresTrainset: Bool { true }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    guard trainset < bsize else { return }
    problems.add(
      "\(place).bsize",
      "A batch of \(bsize) rows is more than the trainset's \(trainset); lower bsize or give more rows.")
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let rows = task.valset ?? task.trainset
    let full = maxDemos == 0 ? task.student : LabeledFewShot(k: maxDemos).labeled(task.student, trainset: task.trainset)
    let batch = PlannedPart.Sample(task.student, task.trainset)
    let fullBatch = PlannedPart.Sample(full, task.trainset)
    let programs = maxSteps * numCandidates
    return [task.adapterPart(examples: examples(task), keepsStudent: true, rows: rows)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: rows, shortest: task.student, longest: task.student),
      PlannedPart(
        // A program that has all rows right ends the search.
        "sample", .task, numCandidates * bsize...programs * bsize, shortest: batch, longest: fullBatch,
        details: ["steps": .int(maxSteps), "rows": .int(bsize), "runs": .int(numCandidates)]),
      SimbaAdvice.planned(task, 0...programs),
      PlannedPart(
        "search", .task, 0...programs * bsize, shortest: batch, longest: fullBatch,
        details: ["minibatch": ["evaluations": bounds(0...programs), "rows": .int(bsize)]]),
      PlannedPart(
        "validate", .task, 0...maxSteps * rows.count, shortest: .init(task.student, rows), longest: .init(full, rows),
        details: ["evaluations": bounds(0...maxSteps), "rows": .int(rows.count), "raced": true]),
    ]
  }

  private func examples(_ task: CompileTask) -> Program? {
    maxDemos == 0 ? nil : LabeledFewShot(k: maxDemos).labeled(task.student, trainset: task.trainset)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let rows = task.valset ?? task.trainset
    return await task.withAdapter(examples: examples(task), keepsStudent: true, rows: rows) { task in
      let log = SearchLog(task)
      let tally = WritingTally()
      let search = SimbaSearch(self, task, log, tally)
      let stopped = await attempt { () async throws(HoneError) in try await search.run() }.failure
      for warning in tally.warnings(model: task.promptModel.configuration.model) {
        await task.session.events.emit(.warning(warning))
      }
      return log.result(stoppedBy: stopped)
    }
  }

  /// The rows of each step: windows of the trainset in a random order, which is drawn anew when it is used up.
  func batches(trainset: Int) -> [[Int]] {
    var random = PythonRandom(seed: seed, purpose: "batches", number: 0)
    var order = random.shuffled(0..<trainset)
    var start = 0
    return (0..<maxSteps).map { _ in
      if start + bsize > order.count {
        random.shuffle(&order)
        start = 0
      }
      defer { start += bsize }
      return Array(order[start..<min(start + bsize, order.count)])
    }
  }
}
