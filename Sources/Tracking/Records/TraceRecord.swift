import Basics
package import JSON
import Messages
package import Schema
import Traces

/// Everything about a trace but its spans, as it is sent.
package struct TraceRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("traceId", \.traceID, isAlwaysWritten: true, "tr- and 32 hexadecimal digits."),
    Member("name", \.name, isAlwaysWritten: true, "What was executed."),
    Member("experimentId", \.experimentID, "The experiment that it belongs to."),
    Member("runId", \.runID, "The run that it belongs to."),
    Member("status", \.status, isAlwaysWritten: true, "OK, ERROR or IN_PROGRESS."),
    Member("statusMessage", \.statusMessage, "What failed."),
    Member("startTime", \.startTime, isAlwaysWritten: true, "When it began (RFC 3339, UTC)."),
    Member("endTime", \.endTime, isAlwaysWritten: true, "When it ended."),
    Member("startTimeNs", \.startTimeNs, isAlwaysWritten: true, "The same in nanoseconds since 1970."),
    Member("endTimeNs", \.endTimeNs, isAlwaysWritten: true, "The same in nanoseconds since 1970."),
    Member("duration", \.duration, isAlwaysWritten: true, "Seconds from begin to end."),
    Member("spanCount", \.spanCount, isAlwaysWritten: true, "How many spans it has."),
    Member("usage", \.usage, isAlwaysWritten: true, "Tokens of all its calls."),
    Member("cost", \.cost, isAlwaysWritten: true, "US dollars; null where a price is not known."),
    Member("requestPreview", \.requestPreview, isAlwaysWritten: true, "The beginning of what went in."),
    Member("responsePreview", \.responsePreview, isAlwaysWritten: true, "The beginning of what came out."),
    Member("assessments", \.assessments, isAlwaysWritten: true, "What was judged of it."),
    Member("tags", \.tags, isAlwaysWritten: true, as: Schema(.map(Schema(.string))), "Its tags."),
    Member("metadata", \.metadata, isAlwaysWritten: true, "Facts about it, such as phase and row."),
  ]

  /// Tokens of several calls.
  package struct Tokens: ResultObject {
    package static let members: [Member<Self>] = [
      Member("inputTokens", \.inputTokens, isAlwaysWritten: true, "Tokens of the prompts."),
      Member("outputTokens", \.outputTokens, isAlwaysWritten: true, "Tokens of the replies."),
      Member("totalTokens", \.totalTokens, isAlwaysWritten: true, "Both together."),
    ]
    package var inputTokens = 0
    package var outputTokens = 0
    package var totalTokens = 0

    package init() {}

    init(_ usage: TokenUsage) {
      inputTokens = usage.inputTokens
      outputTokens = usage.outputTokens
      totalTokens = usage.totalTokens
    }
  }

  package var traceID = ""
  package var name = ""
  package var experimentID: String?
  package var runID: String?
  package var status = ""
  package var statusMessage: String?
  package var startTime = ""
  package var endTime = ""
  package var startTimeNs = 0
  package var endTimeNs = 0
  package var duration = 0.0
  package var spanCount = 0
  package var usage = Tokens()
  package var cost: Double?
  package var requestPreview: String?
  package var responsePreview: String?
  package var assessments: [AssessmentRecord] = []
  package var tags: JSONObject = [:]
  package var metadata: JSONObject = [:]

  package init() {}

  package init(_ info: TraceInfo) {
    traceID = info.id.description
    name = info.name
    experimentID = info.experimentID
    runID = info.runID
    status = info.status.word
    statusMessage = info.status.message
    startTime = rfc3339(nanoseconds: info.start)
    endTime = rfc3339(nanoseconds: info.end)
    startTimeNs = info.start
    endTimeNs = info.end
    duration = Double(info.end - info.start) / 1e9
    spanCount = info.spanCount
    usage = Tokens(info.usage)
    cost = info.cost
    requestPreview = info.requestPreview
    responsePreview = info.responsePreview
    assessments = info.assessments.map(AssessmentRecord.init)
    tags = info.tags.object
    metadata = info.metadata
  }
}

/// A judgement of a trace, as it is sent.
package struct AssessmentRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("assessmentId", \.assessmentID, isAlwaysWritten: true, "a- and 32 hexadecimal digits."),
    Member("traceId", \.traceID, isAlwaysWritten: true, "The trace."),
    Member("name", \.name, isAlwaysWritten: true, "What is judged."),
    Member("type", \.type, isAlwaysWritten: true, "feedback or expectation."),
    Member("value", \.value, isAlwaysWritten: true, "The judgement."),
    Member("spanId", \.spanID, "The span it is about; the whole trace by default."),
    Member("rationale", \.rationale, "Why."),
    Member("error", \.error, "Why there is no judgement."),
    Member("sourceType", \.sourceType, isAlwaysWritten: true, "Who judges: a person, code or a model."),
    Member("sourceId", \.sourceID, "The person's or the judge's name."),
    Member("createTime", \.createTime, isAlwaysWritten: true, "When it was made (RFC 3339, UTC)."),
    Member("metadata", \.metadata, "Further facts."),
    Member("overrides", \.overrides, "The earlier assessment whose place it takes."),
    Member("valid", \.isValid, isAlwaysWritten: true, "False once another takes its place."),
  ]
  package var assessmentID = ""
  package var traceID = ""
  package var name = ""
  package var type = ""
  package var value = JSONValue.null
  package var spanID: String?
  package var rationale: String?
  package var error: String?
  package var sourceType = ""
  package var sourceID: String?
  package var createTime = ""
  package var metadata: JSONObject = [:]
  package var overrides: String?
  package var isValid = true

  package init() {}

  package init(_ stored: StoredAssessment) {
    assessmentID = stored.id
    traceID = stored.traceID.description
    name = stored.assessment.name
    type = stored.kind == .feedback ? "feedback" : "expectation"
    value = stored.assessment.value
    spanID = stored.spanID?.description
    rationale = stored.assessment.rationale
    error = stored.assessment.error
    sourceType = stored.assessment.source.rawValue
    sourceID = stored.sourceID
    createTime = rfc3339(milliseconds: stored.created)
    metadata = stored.assessment.metadata
    overrides = stored.overrides
    isValid = stored.isValid
  }
}
