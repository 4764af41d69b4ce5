package import Basics
package import JSON
package import Traces

/// How a run stands.
package enum RunStatus: String, Sendable, CaseIterable {
  case running = "RUNNING"
  case scheduled = "SCHEDULED"
  case finished = "FINISHED"
  case failed = "FAILED"
  case killed = "KILLED"

  /// Whether nothing more will come from the run.
  package var isFinal: Bool { self == .finished || self == .failed || self == .killed }
}

/// What a run is made from.
package struct NewRun: Sendable {
  /// 32 lowercase hexadecimal digits; made at random if nil.
  package var id: String?
  package var experimentID: String
  /// An adjective, a noun and a number if nil.
  package var name: String?
  package var parentID: String?
  /// Whether there has to be a run of that id.
  package var needsParent = true
  /// Milliseconds since 1970, UTC; now if nil.
  package var startTime: Int?
  package var user: String?
  /// What started it (a file, a command), and its kind in MLflow's words (`LOCAL` …).
  package var sourceName: String?
  package var sourceType: String?
  package var tags: [KeyValue]

  package init(
    id: String? = nil, experimentID: String = "0", name: String? = nil, parentID: String? = nil, startTime: Int? = nil,
    user: String? = nil, sourceName: String? = nil, sourceType: String? = nil, tags: [KeyValue] = []
  ) {
    self.id = id
    self.experimentID = experimentID
    self.name = name
    self.parentID = parentID
    self.startTime = startTime
    self.user = user
    self.sourceName = sourceName
    self.sourceType = sourceType
    self.tags = tags
  }
}

/// The facts of a run itself.
package struct RunInfo: Sendable, Hashable {
  package var id: String
  package var experimentID: String
  package var parentID: String?
  package var name: String
  package var status: RunStatus
  /// Milliseconds since 1970, UTC.
  package var startTime: Int
  package var endTime: Int?
  package var user: String
  package var lifecycle: Lifecycle

  /// Where its artifacts are, as a URI.
  package var artifactURI: String { "mlflow-artifacts:/\(experimentID)/\(id)/artifacts" }
}

/// One value of a metric. The value may be NaN or infinite.
package struct MetricPoint: Sendable, Hashable {
  package var key: String
  package var value: Double
  package var step: Int
  /// Milliseconds since 1970, UTC.
  package var timestamp: Int

  package init(_ key: String, _ value: Double, step: Int = 0, timestamp: Int? = nil) {
    self.key = key
    self.value = value
    self.step = step
    self.timestamp = timestamp ?? nowInMilliseconds()
  }
}

/// Data that a run used: which, by name and digest, and what for.
package struct DatasetInput: Sendable, Hashable {
  package var name: String
  package var digest: String
  package var sourceType: String
  /// Where it comes from, as JSON text.
  package var source: String
  /// Its columns and its size, as JSON text.
  package var schema: String?
  package var profile: String?
  /// What the run used it for (`training`, `validation` …).
  package var context: String
  /// What else was said of the use.
  package var tags: [KeyValue]

  package init(
    name: String, digest: String, sourceType: String = "local", source: String = "{}", schema: String? = nil,
    profile: String? = nil, context: String = "", tags: [KeyValue] = []
  ) {
    self.name = name
    self.digest = digest
    self.sourceType = sourceType
    self.source = source
    self.schema = schema
    self.profile = profile
    self.context = context
    self.tags = tags
  }
}

/// A logged model that came of a run.
package struct ModelOutput: Sendable, Hashable {
  package var modelID: String
  package var step: Int

  package init(modelID: String, step: Int = 0) {
    self.modelID = modelID
    self.step = step
  }
}

/// A run with everything small that belongs to it.
package struct Run: Sendable, Hashable {
  package var info: RunInfo
  /// In the order of their keys.
  package var params: [KeyValue]
  /// The latest value of each metric: of the highest step, then timestamp, then value; by key.
  package var metrics: [MetricPoint]
  package var tags: [KeyValue]
  package var inputs: [DatasetInput]
  /// The logged models that came of it.
  package var outputs: [ModelOutput]

  package var id: String { info.id }

  /// The latest value of a metric.
  package func metric(_ key: String) -> Double? { metrics.first { $0.key == key }?.value }
}

/// How one example of an evaluation came out.
package struct EvaluationRow: Sendable, Hashable {
  /// The example's place in the devset, from 0.
  package var index: Int
  package var score: Double?
  package var failed: Bool
  /// The failure's kind and message, where it failed.
  package var errorKind: String?
  package var errorMessage: String?
  package var traceID: TraceID?
  /// The example's content, so that rows of two runs can be paired.
  package var exampleDigest: ContentDigest?
  /// The score as the metric gave it; nil where that is the number, and where nothing is known of it.
  package var raw: JSONValue?
  /// What the program answered; nil where that is not known.
  package var outputs: JSONObject?
  /// What the metric said beside the score.
  package var feedback: String?

  package init(
    index: Int, score: Double?, failed: Bool = false, errorKind: String? = nil, errorMessage: String? = nil,
    traceID: TraceID? = nil, exampleDigest: ContentDigest? = nil, raw: JSONValue? = nil, outputs: JSONObject? = nil,
    feedback: String? = nil
  ) {
    self.index = index
    self.score = score
    self.failed = failed
    self.errorKind = errorKind
    self.errorMessage = errorMessage
    self.traceID = traceID
    self.exampleDigest = exampleDigest
    self.raw = raw
    self.outputs = outputs
    self.feedback = feedback
  }
}
