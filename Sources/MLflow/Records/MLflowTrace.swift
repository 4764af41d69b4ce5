import Basics
import JSON
import Schema
import Traces
import Tracking

/// A trace in the form of MLflow's REST API, version 3.
struct MLflowTrace: ForeignRecord {
  static let members: [Member<Self>] = [Member("trace_info", \.info), Member("spans", \.spans)]
  var info = MLflowTraceInfo()
  var spans: [MLflowSpan] = []
}

/// What is known of a trace as a whole: `trace_info`.
struct MLflowTraceInfo: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("trace_id", \.id), Member("client_request_id", \.clientRequestID),
    Member("trace_location", \.location), Member("request_time", \.requestTime),
    Member("execution_duration", \.executionDuration), Member("state", \.state),
    Member("trace_metadata", \.metadata, isAlwaysWritten: true), Member("assessments", \.assessments),
    Member("tags", \.tags, isAlwaysWritten: true), Member("request_preview", \.requestPreview),
    Member("response_preview", \.responsePreview),
  ]
  var id: String?
  var clientRequestID: String?
  var location = Location()
  /// RFC 3339.
  var requestTime: String?
  /// Seconds, as `0.089s`.
  var executionDuration: String?
  var state: String?
  var metadata = PairObject([])
  var assessments: [MLflowAssessment] = []
  var tags = PairObject([])
  var requestPreview: String?
  var responsePreview: String?

  struct Location: ForeignRecord {
    static let members: [Member<Self>] = [Member("type", \.type), Member("mlflow_experiment", \.experiment)]
    var type: String?
    var experiment = Experiment()

    init() {}

    init(experiment id: String) {
      type = "MLFLOW_EXPERIMENT"
      experiment.id = id
    }
  }

  struct Experiment: ForeignRecord {
    static let members: [Member<Self>] = [Member("experiment_id", \.id)]
    var id: String?
  }

  /// A duration as it is written.
  static func seconds(_ nanoseconds: Int) -> String {
    let milliseconds = max(0, nanoseconds) / 1_000_000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)s"
  }
}

/// A judgement of a trace in the form of MLflow's REST API.
struct MLflowAssessment: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("assessment_id", \.id), Member("assessment_name", \.name), Member("trace_id", \.traceID),
    Member("span_id", \.spanID), Member("source", \.source), Member("create_time", \.created),
    Member("last_update_time", \.updated), Member("feedback", \.feedback), Member("expectation", \.expectation),
    Member("error", \.error), Member("rationale", \.rationale), Member("metadata", \.metadata),
    Member("overrides", \.overrides), Member("valid", \.isValid),
  ]
  var id: String?
  var name = ""
  var traceID: String?
  var spanID: String?
  var source = Source()
  /// RFC 3339.
  var created: String?
  var updated: String?
  var feedback: Feedback?
  var expectation: Expectation?
  /// Where earlier versions put the error of a feedback.
  var error: Failure?
  var rationale: String?
  var metadata = PairObject([])
  /// The id of an earlier one that it takes the place of.
  var overrides: String?
  var isValid: Bool?

  struct Source: ForeignRecord {
    static let members: [Member<Self>] = [Member("source_type", \.type), Member("source_id", \.id)]
    var type: String?
    var id: String?

    init() {}
  }

  struct Feedback: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("value", \.value, isAlwaysWritten: true), Member("error", \.error),
    ]
    var value = JSONValue.null
    var error: Failure?
  }

  struct Failure: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("error_code", \.code), Member("error_message", \.message), Member("stack_trace", \.stackTrace),
    ]
    var code: String?
    var message: String?
    var stackTrace: String?
  }

  struct Expectation: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("value", \.value, isAlwaysWritten: true), Member("serialized_value", \.serialized),
    ]
    var value = JSONValue.null
    var serialized: Serialized?

    /// One of the two.
    var jsonValue: JSONValue {
      if let serialized { ["serialized_value": serialized.jsonValue] } else { ["value": value] }
    }
  }

  /// A value that MLflow's protobuf cannot hold as it is.
  struct Serialized: ForeignRecord {
    static let members: [Member<Self>] = [Member("serialization_format", \.format), Member("value", \.value)]
    var format: String?
    var value: String?
  }

  init() {}

  init(_ stored: StoredAssessment) {
    let said = stored.assessment
    id = stored.id
    name = said.name
    traceID = stored.traceID.description
    spanID = stored.spanID?.description
    source.type = said.source.rawValue
    source.id = stored.sourceID ?? "default"
    created = rfc3339(milliseconds: stored.created)
    updated = rfc3339(milliseconds: stored.updated)
    let details = Details(.object(stored.details))
    switch stored.kind {
    case .feedback:
      var given = Feedback()
      given.value = said.value
      given.error = said.error.map { Failure(code: details.errorCode, message: $0, stackTrace: details.stackTrace) }
      feedback = given
    case .expectation:
      var given = Expectation()
      given.value = said.value
      if details.isSerialized { given.serialized = Serialized(format: "JSON_FORMAT", value: said.value.text()) }
      expectation = given
    }
    rationale = said.rationale
    metadata = PairObject(said.metadata)
    overrides = stored.overrides
    isValid = stored.isValid
  }

  /// What it states: feedback, else an expectation.
  var kind: StoredAssessment.Kind { feedback == nil && expectation != nil ? .expectation : .feedback }

  var assessment: Assessment {
    var value = JSONValue.null
    switch kind {
    case .feedback: value = feedback?.value ?? .null
    case .expectation:
      value = expectation?.value ?? .null
      if let text = expectation?.serialized?.value { value = (try? JSONReader.read(text)) ?? .string(text) }
    }
    let by: Assessment.Source =
      switch source.type {
      case "HUMAN"?: .human
      case "LLM_JUDGE"?, "AI_JUDGE"?: .judge
      default: .code
      }
    return Assessment(
      name: name, value: value, rationale: rationale, source: by,
      error: failure.map { $0.message ?? $0.code ?? "" }, metadata: metadata.object)
  }

  private var failure: Failure? { kind == .feedback ? feedback?.error ?? error : nil }

  /// What the store keeps of it beside the assessment.
  var details: JSONObject {
    var details = Details()
    details.errorCode = failure?.code
    details.stackTrace = failure?.stackTrace
    details.isSerialized = kind == .expectation && expectation?.serialized?.value != nil
    return details.jsonObject
  }

  /// Milliseconds since 1970.
  var createdTime: Int? { created.flatMap { nanoseconds(rfc3339: $0) }.map { $0 / 1_000_000 } }

  private struct Details: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("error_code", \.errorCode), Member("stack_trace", \.stackTrace), Member("serialized", \.serialized),
    ]
    var errorCode: String?
    var stackTrace: String?
    private var serialized: Bool?
    var isSerialized: Bool {
      get { serialized == true }
      set { serialized = newValue ? true : nil }
    }

    init() {}
  }
}
