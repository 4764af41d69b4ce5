import JSON
import LanguageModels
import Messages
import Programs
import Randomness

extension MIPROv2 {
  package func parts(_ task: CompileTask) -> [PlannedPart] {
    var random = PythonRandom(seed: seed)
    let setup = Setup(self, task, random: &random)
    let plan = setup.plan
    let orders = setup.demoSets(self, random: &random)
    let predictors = task.student.predictors.count
    var sizes: [Int] = []
    var labeled = 0
    for case .bootstrapped(_, let size, let most) in orders {
      sizes.append(size)
      labeled = most
    }
    let examples = examples(task, setup)
    let anchors = labeledDemos(orders) == nil ? 1 : 2
    var parts = [task.adapterPart(examples: examples, keepsStudent: true, rows: setup.valset)].compactMap(\.self)
    parts += [
      task.scoring(
        "baseline", anchors...anchors, rows: setup.valset, shortest: task.student, longest: examples ?? task.student),
      BootstrapFewShot.bootstrapping(task, rows: setup.trainset, sizes: sizes, labeled: labeled, rounds: 1),
    ]
    if dataAwareProposer { parts.append(DataSummary.planned(setup.trainset, batch: viewDataBatchSize)) }
    let first = predictors * max(0, min(plan.instructCandidates, orders.count) - 1)
    let described = programAwareProposer && first > 0 ? 1 : 0
    let later = historyAwareProposer ? mostTrials(plan) : 0
    parts.append(
      InstructionProposer.planned(task, first + described...first + described + later, trainset: setup.trainset))
    parts.append(search(plan, setup, task, tried: anchors - 1))
    return parts
  }

  private func mostTrials(_ plan: Plan) -> Int { plan.isElastic && plan.minibatch ? 2 * plan.trials : plan.trials }

  private func fullEvaluations(after trials: Int) -> Int {
    (trials + minibatchFullEvalSteps - 1) / minibatchFullEvalSteps
  }

  /// - Parameter tried: how many of the trials are made before.
  private func search(_ plan: Plan, _ setup: Setup, _ task: CompileTask, tried: Int) -> PlannedPart {
    let isCached = task.taskModel.configuration.cache
    let trials = plan.trials - tried...max(plan.trials, mostTrials(plan)) - tried
    // The last trials may call for one full evaluation more.
    let full =
      plan.minibatch ? 1...fullEvaluations(after: trials.upperBound) + (plan.isElastic ? 1 : 0) : 0...0
    // What has been asked before costs nothing (with the cache off, only where the run is tracked): the first trials
    // alone are sure to be new.
    let least = min(max(1, plan.trials / 3), max(1, plan.demoSets - 1), trials.lowerBound) * plan.rowsPerTrial
    let all = trials.upperBound * plan.rowsPerTrial + full.upperBound * setup.valset.count
    let most = isCached && plan.isElastic && plan.minibatch ? plan.executions - setup.valset.count : all
    return PlannedPart(
      "search", .task, min(least, most)...most, shortest: .init(task.student.withoutDemos(), setup.valset),
      longest: .init(examples(task, setup) ?? task.student.withoutDemos(), setup.valset),
      details: [
        "minibatch": ["evaluations": bounds(plan.minibatch ? trials : 0...0), "rows": .int(plan.rowsPerTrial)],
        "full": ["evaluations": bounds(plan.minibatch ? full : trials), "rows": .int(setup.valset.count)],
      ])
  }
}
