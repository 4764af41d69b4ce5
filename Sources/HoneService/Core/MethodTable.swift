/// All methods, in the order in which the documentation lists them.
package enum MethodTable {
  package static let methods: [Method] = [
    .compile, .evaluate, .predict, .loadProgram, .saveProgram,
    .listRuns, .getRun, .deleteRun, .listExperiments,
    .listTraces, .getTrace, .logFeedback,
    .listArtifacts, .getArtifact,
    .doctor, .discover,
  ]

  package static var names: [String] { methods.map(\.name) }

  private static let byName = Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })

  package static func method(named name: String) -> Method? { byName[name] }
}
