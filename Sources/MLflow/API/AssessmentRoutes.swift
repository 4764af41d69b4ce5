import Basics
import Failures
import HTTPResponses
import JSON
import Traces
import Tracking

/// Judgements on traces. They are taken for traces that have not come yet, too: a client may well send the score of an
/// example before its exporter has sent the example's trace.
enum AssessmentRoutes {
  static let all: [APIRoute] = [
    .post("/traces/:trace/assessments") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      guard let assessment = call.object["assessment"], assessment.objectValue != nil else {
        throw WebFailure.invalid("Missing value for required parameter 'assessment'.")
      }
      return ["assessment": try await add(assessment, to: id, store).apiJSON]
    },
    .get("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      return ["assessment": try await store.assessment(call.part("assessment"), of: id).apiJSON]
    },
    .patch("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      let fields = try mask(call)
      let given = try Reading(call.object["assessment"] ?? [:], needsValue: false)
      let stored = try await store.updateAssessment(call.part("assessment"), of: id) { stored in
        if fields.contains("assessment_name") { stored.assessment.name = given.assessment.name }
        if fields.contains("feedback") || fields.contains("expectation") {
          stored.assessment.value = given.assessment.value
          stored.assessment.error = given.assessment.error
          stored.details = given.details
        }
        if fields.contains("rationale") { stored.assessment.rationale = given.assessment.rationale }
        if fields.contains("metadata") {
          stored.assessment.metadata = stored.assessment.metadata.merging(given.assessment.metadata)
        }
      }
      return ["assessment": stored.apiJSON]
    },
    .delete("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      try await store.deleteAssessment(call.part("assessment"), of: id)
      return [:]
    },
  ]

  @discardableResult
  static func add(_ value: JSONValue, to id: TraceID, _ store: TrackingStore) async throws -> StoredAssessment {
    let given = try Reading(value, needsValue: true)
    return try await store.addAssessment(
      given.assessment, to: id, span: given.span, kind: given.kind, sourceID: given.sourceID,
      overrides: given.overrides, created: given.created, details: given.details)
  }

  /// The fields to change, in snake case: a mask comes as a comma-separated text in camel case, or as a list.
  private static func mask(_ call: APIRequest) throws -> [String] {
    let paths: [String]
    switch call.object["update_mask"] {
    case .string(let text)?: paths = text.split(separator: ",").map(\.trimmed)
    case let value?: paths = (value["paths"]?.arrayValue ?? []).compactMap(\.stringValue)
    case nil: paths = call.object["assessment"]?.objectValue?.map(\.key) ?? []
    }
    return paths.map { path in
      path.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
  }

  /// An assessment as the API has it.
  private struct Reading {
    var assessment: Assessment
    var kind = StoredAssessment.Kind.feedback
    var span: SpanID?
    var sourceID: String?
    var overrides: String?
    var created: Int?
    var details: JSONObject = [:]

    init(_ value: JSONValue, needsValue: Bool) throws {
      let fields = APIRequest(value.objectValue ?? [:])
      let name = needsValue ? try fields.requiredText("assessment_name") : try fields.text("assessment_name") ?? ""
      let source: Assessment.Source =
        switch value["source"]?["source_type"]?.stringValue {
        case "HUMAN"?: .human
        case "LLM_JUDGE"?, "AI_JUDGE"?: .judge
        default: .code
        }
      assessment = Assessment(name: name, value: .null, rationale: try fields.text("rationale"), source: source)
      sourceID = value["source"]?["source_id"]?.stringValue
      for pair in try fields.pairs("metadata") { assessment.metadata[pair.key] = .string(pair.value) }
      overrides = try fields.text("overrides").flatMap(RunRoutes.unlessEmpty)
      created = try fields.text("create_time").flatMap { nanoseconds(rfc3339: $0) }.map { $0 / 1_000_000 }
      if let text = try fields.text("span_id").flatMap(RunRoutes.unlessEmpty) {
        guard let id = SpanID(text) else { throw WebFailure.invalid("span_id: Expected 16 hexadecimal digits.") }
        span = id
      }
      if let feedback = value["feedback"] {
        assessment.value = feedback["value"] ?? .null
        read(error: feedback["error"] ?? value["error"])
      } else if let expectation = value["expectation"] {
        kind = .expectation
        assessment.value = expectation["value"] ?? .null
        if let serialized = expectation["serialized_value"]?["value"]?.stringValue {
          assessment.value = (try? JSONReader.read(serialized)) ?? .string(serialized)
          details["serialized"] = true
        }
      } else if needsValue {
        throw WebFailure.invalid("An assessment holds feedback or an expectation; Hone keeps no other kind.")
      }
    }

    private mutating func read(error: JSONValue?) {
      guard let error, error.objectValue != nil else { return }
      assessment.error = error["error_message"]?.stringValue ?? error["error_code"]?.stringValue ?? ""
      for key in ["error_code", "stack_trace"] { if let text = error[key] { details[key] = text } }
    }
  }
}

extension StoredAssessment {
  var apiJSON: JSONValue {
    var object: JSONObject = [
      "assessment_id": .string(id), "assessment_name": .string(assessment.name),
      "trace_id": .string(traceID.description),
    ]
    if let spanID { object["span_id"] = .string(spanID.description) }
    object["source"] = [
      "source_type": .string(assessment.source.rawValue), "source_id": .string(sourceID ?? "default"),
    ]
    object["create_time"] = .string(rfc3339(milliseconds: created))
    object["last_update_time"] = .string(rfc3339(milliseconds: updated))
    switch kind {
    case .feedback:
      var feedback: JSONObject = ["value": assessment.value]
      if let message = assessment.error {
        var error: JSONObject = [:]
        if let code = details["error_code"] { error["error_code"] = code }
        error["error_message"] = .string(message)
        if let stack = details["stack_trace"] { error["stack_trace"] = stack }
        feedback["error"] = .object(error)
      }
      object["feedback"] = .object(feedback)
    case .expectation:
      object["expectation"] =
        details["serialized"] == true
        ? ["serialized_value": ["serialization_format": "JSON_FORMAT", "value": .string(assessment.value.text())]]
        : ["value": assessment.value]
    }
    if let rationale = assessment.rationale { object["rationale"] = .string(rationale) }
    if !assessment.metadata.isEmpty {
      object["metadata"] = .object(
        JSONObject(assessment.metadata.map { ($0.key, .string($0.value.stringValue ?? $0.value.text())) }))
    }
    if let overrides { object["overrides"] = .string(overrides) }
    object["valid"] = .bool(isValid)
    return .object(object)
  }
}
