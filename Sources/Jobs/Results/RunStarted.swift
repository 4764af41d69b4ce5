package import Schema

/// What a detached request is answered with.
package struct RunStarted: ResultObject {
  package static let members: [Member<Self>] = [
    Member("runId", \.runID, isAlwaysWritten: true, "The run, for watchRun."),
    Member("experimentId", \.experimentID, isAlwaysWritten: true, "The run's experiment."),
    Member("status", \.status, isAlwaysWritten: true, "RUNNING."),
  ]
  package var runID: String?
  package var experimentID = ""
  package var status = "RUNNING"

  package init() {}

  init(_ run: OpenRun) {
    runID = run.id
    experimentID = run.experimentID
  }
}
