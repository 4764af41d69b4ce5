import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Platform
import Programs
import RowStorage
package import Schema

/// Lets the prompt model read what went wrong on a few rows and rewrite the instructions of one step; keeps a pool of
/// candidates, each the best on some rows, and goes on from these.
///
/// Algorithm: GEPA (Agrawal et al. 2025, arXiv 2507.19457), with DSPy's names and defaults. It departs from them where
/// that saves calls or loses less:
/// - A child is raced against its parent over the valset (`validation`, Waudby-Smith and Ramdas 2024) and dropped once
///   it is clearly no better; what it has shown by then counts on the fronts of these rows. `full` asks them all.
/// - A step is not started that the budget cannot finish.
/// - Each row is judged once; the metric's feedback serves score and reflection alike.
/// - Rows that met an outage are missing, not wrong; where fewer than three in five are left, nothing is
///   decided.
/// - What the prompt model wrote is adopted only if it is whole, new, no copy of the prompt and no longer than
///   `max_prompt_chars`; edits that failed are shown, so that they are not made again.
/// - With one step there is nothing to merge, so none is tried.
package struct GEPA: Optimizer {
  package static let name = "GEPA"
  package static let summary =
    "Lets the prompt model read what went wrong and rewrite the instructions; keeps a pool of candidates that are each "
    + "best on some rows."
  package static let members: [Member<Self>] = [
    Member("auto", \.auto, "The size of the search, where neither max_full_evals nor max_metric_calls is given."),
    Member(
      "max_full_evals", \.maxFullEvals, in: 1...10_000, "The budget as evaluations of trainset and valset together."),
    Member(
      "max_metric_calls", \.maxMetricCalls, in: 1...10_000_000,
      "The budget as rows that programs are scored on."),
    Member(
      "reflection_minibatch_size", \.reflectionMinibatchSize, in: 1...1000,
      "How many rows of the trainset the prompt model is shown at a time."),
    Member("candidate_selection_strategy", \.candidateSelectionStrategy, "Which candidate is gone on from."),
    Member("component_selector", \.componentSelector, "Which steps are rewritten at a time."),
    Member("frontier_type", \.frontierType, "What candidates may each be the best at."),
    Member("use_merge", \.useMerge, "Whether candidates of one ancestor are merged, step by step."),
    Member("max_merge_invocations", \.maxMergeInvocations, in: 0...10_000, "How many merges are tried, at most."),
    Member("skip_perfect_score", \.skipPerfectScore, "Whether rows that are all perfect are passed over."),
    Member("perfect_score", \.perfectScore, "The score of a perfect row."),
    Member(
      "add_format_failure_as_feedback", \.addFormatFailureAsFeedback,
      "Whether replies that could not be read are shown, with the form that was asked for."),
    Member("parents_per_step", \.parentsPerStep, in: 1...100, "How many candidates are gone on from at the same time."),
    Member(
      "proposals_per_parent", \.proposalsPerParent, in: 1...100,
      "How many rewritings of each are tried at the same time, each from rows of its own."),
    .validation(\.validation),
    Member(
      "delta", \.delta, in: 0...1,
      "In a race, the mean gain (0 to 1) below which a child is as good as none."),
    Member(
      "alpha", \.alpha, in: 0.001...0.5, "In a race, how probable it may be that a child of that gain is dropped."),
    Member(
      "remember_rejections", \.rememberRejections,
      "Whether the prompt model is shown what was tried from the same candidate and did not help."),
    .proposer(\.proposer, also: ["instruction_proposer"], writes: "the instructions"),
    Member(
      "max_prompt_chars", \.maxPromptChars, in: 100...1_000_000, "The most characters that instructions may have."),
    Member("seed", \.seed, "The seed of everything random; the same seed and answers give the same search."),
  ]

  package enum Auto: String, SchemaChoice {
    case light, medium, heavy
    var candidates: Int {
      switch self {
      case .light: 6
      case .medium: 12
      case .heavy: 18
      }
    }
  }

  package enum Selection: String, SchemaChoice {
    case pareto
    case currentBest = "current_best"
    case epsilonGreedy = "epsilon_greedy"
    case topKPareto = "top_k_pareto"
  }

  package enum Components: String, SchemaChoice {
    case roundRobin = "round_robin"
    case all
  }

  package enum Frontier: String, SchemaChoice { case instance, objective, hybrid, cartesian }

  package var auto: Auto?
  package var maxFullEvals: Int?
  package var maxMetricCalls: Int?
  package var reflectionMinibatchSize = 3
  package var candidateSelectionStrategy = Selection.pareto
  package var componentSelector = Components.roundRobin
  package var frontierType = Frontier.instance
  package var useMerge = true
  package var maxMergeInvocations = 5
  package var skipPerfectScore = true
  package var perfectScore = 1.0
  package var addFormatFailureAsFeedback = false
  package var parentsPerStep = 1
  package var proposalsPerParent = 1
  package var validation = Validation.race
  package var delta = 0.03
  package var alpha = 0.2
  package var rememberRejections = true
  package var maxPromptChars = 8000
  package var proposer: ClientProposer?
  package var seed = 0

  package init() {}

  package var writesTexts: Bool { proposer == nil }

  package mutating func settle(_ fields: FieldReader) {
    let given = ["auto", "max_full_evals", "max_metric_calls"].filter { fields.gives($0) }
    if given.count > 1 {
      fields.problems.add(
        fields.place(given[1]),
        "The budget is given by one of auto, max_full_evals and max_metric_calls; these are \(given.count).")
    }
  }

  package var scoresTrainset: Bool { true }

  package var proposers: [(place: String, proposer: ClientProposer)] { proposer.map { [("proposer", $0)] } ?? [] }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    let rows = valset ?? trainset
    if let maxMetricCalls, maxMetricCalls < rows {
      problems.add(
        "\(place).max_metric_calls",
        "Scoring the student alone takes \(rows) metric calls; give at least \(3 * (rows + reflectionMinibatchSize) + rows) to find anything."
      )
    }
  }

  /// How many rows programs may be scored on, as DSPy computes it.
  func metricCalls(_ task: CompileTask) -> Int {
    let valset = (task.valset ?? task.trainset).count
    if let maxMetricCalls { return maxMetricCalls }
    if let maxFullEvals { return maxFullEvals * (task.trainset.count + (task.valset?.count ?? 0)) }
    let count = (auto ?? .light).candidates
    let steps = Double(task.student.predictors.count)
    let trials = max(Int(4 * steps * log2(Double(count))), Int(1.5 * Double(count)))
    return valset + 5 * count + 35 * trials + ((trials + 1) / 5 + 1 + (trials < 5 ? 1 : 0)) * valset
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let valset = task.valset ?? task.trainset
    let most = max(valset.count, metricCalls(task))
    let steps = most / max(1, 2 * reflectionMinibatchSize)
    return [
      task.adapterPart(examples: nil, rows: valset),
      task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student),
      Reflection.planned(
        task, 0...steps * (componentSelector == .all ? task.student.predictors.count : 1), .instruction, by: proposer),
      PlannedPart("search", .task, 0...most - valset.count, shortest: .init(task.student, valset)),
    ].compactMap(\.self)
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    await task.withAdapter(examples: nil, rows: task.valset ?? task.trainset) { task in
      let search = GEPASearch(self, task)
      let stopped = await attempt { () async throws(HoneError) in try await search.run() }.failure
      for warning in search.tally.warnings(model: task.promptModel.configuration.model) {
        await task.session.events.emit(.warning(warning))
      }
      await task.session.events.emit(.summary(search.summary(stoppedBy: stopped)))
      return search.log.result(stoppedBy: stopped)
    }
  }
}
