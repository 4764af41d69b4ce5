import Basics
package import JSON
package import Schema

/// An experiment as it is sent, with what goes on in it.
package struct ExperimentRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("experimentId", \.experimentID, isAlwaysWritten: true, "The experiment's id."),
    Member("name", \.name, isAlwaysWritten: true, "The experiment's name."),
    Member("artifactLocation", \.artifactLocation, isAlwaysWritten: true, "Where its runs' files are."),
    Member("lifecycleStage", \.lifecycleStage, isAlwaysWritten: true, "active or deleted."),
    Member("createdTime", \.createdTime, isAlwaysWritten: true, "When it was made (RFC 3339, UTC)."),
    Member("updatedTime", \.updatedTime, isAlwaysWritten: true, "When it was last changed."),
    Member("tags", \.tags, isAlwaysWritten: true, as: Schema(.map(Schema(.string))), "Its tags."),
    Member("runs", \.runs, isAlwaysWritten: true, "How many runs it has."),
    Member("topRuns", \.topRuns, isAlwaysWritten: true, "How many of them belong to no other run."),
    Member("running", \.running, isAlwaysWritten: true, "How many are under way."),
    Member("lastRunTime", \.lastRunTime, isAlwaysWritten: true, "When the last one began; null where there is none."),
  ]
  package var experimentID = ""
  package var name = ""
  package var artifactLocation = ""
  package var lifecycleStage = ""
  package var createdTime = ""
  package var updatedTime = ""
  package var tags: JSONObject = [:]
  package var runs = 0
  package var topRuns = 0
  package var running = 0
  package var lastRunTime: String?

  package init() {}

  package init(_ experiment: Experiment, _ activity: ExperimentActivity) {
    experimentID = experiment.id
    name = experiment.name
    artifactLocation = experiment.artifactLocation
    lifecycleStage = experiment.lifecycle.rawValue
    createdTime = rfc3339(milliseconds: experiment.created)
    updatedTime = rfc3339(milliseconds: experiment.updated)
    tags = experiment.tags.object
    runs = activity.runs
    topRuns = activity.topRuns
    running = activity.running
    lastRunTime = activity.lastStart.map(rfc3339(milliseconds:))
  }
}
