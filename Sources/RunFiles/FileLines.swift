import JSON
import Schema
import Tracking

/// One line of a file of runs: which member it has says what it is about.
struct FileLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("hone", \.hone, "\"runs\" on the first line."),
    Member("version", \.version, "The version of the format, on the first line."),
    Member("experiment", \.experiment, "An experiment, before its runs."),
    Member("run", \.run, "A run, parents before children."),
    Member("artifact", \.artifact, "A file of the run before."),
    Member("trace", \.trace, "A trace of the run before."),
    Member("end", \.end, "The last line."),
  ]
  var hone: String?
  var version: Int?
  var experiment: ExperimentLine?
  var run: RunLine?
  var artifact: ArtifactLine?
  var trace: TraceLine?
  var end: EndLine?
}

struct ExperimentLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("id", \.id, isAlwaysWritten: true, "Its id where it comes from."),
    Member("name", \.name, isAlwaysWritten: true, "Its name."),
    Member("tags", \.tags, isAlwaysWritten: true, "Its tags."),
  ]
  var id = ""
  var name = ""
  var tags: JSONObject = [:]
}

struct RunLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("id", \.id, isAlwaysWritten: true, "The run's id."),
    Member("experiment", \.experiment, isAlwaysWritten: true, "Its experiment's id."),
    Member("parent", \.parent, isAlwaysWritten: true, "The run that it belongs to."),
    Member("name", \.name, isAlwaysWritten: true, "Its name."),
    Member("status", \.status, isAlwaysWritten: true, "Its status."),
    Member("user", \.user, "Who started it."),
    Member("startTime", \.startTime, isAlwaysWritten: true, "Milliseconds since 1970."),
    Member("endTime", \.endTime, isAlwaysWritten: true, "Milliseconds since 1970."),
    Member("deleted", \.isDeleted, isAlwaysWritten: true, "Whether it is deleted."),
    Member("params", \.params, isAlwaysWritten: true, "Its parameters."),
    Member("metrics", \.metrics, isAlwaysWritten: true, "Every point: [key, value, step, timestamp]."),
    Member("tags", \.tags, isAlwaysWritten: true, "Its tags."),
    Member("inputs", \.inputs, isAlwaysWritten: true, "Its data sets."),
    Member("results", \.results, isAlwaysWritten: true, "How examples came out, one list each."),
  ]
  var id = ""
  var experiment = ""
  var parent: String?
  var name = ""
  var status = ""
  var user = ""
  var startTime: Int?
  var endTime: Int?
  var isDeleted = false
  var params: JSONObject = [:]
  var metrics: [JSONValue] = []
  var tags: JSONObject = [:]
  var inputs: [RunRecord.Input] = []
  var results: [JSONValue] = []
}

struct ArtifactLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("run", \.run, isAlwaysWritten: true, "The run."),
    Member("path", \.path, isAlwaysWritten: true, "The path among the run's files."),
    Member("base64", \.base64, isAlwaysWritten: true, "The bytes in base 64."),
  ]
  var run = ""
  var path = ""
  var base64 = ""
}

struct TraceLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("info", \.info, isAlwaysWritten: true, "Everything but the spans."),
    Member("spans", \.spans, isAlwaysWritten: true, "Its spans."),
    Member("assessments", \.assessments, "What \"info\" does not say of assessments, for those that have it."),
  ]
  var info = TraceRecord()
  var spans: [SpanRecord] = []
  var assessments: [AssessmentLine] = []
}

struct AssessmentLine: ResultObject {
  static let members: [Member<Self>] = [
    Member("id", \.id, isAlwaysWritten: true, "The assessment's id."),
    Member("updated", \.updated, "When it was last changed: milliseconds since 1970."),
    Member("details", \.details, "What MLflow's clients said beyond that."),
  ]
  var id = ""
  var updated: Int?
  var details: JSONObject = [:]

  init() {}

  /// Nil where the record says all.
  init?(_ stored: StoredAssessment) {
    guard stored.updated != stored.created || !stored.details.isEmpty else { return nil }
    id = stored.id
    updated = stored.updated == stored.created ? nil : stored.updated
    details = stored.details
  }
}

struct EndLine: ResultObject {
  static let members: [Member<Self>] = [Member("runs", \.runs, isAlwaysWritten: true, "How many runs came.")]
  var runs = 0
}
