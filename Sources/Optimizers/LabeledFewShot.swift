import Evaluation
import Failures
import JSON
import Programs
import Randomness
import RowStorage
package import Schema

/// Shows rows of the trainset as demos, as they are. Asks no model.
package struct LabeledFewShot: Optimizer {
  package static let name = "LabeledFewShot"
  package static let summary = "Shows rows of the trainset as demos, as they are. Asks no model."
  package static let members: [Member<Self>] = [
    Member("k", \.k, in: 0...10_000, "How many demos each predictor gets, at most."),
    Member("sample", \.sample, "Whether the demos are chosen at random; otherwise they are the first rows."),
  ]

  package var k = 16
  package var sample = true

  package init() {}

  init(k: Int) { self.k = k }

  /// The student without its demos, then with up to `k` rows for each predictor, drawn with seed 0.
  func labeled(_ student: Program, trainset: Rows) -> Program {
    var program = student.withoutDemos()
    var random = PythonRandom(seed: 0)
    let count = min(k, trainset.count)
    for index in program.states.indices {
      program.states[index].demos = sample ? random.sample(trainset, k: count) : Array(trainset.prefix(count))
    }
    return program
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    guard let valset = task.valset, !valset.isEmpty else { return [] }
    let outcome = labeled(task.student, trainset: task.trainset)
    return [task.adapterPart(examples: outcome, rows: valset)].compactMap(\.self) + [
      task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student),
      task.scoring("search", 1...1, rows: valset, shortest: outcome, longest: outcome),
    ]
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let examples = labeled(task.student, trainset: task.trainset)
    return await task.withAdapter(examples: examples, rows: task.valset ?? []) { task in
      await compared(task) { labeled(task.student, trainset: task.trainset) }
    }
  }
}

/// For optimizers that do not search: makes the program and, where there is a valset, scores the student before and the
/// outcome after.
func compared(
  _ task: CompileTask, make: () async throws(HoneError) -> Program
) async -> SearchResult {
  let log = SearchLog(task)
  let valset = task.valset ?? []
  let rows = Array(valset.indices)
  var program = task.student
  do throws(HoneError) {
    if !rows.isEmpty {
      await task.session.events.emit(.planned(executions: 2 * rows.count))
      let result = try await log.scoreBaseline("eval", task.student, on: valset, isFull: false)
      if result.isPerfect {
        await task.session.events.emit(
          .warning(
            "The program as it is gets all \(result.count) rows of the valset right: demos cannot make it score better "
              + "there. Give more or harder rows to find out more."))
      }
    }
    program = try await make()
    if !rows.isEmpty {
      let after = log.info("eval", program, rows: rows)
      await log.add(after, try await task.evaluator.evaluate(after, examples: valset), isFull: true)
    }
  } catch {
    return SearchResult(program: program, baseline: log.baseline, trials: log.trials, stopped: error)
  }
  return SearchResult(program: program, best: log.best, baseline: log.baseline, trials: log.trials)
}
