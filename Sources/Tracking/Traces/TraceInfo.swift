package import JSON
package import LanguageModels
package import Traces

/// An assessment as it is stored: what it says, where it belongs, whether it still counts.
package struct StoredAssessment: Sendable, Hashable {
  /// What it states: a judgement of what came out, or what should have come out.
  package enum Kind: Int, Sendable {
    case feedback = 0
    case expectation = 1
  }

  /// `a-` and 32 hexadecimal digits.
  package var id: String
  package var traceID: TraceID
  /// The span it is about; nil means the whole trace.
  package var spanID: SpanID?
  package var kind: Kind
  package var assessment: Assessment
  /// Who judged (a person's name, a judge's).
  package var sourceID: String?
  /// Milliseconds since 1970, UTC.
  package var created: Int
  /// When it was last changed.
  package var updated: Int
  /// What MLflow's clients say beyond that (`error_code`, `stack_trace`).
  package var details: JSONObject
  /// The earlier assessment that this one takes the place of.
  package var overrides: String?
  /// False once another overrides it.
  package var isValid: Bool

  package var json: JSONObject {
    var object: JSONObject = [
      "assessmentId": .string(id), "traceId": .string(traceID.description), "name": .string(assessment.name),
      "type": kind == .feedback ? "feedback" : "expectation", "value": assessment.value,
    ]
    if let spanID { object["spanId"] = .string(spanID.description) }
    if let rationale = assessment.rationale { object["rationale"] = .string(rationale) }
    if let error = assessment.error { object["error"] = .string(error) }
    object["sourceType"] = .string(assessment.source.rawValue)
    if let sourceID { object["sourceId"] = .string(sourceID) }
    object["createTime"] = .string(rfc3339(milliseconds: created))
    if !assessment.metadata.isEmpty { object["metadata"] = .object(assessment.metadata) }
    if let overrides { object["overrides"] = .string(overrides) }
    object["valid"] = .bool(isValid)
    return object
  }
}

/// Everything about a trace but its spans.
package struct TraceInfo: Sendable {
  package var id: TraceID
  package var name: String
  package var experimentID: String?
  package var runID: String?
  package var status: TraceStatus
  /// Nanoseconds since 1970, UTC.
  package var start: Int
  package var end: Int
  package var spanCount: Int
  package var usage: TokenUsage
  /// US dollars, where every call's price is known.
  package var cost: Double?
  /// The root's inputs and outputs as JSON text, at most 1000 characters.
  package var requestPreview: String?
  package var responsePreview: String?
  package var assessments: [StoredAssessment]
  package var tags: [KeyValue]
  package var metadata: JSONObject
  /// Whether a client told of the trace as a whole, beside its spans.
  package var isReported: Bool

  /// The `info` of `getTrace`.
  package var json: JSONObject {
    var object: JSONObject = ["traceId": .string(id.description), "name": .string(name)]
    if let experimentID { object["experimentId"] = .string(experimentID) }
    if let runID { object["runId"] = .string(runID) }
    object["status"] = .string(status.word)
    if case .error(let message) = status { object["statusMessage"] = .string(message) }
    object["startTime"] = .string(rfc3339(nanoseconds: start))
    object["endTime"] = .string(rfc3339(nanoseconds: end))
    object["startTimeNs"] = .int(start)
    object["endTimeNs"] = .int(end)
    object["duration"] = .double(Double(end - start) / 1e9)
    object["spanCount"] = .int(spanCount)
    object["usage"] = [
      "inputTokens": .int(usage.inputTokens), "outputTokens": .int(usage.outputTokens),
      "totalTokens": .int(usage.totalTokens),
    ]
    object["cost"] = JSONValue(cost)
    object["requestPreview"] = JSONValue(requestPreview)
    object["responsePreview"] = JSONValue(responsePreview)
    object["assessments"] = .array(assessments.map { .object($0.json) })
    object["tags"] = tags.json
    object["metadata"] = .object(metadata)
    return object
  }
}

extension TraceStatus {
  /// The status in MLflow's words.
  package var word: String {
    switch self {
    case .inProgress: "IN_PROGRESS"
    case .ok: "OK"
    case .error: "ERROR"
    }
  }
}

extension Span {
  /// The span as `getTrace` shows it.
  package var json: JSONObject {
    var object: JSONObject = [
      "id": .string(id.description), "parentId": JSONValue(parent?.description), "name": .string(name),
      "type": .string(kind.rawValue), "startTimeNs": .int(start), "endTimeNs": .int(end),
      "inputs": inputs.json ?? .null, "outputs": outputs.json ?? .null, "attributes": .object(attributes),
      "events": .array(
        events.map { event in
          ["name": .string(event.name), "timeNs": .int(event.time), "attributes": .object(event.attributes)]
        }),
      "status": .string(status.word),
    ]
    if case .error(let message) = status { object["statusMessage"] = .string(message) }
    return object
  }
}

extension Span {
  /// The attributes that a span keeps where it is shown without its body.
  package static let outlineAttributes: Set<String> = ["mlflow.chat.tokenUsage", "cost", "cached", "model"]

  /// The span without its body, as `getTrace` shows it on request.
  package var outlineJSON: JSONObject {
    var object: JSONObject = [
      "id": .string(id.description), "parentId": JSONValue(parent?.description), "name": .string(name),
      "type": .string(kind.rawValue), "startTimeNs": .int(start), "endTimeNs": .int(end),
      "status": .string(status.word),
    ]
    if !attributes.isEmpty { object["attributes"] = .object(attributes) }
    return object
  }
}

/// Traces that could not be stored.
package struct TraceLosses: Sendable, Hashable {
  package var count: Int
  /// Why the last one was lost.
  package var lastError: String?
}
