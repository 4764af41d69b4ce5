import Evaluation
import JSON
import Platform
import Programs
import Randomness
import RowStorage

/// The sizes of one MIPROv2 search, as DSPy computes them.
struct Plan: Sendable {
  var trainset: Int
  var valset: Int
  var minibatch: Bool
  var instructCandidates: Int
  var demoSets: Int
  var trials: Int
  var isZeroShot: Bool
  /// Whether trials may be added as long as `executions` allows.
  var isElastic: Bool
  private var minibatchSize: Int
  private var fullEvalSteps: Int

  init(_ options: MIPROv2, trainset: Int, valset: Int?, predictors: Int) {
    // Without a valset, four fifths of the trainset (1000 rows at most) become one.
    let split = valset ?? min(1000, max(1, trainset * 4 / 5))
    self.trainset = valset == nil ? trainset - split : trainset
    self.valset = split
    isZeroShot = options.maxBootstrappedDemos == 0 && options.maxLabeledDemos == 0
    minibatch = options.minibatch
    isElastic = options.auto != nil
    minibatchSize = options.minibatchSize
    fullEvalSteps = options.minibatchFullEvalSteps
    guard let auto = options.auto else {
      instructCandidates = options.numCandidates ?? 1
      demoSets = options.numCandidates ?? 1
      trials = options.numTrials ?? 1
      return
    }
    let (candidates, rows) =
      switch auto {
      case .light: (6, 100)
      case .medium: (12, 300)
      case .heavy: (18, 1000)
      }
    self.valset = min(split, rows)
    minibatch = self.valset > 50
    minibatchSize = min(minibatchSize, self.valset)
    instructCandidates = isZeroShot ? candidates : candidates / 2
    demoSets = candidates
    trials = Self.trials(variables: isZeroShot ? predictors : 2 * predictors, candidates: candidates)
  }

  /// How many trials suit a search over that many variables with that many values each.
  static func trials(variables: Int, candidates: Int) -> Int {
    max(Int(2 * Double(variables) * log2(Double(candidates))), Int(1.5 * Double(candidates)))
  }

  /// How many rows a trial asks.
  var rowsPerTrial: Int { minibatch ? minibatchSize : valset }

  /// How many executions the search makes as planned: the student on the valset, the trials, and the full evaluations.
  var executions: Int {
    let full = minibatch ? (trials + fullEvalSteps - 1) / fullEvalSteps : 0
    return valset + trials * rowsPerTrial + full * valset
  }
}

/// The data of one search, split and drawn.
struct Setup: Sendable {
  let plan: Plan
  let trainset: Rows
  let valset: Rows

  init(_ options: MIPROv2, _ task: CompileTask, random: inout PythonRandom) {
    plan = Plan(
      options, trainset: task.trainset.count, valset: task.valset?.count, predictors: task.student.predictors.count)
    var valset = task.valset ?? task.trainset.choosing(plan.trainset..<task.trainset.count)
    trainset = task.valset == nil ? task.trainset.choosing(0..<plan.trainset) : task.trainset
    if plan.valset < valset.count { valset = valset.choosing(random.sample(valset.indices, k: plan.valset)) }
    self.valset = valset
  }

  /// What each demo set is made of; the random ones are drawn here, in order.
  func demoSets(_ options: MIPROv2, random: inout PythonRandom) -> [DemoSetOrder] {
    // Zero-shot still bootstraps, so that proposals can see how the task is solved.
    let bootstrapped = plan.isZeroShot ? 3 : options.maxBootstrappedDemos
    let labeled = plan.isZeroShot ? 0 : options.maxLabeledDemos
    let rows = Array(trainset.indices)
    return (0..<plan.demoSets).map { index in
      switch index {
      case 0: return .none
      case 1 where labeled > 0: return .labeled(labeled)
      case 2: return .bootstrapped(rows: rows, size: bootstrapped, labeled: labeled)
      default:
        var order = rows
        random.shuffle(&order)
        let size = bootstrapped > 0 ? random.randint(1...bootstrapped) : 0
        return .bootstrapped(rows: order, size: size, labeled: labeled)
      }
    }
  }
}

/// How one demo set is made.
enum DemoSetOrder: Sendable {
  case none
  case labeled(Int)
  case bootstrapped(rows: [Int], size: Int, labeled: Int)
}
