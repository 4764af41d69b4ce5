import Basics
package import JSON
public import Schema

/// A run as it is sent: what it was about and what came of it.
public struct RunRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("runId", \.runID, isAlwaysWritten: true, "The run's id."),
    Member("experimentId", \.experimentID, isAlwaysWritten: true, "The run's experiment."),
    Member("name", \.name, isAlwaysWritten: true, "The run's name."),
    Member("status", \.status, isAlwaysWritten: true, "RUNNING, FINISHED, FAILED, KILLED or SCHEDULED."),
    Member("startTime", \.startTime, isAlwaysWritten: true, "When it began (RFC 3339, UTC)."),
    Member("endTime", \.endTime, "When it ended."),
    Member("duration", \.duration, "Seconds from begin to end."),
    Member("parentRunId", \.parentRunID, "The run that it belongs to."),
    Member("lifecycleStage", \.lifecycleStage, "\"deleted\" where it is deleted."),
    Member("user", \.user, isAlwaysWritten: true, "Who started it."),
    Member("artifactUri", \.artifactURI, isAlwaysWritten: true, "Where its files are."),
    Member("params", \.params, isAlwaysWritten: true, as: Schema(.map(Schema(.string))), "Its parameters."),
    Member(
      "metrics", \.metrics, isAlwaysWritten: true, "The latest value of each metric; NaN and infinities as texts."),
    Member("tags", \.tags, isAlwaysWritten: true, as: Schema(.map(Schema(.string))), "Its tags."),
    Member("inputs", \.inputs, "The data sets that it used."),
    Member("resumeCommand", \.resumeCommand, "The command that continues it, where that is possible."),
    Member("children", \.children, "How many runs belong to it."),
  ]

  /// A data set that a run used.
  public struct Input: ResultObject {
    package static let members: [Member<Self>] = [
      Member("name", \.name, isAlwaysWritten: true, "The data set's name."),
      Member("digest", \.digest, isAlwaysWritten: true, "What names its content."),
      Member("sourceType", \.sourceType, isAlwaysWritten: true, "What kind of source it is from."),
      Member("source", \.source, isAlwaysWritten: true, "Where it is from, as JSON text."),
      Member("schema", \.schema, isAlwaysWritten: true, "Its columns, as JSON text."),
      Member("profile", \.profile, isAlwaysWritten: true, "Its size, as JSON text."),
      Member("context", \.context, isAlwaysWritten: true, "What it was used for."),
    ]
    public var name = ""
    public var digest = ""
    public var sourceType = ""
    public var source = ""
    public var schema: String?
    public var profile: String?
    public var context = ""

    package init() {}
  }

  public var runID = ""
  public var experimentID = ""
  public var name = ""
  /// `RUNNING`, `FINISHED`, `FAILED`, `KILLED` or `SCHEDULED`.
  public var status = ""
  /// When it began and ended, as RFC 3339 in UTC.
  public var startTime = ""
  public var endTime: String?
  /// Seconds from begin to end.
  public var duration: Double?
  public var parentRunID: String?
  /// `deleted` where it is deleted.
  package var lifecycleStage: String?
  public var user = ""
  public var artifactURI = ""
  package var params: JSONObject = [:]
  package var metrics: JSONObject = [:]
  package var tags: JSONObject = [:]
  /// The data sets that it used; nil where they were not asked for.
  public var inputs: [Input]?
  /// The command that continues it, where that is possible.
  public var resumeCommand: String?
  /// How many runs belong to it, where that was asked for.
  public var children: Int?

  package init() {}

  package init(_ run: Run) {
    runID = run.info.id
    experimentID = run.info.experimentID
    name = run.info.name
    status = run.info.status.rawValue
    startTime = rfc3339(milliseconds: run.info.startTime)
    endTime = run.info.endTime.map(rfc3339(milliseconds:))
    duration = run.info.endTime.map { Double($0 - run.info.startTime) / 1000 }
    parentRunID = run.info.parentID
    lifecycleStage = run.info.lifecycle == .deleted ? "deleted" : nil
    user = run.info.user
    artifactURI = run.info.artifactURI
    params = run.params.object
    metrics = JSONObject(run.metrics.map { ($0.key, JSONValue(numberOrText: $0.value)) })
    tags = run.tags.object
    inputs = run.inputs.map(Input.init)
  }

  /// A parameter's value.
  public func param(_ name: String) -> String? { params[name]?.stringValue }

  /// A metric's latest value.
  public func metric(_ name: String) -> Double? { metrics[name]?.numberFromText }

  /// A tag's value.
  public func tag(_ name: String) -> String? { tags[name]?.stringValue }
}

extension RunRecord.Input {
  package init(_ input: DatasetInput) {
    name = input.name
    digest = input.digest
    sourceType = input.sourceType
    source = input.source
    schema = input.schema
    profile = input.profile
    context = input.context
  }
}
