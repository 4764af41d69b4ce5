package import JSON
import LanguageModels
import Messages

extension Module {
  /// How many model calls one execution makes, where every reply can be read: at least, and at most if that is known.
  package var callsPerExecution: (least: Int, most: Int?) {
    switch self {
    case .predict, .chainOfThought: (1, 1)
    case .pipeline(let steps, _):
      steps.reduce((0, 0)) { sum, step in
        let calls = step.module.callsPerExecution
        return (sum.least + calls.least, sum.most.flatMap { known in calls.most.map { known + $0 } })
      }
    case .react(let program): (2, program.maxIterations + 1)
    case .ensemble(let ensemble):
      ensemble.programs.reduce((0, 0)) { sum, program in
        let calls = program.callsPerExecution
        return (sum.least + calls.least, sum.most.flatMap { known in calls.most.map { known + $0 } })
      }
    case .host: (0, nil)
    }
  }
}

extension PreparedProgram {
  /// The bytes of the prompt that each predictor is asked with, on the average over these rows. What other steps will
  /// give is not known yet and counts as nothing.
  package func promptBytes(_ rows: some Collection<JSONObject>) -> [Int] {
    adapters.indices.map { index in
      let beginning = shared[index].messages.reduce(0) { $0 + $1.content.utf8.count }
      let names = adapters[index].signature.inputs.map(\.name)
      let own = rows.reduce(0) { sum, row in
        var inputs = JSONObject()
        for name in names { inputs.append(name, row[name] ?? "") }
        return sum + adapters[index].request(inputs).content.utf8.count
      }
      return beginning + own / max(1, rows.count)
    }
  }
}
