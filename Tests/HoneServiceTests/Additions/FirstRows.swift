import Failures
import Optimizers
import Programs
import Schema

/// An optimizer that a newcomer might add: the first rows of the trainset as demos.
struct FirstRows: Optimizer {
  static let name = "FirstRows"
  static let summary = "Shows the first rows of the trainset."
  static let members: [Member<Self>] = [Member("row_count", \.rowCount, in: 1...9, "How many rows are shown.")]

  var rowCount = 2

  func parts(_ task: CompileTask) -> [PlannedPart] { [] }

  func compile(_ task: CompileTask) async -> SearchResult {
    var program = task.student
    for place in program.states.indices { program.states[place].demos = Array(task.trainset.prefix(rowCount)) }
    return SearchResult(program: program)
  }
}
