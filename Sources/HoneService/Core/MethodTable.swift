/// All methods, in the order in which the documentation lists them.
package enum MethodTable {
  package static let methods: [Method] = [
    .compile, .evaluate, .watchRun, .cancelRun, .resumeRun, .predict, .loadProgram, .saveProgram,
    .listRuns, .getRun, .updateRun, .deleteRun, .listExperiments, .listRunKeys,
    .listResults, .compareRuns, .getUsage,
    .listTraces, .getTrace, .logFeedback,
    .listArtifacts, .getArtifact,
    .doctor, .collectGarbage, .discover,
  ]

  package static var names: [String] { methods.map(\.name) }

  private static let byName = Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })

  package static func method(named name: String) -> Method? { byName[name] }
}
