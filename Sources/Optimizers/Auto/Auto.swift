import Messages
import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Randomness
import RowStorage
package import Schema

/// Finds out what helps from every single answer, and stops when nothing more can be shown: rules that the prompt model
/// writes when it looks at failures, and sets of demos, are mixed at random at first and ever more by what they have
/// shown.
///
/// Comparing whole programs one with another takes many calls for each comparison. Here each answer, of whatever mixture,
/// teaches about all parts that were in it: which rules, which demos, and how hard the row is (`PartModel`). The next
/// mixture is drawn by Thompson sampling (Thompson 1933; for generalized linear models Chapelle and Li 2011; factorial
/// screening goes back to Fisher 1926): a part takes part as often as it may be worth it. So parts that harm are dropped
/// after a few answers, however many there are.
///
/// Rows: the trainset, of which failures are shown to the prompt model and right runs become demos; and the valset,
/// which is never shown to a model that writes. A part of the valset takes no part in the search: at the end the student
/// and the program found are scored on it, so that the score is of rows that did not choose.
package struct Auto: Optimizer {
  package static let name = "Auto"
  package static let otherNames = ["auto"]
  package static let summary =
    "Chooses by itself: writes rules from failures, gathers demos, learns from every answer which of them help, and "
    + "confirms the result on rows that did not choose it."
  package static let members: [Member<Self>] = [
    Member(
      "auto", \.auto,
      "How many calls of all roles the search may plan with where the budget has no maxCalls: about 700, 1500 or 3000 "
        + "for a program of one step."),
    Member("seed", \.seed, "The seed of everything random; the same seed and answers give the same search."),
    .maxBootstrappedDemos(\.maxBootstrappedDemos),
    .maxLabeledDemos(\.maxLabeledDemos),
    .metricThreshold(\.metricThreshold),
    Member(
      "max_rules", \.maxRules, in: 0...1000, "How many rules may be written; 0 leaves the instructions as they are."),
    Member(
      "max_prompt_chars", \.maxPromptChars, in: 100...1_000_000,
      "The most characters that a step's instructions may have."),
    .proposer(\.proposer, writes: "the rules"),
  ]

  package enum Size: String, SchemaChoice {
    case light, medium, heavy
    var calls: Int {
      switch self {
      case .light: 700
      case .medium: 1500
      case .heavy: 3000
      }
    }
  }

  package var auto = Size.light
  package var seed = 0
  package var maxBootstrappedDemos = 8
  package var maxLabeledDemos = 16
  package var metricThreshold: Double?
  package var maxRules = 40
  package var maxPromptChars = 8000
  package var proposer: ClientProposer?

  package init() {}

  package var writesTexts: Bool { proposer == nil && maxRules > 0 }

  package var proposers: [(place: String, proposer: ClientProposer)] { proposer.map { [("proposer", $0)] } ?? [] }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    if valset == nil, trainset < 4 {
      problems.add("trainset", "auto without a valset sets a part of the trainset aside, which needs at least 4 rows.")
    }
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let rows = AutoRows(task, calls: calls(task), seed: seed)
    let steps = max(1, task.student.predictors.count)
    let search = max(0, calls(task) - 2 * rows.confirming.count * steps)
    let most = search / steps
    let proposals = maxRules == 0 ? 0 : min(maxRules, AutoSearch.firstRules + most / AutoSearch.rowsPerRule)
    let longest = examples(task) ?? task.student
    return [
      task.adapterPart(examples: examples(task), keepsStudent: true, rows: rows.trainset),
      task.scoring("baseline", 1...1, rows: rows.confirming, shortest: task.student, longest: task.student),
      Reflection.planned(task, 0...proposals, .rule, by: proposer),
      PlannedPart(
        "search", .task, 0...most, shortest: .init(task.student.withoutDemos(), rows.trainset),
        longest: .init(longest, rows.trainset)),
      task.scoring("confirm", 0...1, rows: rows.confirming, shortest: task.student.withoutDemos(), longest: longest),
    ].compactMap(\.self)
  }

  /// How many calls the search plans with.
  func calls(_ task: CompileTask) -> Int {
    task.maxCalls ?? auto.calls * max(1, task.student.predictors.count)
  }

  func examples(_ task: CompileTask) -> Program? {
    let count = max(maxBootstrappedDemos, maxLabeledDemos)
    return count == 0 ? nil : LabeledFewShot(k: min(8, count)).labeled(task.student, trainset: task.trainset)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let rows = AutoRows(task, calls: calls(task), seed: seed)
    return await task.withAdapter(examples: examples(task), keepsStudent: true, rows: rows.trainset) { task in
      let search = AutoSearch(self, task, rows)
      let stopped = await attempt { () async throws(HoneError) in try await search.run() }.failure
      for warning in search.tally.warnings(model: task.promptModel.configuration.model) {
        await task.session.events.emit(.warning(warning))
      }
      await task.session.events.emit(.summary(search.summary(stoppedBy: stopped)))
      var result = search.log.result(stoppedBy: stopped)
      result.confirmedAmong = result.trials.count { $0.evaluation.key == "eval_full" }
      return result
    }
  }
}

/// The rows of one search: those that may be shown, those that only score, and those that confirm.
struct AutoRows: Sendable {
  let trainset: Rows
  /// All rows that score; nil where they are the end of the trainset.
  let valset: Rows
  /// Rows of `valset`, by place, that take part in the search, in the order to ask them.
  let scoring: [Int]
  /// Rows of `valset`, by place, that take no part in it.
  let confirming: Rows
  let confirmingPlaces: [Int]
  /// Rows of `trainset` in the order to ask them.
  let shown: [Int]

  /// What one row that confirms may cost of a search's calls: both programs are asked, and so 30 rows take a tenth of 700.
  private static let callsPerRow = 23

  init(_ task: CompileTask, calls: Int, seed: Int) {
    var random = PythonRandom(seed: seed)
    let steps = max(1, task.student.predictors.count)
    let wanted = max(4, calls / steps / Self.callsPerRow)
    if let given = task.valset, !given.isEmpty {
      valset = given
      trainset = task.trainset
      let order = random.sample(valset.indices, k: valset.count)
      // Half at most, unless the valset is too small to be of use for both.
      let count = min(wanted, max(min(4, valset.count), valset.count / 2))
      confirmingPlaces = Array(order.prefix(count))
      scoring = Array(order.dropFirst(count))
    } else {
      let order = random.sample(task.trainset.indices, k: task.trainset.count)
      let count = min(wanted, task.trainset.count / 3)
      valset = task.trainset.choosing(order.prefix(max(1, count)))
      trainset = task.trainset.choosing(order.dropFirst(max(1, count)))
      confirmingPlaces = Array(valset.indices)
      scoring = []
    }
    confirming = valset.choosing(confirmingPlaces)
    shown = random.sample(trainset.indices, k: trainset.count)
  }
}
