import Evaluation
package import Failures
package import JSON
import Programs
import Randomness

/// Shows rows of the trainset as demos, as they are. Asks no model.
package struct LabeledFewShot: Optimizer {
  package static let name = "LabeledFewShot"

  /// How many demos each predictor gets, at most.
  package var k: Int
  /// Drawn at random; else the first rows.
  package var sample: Bool

  package init(_ fields: FieldReader) {
    k = fields.int("k", in: 0...10_000) ?? 16
    sample = fields.bool("sample") ?? true
  }

  init(k: Int, sample: Bool = true) {
    self.k = k
    self.sample = sample
  }

  package var parameters: JSONObject { ["k": .int(k), "sample": .bool(sample)] }

  package func check(trainset: Int, valset: Int?, problems: ProblemList) {}

  /// The student without its demos, then with up to `k` rows for each predictor, drawn with seed 0.
  func labeled(_ student: Program, trainset: [JSONObject]) -> Program {
    var program = student.withoutDemos()
    var random = PythonRandom(seed: 0)
    let count = min(k, trainset.count)
    for index in program.states.indices {
      program.states[index].demos = sample ? random.sample(trainset, k: count) : Array(trainset.prefix(count))
    }
    return program
  }

  package func compile(_ task: CompileTask) async throws(HoneError) -> CompileResult {
    let program = labeled(task.student, trainset: task.trainset)
    return try await scored(program, task)
  }
}

/// For optimizers that do not search: scores student and outcome where there is a valset; else just returns it.
func scored(_ program: Program, _ task: CompileTask) async throws(HoneError) -> CompileResult {
  guard let valset = task.valset, !valset.isEmpty else { return CompileResult(program: program) }
  let log = SearchLog(task)
  let rows = Array(valset.indices)
  do throws(HoneError) {
    await task.session.events.emit(.planned(executions: 2 * rows.count))
    let before = log.info("eval", task.student, rows: rows)
    await log.add(before, try await task.evaluator.evaluate(before, examples: valset), isFull: false, isBaseline: true)
    let after = log.info("eval", program, rows: rows)
    await log.add(after, try await task.evaluator.evaluate(after, examples: valset), isFull: true)
  } catch {
    guard error.kind == .budgetExhausted || error.kind == .cancelled else { throw error }
    return CompileResult(program: program, baseline: log.baseline, trials: log.trials, stopped: error)
  }
  return CompileResult(program: program, best: log.best, baseline: log.baseline, trials: log.trials)
}
