package import JSON
package import Messages

/// A judgement on a trace: a metric's value, a person's opinion, a judge's verdict.
package struct Assessment: Sendable, Hashable {
  package enum Source: String, Sendable {
    case code = "CODE"
    case human = "HUMAN"
    case judge = "LLM_JUDGE"
  }
  package var name: String
  /// The value as the metric gave it: a number, a boolean, or any other JSON.
  package var value: JSONValue
  package var rationale: String?
  package var source: Source
  /// Why there is no value, where the metric failed.
  package var error: String?
  package var metadata: JSONObject

  package init(
    name: String, value: JSONValue, rationale: String? = nil, source: Source = .code, error: String? = nil,
    metadata: JSONObject = [:]
  ) {
    self.name = name
    self.value = value
    self.rationale = rationale
    self.source = source
    self.error = error
    self.metadata = metadata
  }
}

/// One execution of a program, ended: its spans, what it cost, how it was judged.
package struct Trace: Sendable {
  package var id: TraceID
  package var name: String
  package var experimentID: String?
  /// The run that caused it.
  package var runID: String?
  /// The spans in the order they began; the first is the root.
  package var spans: [Span]
  package var status: TraceStatus
  package var usage: TokenUsage
  /// US dollars, where every call's price is known.
  package var cost: Double?
  package var assessments: [Assessment]
  /// Facts about it that never change (`example`, `row`, `trial` …).
  package var metadata: JSONObject
  /// Whether the execution may be done again under this id, when its run is resumed: what stands then stays, unless it
  /// had failed.
  package var isRepeatable = false

  package init(
    id: TraceID, name: String, experimentID: String? = nil, runID: String? = nil, spans: [Span],
    status: TraceStatus, usage: TokenUsage = TokenUsage(), cost: Double? = nil, assessments: [Assessment] = [],
    metadata: JSONObject = [:]
  ) {
    self.id = id
    self.name = name
    self.experimentID = experimentID
    self.runID = runID
    self.spans = spans
    self.status = status
    self.usage = usage
    self.cost = cost
    self.assessments = assessments
    self.metadata = metadata
  }
}

/// Takes finished traces. Waits, rather than grow, where the taker is behind.
package protocol TraceSink: Sendable {
  func record(_ trace: Trace) async
}
