import Evaluation
import Failures
import JSON
import LanguageModels
import Programs
import Randomness
import RowStorage
package import Schema

/// Searches instructions and demo sets together: demos are bootstrapped, instructions are proposed from what is known
/// of data, program and past attempts, and combinations of the two are tried on minibatches under a tree-structured
/// Parzen estimator, the best of them on the whole valset.
///
/// Algorithm: MIPROv2 (Opsahl-Ong et al. 2024, arXiv 2406.11695), with DSPy's options, defaults and schedule. It
/// departs from DSPy where that saves calls or uses them better:
/// - Demo sets, data summary and the baseline's evaluation are made at the same time, trials overlap.
/// - The first trial is the student with labelled demos alone, on the whole valset: what they give is the least that a
///   search is to find. On a bounded budget it is made before anything is bootstrapped or written.
/// - The first third of the trials takes up a new instruction and demo set each, as far as there are any, in place of
///   drawing combinations at random.
/// - Scores of different minibatches are compared after taking out how hard their rows are.
/// - With `history_aware_proposer`, most later trials try instructions proposed from the best attempts so far, some of
///   them with a demo set not tried yet: building on what has done well finds more than drawing what there is.
/// - The program is described once, not once a proposal, and no proposal is made to be thrown away.
/// - Under `auto`, executions that an earlier one makes free (a row that a combination has been asked before) go into
///   further trials, less what later proposals cost and half of the rows that were bootstrapped in vain.
package struct MIPROv2: Optimizer {
  package static let name = "MIPROv2"
  package static let summary =
    "Searches instructions and demo sets together: proposes instructions from data and program, bootstraps demos, and "
    + "tries combinations under a statistical model of what scores well."
  package static let members: [Member<Self>] = [
    Member(
      "auto", \.auto, "The size of the search. Null lets num_candidates and num_trials decide, as giving them does."),
    Member(
      "num_candidates", \.numCandidates, in: 1...1000,
      "How many instructions, and how many demo sets, each predictor can choose from."),
    Member("num_trials", \.numTrials, in: 1...10_000, "How many combinations are tried."),
    .maxBootstrappedDemos(\.maxBootstrappedDemos),
    .maxLabeledDemos(\.maxLabeledDemos),
    .seed(\.seed),
    Member(
      "init_temperature", \.initTemperature, in: 0...10, "The temperature at which instructions are proposed."),
    .metricThreshold(\.metricThreshold),
    .maxErrors(\.maxErrors),
    Member(
      "minibatch", \.minibatch,
      "Whether trials are scored on a part of the valset, and only the best of them on all of it."),
    Member(
      "minibatch_size", \.minibatchSize, in: 1...1_000_000, "How many rows of the valset a trial is scored on."),
    Member(
      "minibatch_full_eval_steps", \.minibatchFullEvalSteps, in: 1...10_000,
      "After how many trials the best combination so far is scored on the whole valset."),
    Member(
      "program_aware_proposer", \.programAwareProposer,
      "Whether proposals are made from a description of the program."),
    Member(
      "data_aware_proposer", \.dataAwareProposer, "Whether proposals are made from a summary of the trainset."),
    Member(
      "tip_aware_proposer", \.tipAwareProposer, "Whether each proposal is given a hint at a style of its own."),
    Member("fewshot_aware_proposer", \.fewshotAwareProposer, "Whether proposals are made from bootstrapped demos."),
    Member(
      "history_aware_proposer", \.historyAwareProposer,
      "Whether later proposals are made from the best attempts so far."),
    Member(
      "view_data_batch_size", \.viewDataBatchSize, in: 1...1000, "How many rows one request of the data summary shows."),
    .validation(\.validation),
  ]

  package enum Auto: String, SchemaChoice { case light, medium, heavy }

  package var auto: Auto? = .light
  package var numCandidates: Int?
  package var numTrials: Int?
  package var maxBootstrappedDemos = 4
  package var maxLabeledDemos = 4
  package var seed = 9
  package var initTemperature = 1.0
  package var metricThreshold: Double?
  package var maxErrors = 10
  package var minibatch = true
  package var minibatchSize = 35
  package var minibatchFullEvalSteps = 5
  package var programAwareProposer = true
  package var dataAwareProposer = true
  package var tipAwareProposer = true
  package var fewshotAwareProposer = true
  package var historyAwareProposer = true
  package var viewDataBatchSize = 10
  package var validation = Validation.full

  package init() {}

  package var writesTexts: Bool { true }

  package mutating func settle(_ fields: FieldReader) {
    let saysNumbers = numCandidates != nil || numTrials != nil
    if saysNumbers, !fields.gives("auto") { auto = nil }
    if auto != nil, saysNumbers {
      fields.problems.add(
        fields.place("auto"),
        "Either auto chooses the sizes or num_candidates and num_trials do; set auto to null to give the numbers.")
    }
    guard auto == nil else { return }
    if numCandidates == nil {
      fields.problems.add(fields.place("num_candidates"), "Without auto, num_candidates is required.")
    }
    if numTrials == nil {
      let advice =
        numCandidates.map { " For one predictor, \(Plan.trials(variables: 2, candidates: $0)) would suit." } ?? ""
      fields.problems.add(fields.place("num_trials"), "Without auto, num_trials is required.\(advice)")
    }
  }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    if valset == nil, trainset < 2 {
      problems.add("trainset", "MIPROv2 without a valset splits the trainset, which needs at least 2 rows.")
    }
    let plan = Plan(self, trainset: trainset, valset: valset, predictors: 1)
    if auto == nil, minibatch, minibatchSize > plan.valset {
      problems.add(
        "\(place).minibatch_size",
        "A minibatch of \(minibatchSize) rows is more than the valset's \(plan.valset); lower it or set minibatch to "
          + "false.")
    }
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    var start = PythonRandom(seed: seed)
    let setup = Setup(self, task, random: &start)
    return await task.withAdapter(examples: examples(task, setup), keepsStudent: true, rows: setup.valset) { task in
      let log = SearchLog(task)
      let tally = WritingTally()
      let stopped = await attempt { () async throws(HoneError) in
        var random = start
        guard let search = try await prepare(setup, task, log, tally, random: &random) else { return }
        try await search.run()
      }.failure
      for warning in tally.warnings(model: task.promptModel.configuration.model) {
        await task.session.events.emit(.warning(warning))
      }
      return log.result(stoppedBy: stopped)
    }
  }

  /// The student with as many examples as candidates may have.
  func examples(_ task: CompileTask, _ setup: Setup) -> Program? {
    guard !setup.plan.isZeroShot else { return nil }
    return LabeledFewShot(k: max(maxBootstrappedDemos, maxLabeledDemos)).labeled(task.student, trainset: setup.trainset)
  }

  /// Scores the student, then bootstraps demo sets and writes the first instructions, at once as far as they do not need
  /// each other. Nil where the student has every row right.
  private func prepare(
    _ setup: Setup, _ task: CompileTask, _ log: SearchLog, _ tally: WritingTally, random: inout PythonRandom
  ) async throws(HoneError) -> Search? {
    let orders = setup.demoSets(self, random: &random)
    await task.session.events.emit(.planned(executions: setup.plan.executions))
    await task.session.events.emit(
      .phase("bootstrap", message: "Scoring the program as it is, then bootstrapping \(orders.count) demo sets"))
    var inner = task
    inner.trainset = setup.trainset
    inner.valset = setup.valset
    let session = inner
    // Bounded money goes into one part after the other: where it ends, something is whole.
    let isBounded = task.session.account.budget.isLimited
    do {
      // A failure in one part ends the others and is what the caller hears of.
      _ = try await log.scoreBaseline("eval_full", task.student, on: setup.valset, coordinates: ["trial": 1])
      if await log.endsAtPerfectBaseline() { return nil }
      let labeled = isBounded ? try await scoreLabeled(orders, session, log) : nil
      async let demoSets = makeDemoSets(orders, session)
      if isBounded { _ = try await demoSets }
      async let summary =
        dataAwareProposer ? DataSummary.write(setup.trainset, batch: viewDataBatchSize, session, tally) : nil
      let (demos, failures) = try await demoSets
      let proposer = InstructionProposer(self, session, dataSummary: try await summary, tally)
      await task.session.events.emit(
        .phase("propose", message: "Proposing instructions"))
      async let instructions = proposer.initial(
        count: min(setup.plan.instructCandidates, demos.count), demoSets: demos, random: random)
      let (texts, after, failedProposals) = try await instructions
      random = after
      return Search(
        options: self, plan: setup.plan, task: session, log: log, proposer: proposer,
        demoSets: setup.plan.isZeroShot ? nil : demos, instructions: texts, random: random, spent: failures / 2,
        failedProposals: failedProposals, hasLabeled: labeledDemos(orders) != nil, labeled: labeled)
    } catch {
      throw HoneError(wrapping: error)
    }
  }

  /// How many demos the set of rows as they are has; nil where there is no such set.
  func labeledDemos(_ orders: [DemoSetOrder]) -> Int? {
    for case .labeled(let k) in orders { return k }
    return nil
  }

  /// Scores the student with labelled demos alone; nil where there is no such demo set.
  private func scoreLabeled(
    _ orders: [DemoSetOrder], _ task: CompileTask, _ log: SearchLog
  ) async throws(HoneError) -> EvaluationResult? {
    guard let k = labeledDemos(orders) else { return nil }
    let program = LabeledFewShot(k: k).labeled(task.student, trainset: task.trainset)
    let coordinates = Search.coordinates(of: Search.labeledOnly(predictors: program.predictors.count), in: program)
    let valset = task.valset ?? []
    let info = log.info("eval_full", program, rows: Array(valset.indices), coordinates: coordinates)
    let result = try await task.evaluator.evaluate(info, examples: valset)
    await log.add(info, result, isFull: true)
    return result
  }

  /// The demo sets in their order, one state of demos for each predictor, and how many rows were tried in vain.
  private func makeDemoSets(
    _ orders: [DemoSetOrder], _ task: CompileTask
  ) async throws(HoneError) -> (sets: [[[JSONObject]]], failures: Int) {
    let made = try await concurrently(orders) { index, order throws(HoneError) in
      let (program, attempts) = try await make(order, index: index, task)
      let demos = program.states.map(\.demos)
      await task.session.events.emit(
        .demoSetReady(index: index, demos: demos.map(\.count).max() ?? 0, attempts: attempts))
      let accepted = demos.map { demos in demos.count { $0["augmented"] == true } }.max() ?? 0
      return (demos: demos, failures: attempts - accepted)
    }
    return (made.map(\.demos), made.reduce(0) { $0 + $1.failures })
  }

  private func make(
    _ order: DemoSetOrder, index: Int, _ task: CompileTask
  ) async throws(HoneError) -> (program: Program, attempts: Int) {
    switch order {
    case .none: return (task.student.withoutDemos(), 0)
    case .labeled(let k): return (LabeledFewShot(k: k).labeled(task.student, trainset: task.trainset), 0)
    case .bootstrapped(let rows, let size, let labeled):
      var bootstrap = BootstrapFewShot()
      bootstrap.maxBootstrappedDemos = size
      bootstrap.maxLabeledDemos = labeled
      bootstrap.maxErrors = maxErrors
      bootstrap.metricThreshold = metricThreshold
      return try await bootstrap.bootstrap(task.student.withoutDemos(), order: rows, label: "\(index)", task)
    }
  }
}
