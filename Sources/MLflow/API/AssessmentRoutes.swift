import Failures
import HTTPResponses
import JSON
import Schema
import Traces
import Tracking

/// Judgements on traces. They are taken for traces that have not come yet, too: a client may well send the score of an
/// example before its exporter has sent the example's trace.
enum AssessmentRoutes {
  static let all: [APIRoute] = [
    .post("/traces/:trace/assessments") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      guard let assessment = call.value("assessment"), assessment.objectValue != nil else {
        throw WebFailure.invalid("Missing value for required parameter 'assessment'.")
      }
      return ["assessment": MLflowAssessment(try await add(read(assessment), to: id, store)).jsonValue]
    },
    .get("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      return ["assessment": MLflowAssessment(try await store.assessment(call.part("assessment"), of: id)).jsonValue]
    },
    .patch("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      let fields = try mask(call)
      let change = try read(call.value("assessment"))
      let given = change.assessment
      let stored = try await store.updateAssessment(call.part("assessment"), of: id) { stored in
        if fields.contains("assessment_name") { stored.assessment.name = given.name }
        if fields.contains("feedback") || fields.contains("expectation") {
          stored.assessment.value = given.value
          stored.assessment.error = given.error
          stored.details = change.details
        }
        if fields.contains("rationale") { stored.assessment.rationale = given.rationale }
        if fields.contains("metadata") {
          stored.assessment.metadata = stored.assessment.metadata.merging(given.metadata)
        }
      }
      return ["assessment": MLflowAssessment(stored).jsonValue]
    },
    .delete("/traces/:trace/assessments/:assessment") { call, store in
      let id = try TraceRoutes.traceID(call.part("trace"))
      try await store.deleteAssessment(call.part("assessment"), of: id)
      return [:]
    },
  ]

  @discardableResult
  static func add(
    _ given: MLflowAssessment, to id: TraceID, _ store: TrackingStore
  ) async throws -> StoredAssessment {
    guard !given.name.isEmpty else {
      throw WebFailure.invalid("Missing value for required parameter 'assessment_name'.")
    }
    guard given.feedback != nil || given.expectation != nil else {
      throw WebFailure.invalid("An assessment must hold feedback or an expectation; Hone keeps no other kind.")
    }
    var span: SpanID?
    if let text = given.spanID.flatMap(RunRoutes.unlessEmpty) {
      span = SpanID(text)
      guard span != nil else { throw WebFailure.invalid("span_id: Expected 16 hexadecimal digits.") }
    }
    return try await store.addAssessment(
      given.assessment, to: id, span: span, kind: given.kind, sourceID: given.source.id,
      overrides: given.overrides.flatMap(RunRoutes.unlessEmpty), created: given.createdTime, details: given.details)
  }

  private struct FieldMask: ForeignRecord {
    static let members: [Member<Self>] = [Member("paths", \.paths)]
    var paths: [String] = []
  }

  /// The fields to change, in snake case: a mask comes as a comma-separated text in camel case, or as a list.
  private static func mask(_ call: APIRequest) throws -> [String] {
    let paths: [String]
    switch call.value("update_mask") {
    case .string(let text)?: paths = text.split(separator: ",").map(\.trimmed)
    case let value?: paths = FieldMask(value).paths
    case nil: paths = call.value("assessment")?.objectValue?.map(\.key) ?? []
    }
    return paths.map { path in
      path.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
  }

  /// An assessment that a client sent.
  private static func read(_ value: JSONValue?) throws -> MLflowAssessment {
    try APIRequest(value?.objectValue ?? [:]).record()
  }
}
