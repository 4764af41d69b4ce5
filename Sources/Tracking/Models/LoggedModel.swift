import Basics

/// A model that a client logged: a name, what is known of it, and a place for its files.
package struct LoggedModel: Sendable, Hashable {
  /// How far its making is.
  package enum Status: String, Sendable, CaseIterable {
    case pending = "LOGGED_MODEL_PENDING"
    case ready = "LOGGED_MODEL_READY"
    case failed = "LOGGED_MODEL_UPLOAD_FAILED"
  }

  /// `m-` and 32 hexadecimal digits.
  package var id: String
  package var experimentID: String
  package var name: String
  package var type: String
  package var status: Status
  /// The run that made it.
  package var runID: String?
  /// Milliseconds since 1970, UTC.
  package var created: Int
  package var updated: Int
  package var params: [KeyValue]
  package var tags: [KeyValue]
  /// The latest value of each metric, and the run that measured it.
  package var metrics: [(metric: MetricPoint, runID: String)]

  package var artifactURI: String { "mlflow-artifacts:/\(experimentID)/models/\(id)/artifacts" }

  package static func == (a: LoggedModel, b: LoggedModel) -> Bool { a.id == b.id && a.updated == b.updated }
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// Whether the text has the form of a logged model's id.
package func isModelID(_ text: String) -> Bool { text.hasPrefix("m-") && isRunID(String(text.dropFirst(2))) }
