package import JSON
package import Messages
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

  package init(
    id: String, traceID: TraceID, spanID: SpanID? = nil, kind: Kind, assessment: Assessment, sourceID: String? = nil,
    created: Int, updated: Int, details: JSONObject = [:], overrides: String? = nil, isValid: Bool = true
  ) {
    self.id = id
    self.traceID = traceID
    self.spanID = spanID
    self.kind = kind
    self.assessment = assessment
    self.sourceID = sourceID
    self.created = created
    self.updated = updated
    self.details = details
    self.overrides = overrides
    self.isValid = isValid
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

  /// What failed, if anything.
  package var message: String? { if case .error(let message) = self { message } else { nil } }
}

extension Span {
  /// The attributes that a span keeps where it is shown without its body.
  package static let outlineAttributes: Set<String> = ["mlflow.chat.tokenUsage", "cost", "cached", "model"]
}

/// Traces that could not be stored.
package struct TraceLosses: Sendable, Hashable {
  package var count: Int
  /// Why the last one was lost.
  package var lastError: String?
}
