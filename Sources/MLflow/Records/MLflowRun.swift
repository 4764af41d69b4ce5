import JSON
import Schema
import Tracking

/// An experiment in the form of MLflow's REST API.
struct MLflowExperiment: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("experiment_id", \.id), Member("name", \.name), Member("artifact_location", \.artifactLocation),
    Member("lifecycle_stage", \.lifecycleStage), Member("last_update_time", \.updated),
    Member("creation_time", \.created), Member("tags", \.tags), Member("workspace", \.workspace),
  ]
  var id: String?
  var name: String?
  var artifactLocation: String?
  var lifecycleStage: String?
  /// Milliseconds since 1970.
  var updated: WideNumber?
  var created: WideNumber?
  var tags = PairList()
  var workspace: String?

  init() {}

  init(_ experiment: Experiment) {
    id = experiment.id
    name = experiment.name
    artifactLocation = experiment.artifactLocation
    lifecycleStage = experiment.lifecycle.rawValue
    updated = WideNumber(experiment.updated)
    created = WideNumber(experiment.created)
    tags = PairList(experiment.tags)
    workspace = "default"
  }
}

/// A run in the form of MLflow's REST API.
struct MLflowRun: ForeignRecord {
  static let members: [Member<Self>] = [Member("info", \.info), Member("data", \.data)]
  var info = Info()
  var data = Data()

  struct Info: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("run_uuid", \.uuid), Member("experiment_id", \.experimentID), Member("run_name", \.name),
      Member("user_id", \.user), Member("status", \.status), Member("start_time", \.start), Member("end_time", \.end),
      Member("artifact_uri", \.artifactURI), Member("lifecycle_stage", \.lifecycleStage), Member("run_id", \.id),
    ]
    /// The id again, under its former name.
    var uuid: String?
    var experimentID: String?
    var name: String?
    var user: String?
    var status: String?
    /// Milliseconds since 1970.
    var start: WideNumber?
    var end: WideNumber?
    var artifactURI: String?
    var lifecycleStage: String?
    var id: String?

    init() {}

    init(_ run: RunInfo) {
      uuid = run.id
      experimentID = run.experimentID
      name = run.name
      user = run.user
      status = run.status.rawValue
      start = WideNumber(run.startTime)
      end = run.endTime.map { WideNumber($0) }
      artifactURI = run.artifactURI
      lifecycleStage = run.lifecycle.rawValue
      id = run.id
    }

    /// Where its artifacts lie behind the server's proxy; nil where only its own clients reach them.
    var artifactPath: String? {
      let scheme = "mlflow-artifacts:/"
      guard let artifactURI, artifactURI.hasPrefix(scheme) else { return nil }
      return String(artifactURI.dropFirst(scheme.count).drop { $0 == "/" })
    }
  }

  struct Data: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("metrics", \.metrics), Member("params", \.params), Member("tags", \.tags),
    ]
    var metrics: [MLflowPoint] = []
    var params = PairList()
    var tags = PairList()
  }
}

/// A metric's point in the form of MLflow's REST API.
struct MLflowPoint: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("key", \.key), Member("value", \.value, isAlwaysWritten: true), Member("timestamp", \.timestamp),
    Member("step", \.step), Member("run_id", \.runID), Member("model_id", \.modelID),
  ]
  var key: String?
  /// A number; NaN and infinities as text.
  var value = JSONValue.null
  /// Milliseconds since 1970.
  var timestamp: WideNumber = 0
  var step: WideNumber = 0
  /// The run that measured it, and the model that it is about, where that is said.
  var runID: String?
  var modelID: String?

  init() {}

  init(_ point: MetricPoint, run: String? = nil, model: String? = nil) {
    key = point.key
    value = JSONValue(numberOrText: point.value)
    timestamp = WideNumber(point.timestamp)
    step = WideNumber(point.step)
    runID = run
    modelID = model
  }

  /// The point; nil for one without a name or a number.
  var point: MetricPoint? {
    guard let key, let value = value.numberFromText else { return nil }
    return MetricPoint(key, value, step: step.value, timestamp: timestamp.value)
  }
}

/// A data set that a run used, in the form of MLflow's REST API.
struct MLflowDatasetInput: ForeignRecord {
  static let members: [Member<Self>] = [Member("tags", \.tags), Member("dataset", \.dataset)]
  var tags = PairList()
  var dataset = Dataset()

  /// By which MLflow knows what a data set was used for.
  static let contextTag = "mlflow.data.context"

  struct Dataset: ForeignRecord {
    static let members: [Member<Self>] = [
      Member("name", \.name), Member("digest", \.digest), Member("source_type", \.sourceType),
      Member("source", \.source), Member("schema", \.schema), Member("profile", \.profile),
    ]
    var name = ""
    var digest = ""
    var sourceType = ""
    var source = ""
    var schema: String?
    var profile: String?
  }

  init() {}

  init(_ input: DatasetInput) {
    tags = PairList(input.tags + (input.context.isEmpty ? [] : [KeyValue(Self.contextTag, input.context)]))
    dataset.name = input.name
    dataset.digest = input.digest
    dataset.sourceType = input.sourceType
    dataset.source = input.source
    dataset.schema = input.schema
    dataset.profile = input.profile
  }
}

/// A file or a directory in the form of MLflow's REST API.
struct MLflowFile: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("path", \.path), Member("is_dir", \.isDirectory), Member("file_size", \.size),
  ]
  var path = ""
  var isDirectory = false
  /// Bytes.
  var size: WideNumber?

  init() {}

  /// - Parameter path: the entry's path from the directory that was asked for, or from the root.
  init(_ entry: ArtifactEntry, path: String) {
    self.path = path
    isDirectory = entry.isDirectory
    size = entry.size.map { WideNumber($0) }
  }
}
