import Basics
import HTTPResponses
import JSON
import Messages
import OpenTelemetry
import Schema
import Traces
import Tracking

/// The tags and metadata by which MLflow knows a trace's facts. What the store keeps in columns is taken out when a trace
/// comes, and put back when it is shown.
enum TraceKey {
  static let name = "mlflow.traceName"
  static let location = "mlflow.artifactLocation"
  static let spansLocation = "mlflow.trace.spansLocation"
  static let run = "mlflow.sourceRun"
  static let usage = "mlflow.trace.tokenUsage"
  static let cost = "mlflow.trace.cost"
  static let inputs = "mlflow.traceInputs"
  static let outputs = "mlflow.traceOutputs"
  static let schema = "mlflow.trace_schema.version"
  static let finalized = "mlflow.trace.infoFinalized"
  static let sizeBytes = "mlflow.trace.sizeBytes"
  static let sizeStats = "mlflow.trace.sizeStats"
  /// Not MLflow's: where the store keeps the id that a client gave.
  static let clientRequest = "client_request_id"

  /// A preview as MLflow's client shortens it.
  static func shortened(_ preview: String?) -> String? {
    guard let preview else { return nil }
    return preview.count > 250 ? preview.prefix(247) + "..." : preview
  }

  static func text(_ usage: TokenUsage) -> String { TokenCounts(usage).jsonValue.text(.spaced) }
}

extension TokenCounts {
  init(_ usage: TokenUsage) {
    self.init()
    inputTokens = usage.inputTokens
    outputTokens = usage.outputTokens
    totalTokens = usage.totalTokens
  }
}

/// What MLflow's client keeps in a trace's metadata as JSON text.
private struct TraceFigures: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("total_cost", \.totalCost), Member("total_size_bytes", \.totalSizeBytes), Member("num_spans", \.spanCount),
  ]
  var totalCost: Double?
  var totalSizeBytes: Int?
  var spanCount: Int?
}

extension TraceInfo {
  /// `trace_info`, version 3.
  var apiJSON: JSONValue {
    var info = MLflowTraceInfo()
    info.id = id.description
    info.clientRequestID = metadata[TraceKey.clientRequest]?.stringValue
    info.location = MLflowTraceInfo.Location(experiment: experimentID ?? "0")
    info.requestTime = rfc3339(nanoseconds: start)
    if status != .inProgress { info.executionDuration = MLflowTraceInfo.seconds(end - start) }
    info.state = status.word
    info.metadata = PairObject(apiMetadata)
    info.assessments = assessments.map { MLflowAssessment($0) }
    info.tags = PairObject(apiTags)
    info.requestPreview = requestPreview
    info.responsePreview = responsePreview
    return info.jsonValue
  }

  /// `trace_info`, version 2.
  var legacyJSON: JSONValue {
    var object: JSONObject = [
      "request_id": .string(id.description), "experiment_id": .string(experimentID ?? "0"),
      "timestamp_ms": .int(start / 1_000_000),
    ]
    if status != .inProgress { object.append("execution_time_ms", .int((end - start) / 1_000_000)) }
    object.append("status", .string(status.word))
    object.append("request_metadata", PairList(apiMetadata).jsonValue)
    object.append("tags", PairList(apiTags).jsonValue)
    return .object(object)
  }

  private var apiTags: [KeyValue] {
    let own = [
      KeyValue(
        TraceKey.location, "mlflow-artifacts:/\(experimentID ?? "0")/traces/\(id)/artifacts"),
      // Without this tag clients upload every trace a second time, as a file.
      KeyValue(TraceKey.spansLocation, "TRACKING_STORE"), KeyValue(TraceKey.name, name),
    ]
    return own + tags.filter { tag in !own.contains { $0.key == tag.key } }
  }

  private var apiMetadata: [KeyValue] {
    var pairs: [KeyValue] = []
    for (key, value) in metadata where key != TraceKey.clientRequest {
      pairs.append(KeyValue(key, value.stringValue ?? value.text()))
    }
    func add(_ key: String, _ value: @autoclosure () -> String?) {
      if metadata[key] == nil, let value = value() { pairs.append(KeyValue(key, value)) }
    }
    add(TraceKey.schema, "3")
    add(TraceKey.run, runID)
    add(TraceKey.inputs, TraceKey.shortened(requestPreview))
    add(TraceKey.outputs, TraceKey.shortened(responsePreview))
    add(TraceKey.usage, usage.totalTokens > 0 ? TraceKey.text(usage) : nil)
    add(TraceKey.cost, cost.flatMap { $0 > 0 ? TraceFigures(totalCost: $0).jsonValue.text(.spaced) : nil })
    if let stats = metadata[TraceKey.sizeStats]?.stringValue {
      add(TraceKey.sizeBytes, TraceFigures(text: stats).totalSizeBytes.map(String.init))
    } else if spanCount > 0 {
      add(TraceKey.sizeStats, TraceFigures(spanCount: spanCount).jsonValue.text(.spaced))
    }
    if isReported || status != .inProgress { add(TraceKey.finalized, "true") }
    return pairs
  }
}

extension TraceReport {
  /// Reads a `trace_info`, version 3.
  ///
  /// - Throws: `WebFailure` (400) for one without an id, an experiment or a time.
  init(_ info: MLflowTraceInfo) throws {
    guard let text = info.id, !text.isEmpty else {
      throw WebFailure.invalid("Missing value for required parameter 'trace_id'.")
    }
    guard let id = TraceID(text) else { throw WebFailure.invalid("A trace's id is tr- and 32 hexadecimal digits.") }
    guard let experiment = info.location.experiment.id else {
      throw WebFailure.invalid("trace_location: Expected an MLflow experiment.")
    }
    guard let start = info.requestTime.flatMap({ nanoseconds(rfc3339: $0) }) else {
      throw WebFailure.invalid("request_time: Expected a time such as 2026-11-23T22:47:10.870Z.")
    }
    var duration: Int?
    if let text = info.executionDuration {
      guard let seconds = Double(text.hasSuffix("s") ? text.dropLast() : text[...]), (0...1e9).contains(seconds) else {
        throw WebFailure.invalid("execution_duration: Expected seconds such as 0.089s.")
      }
      duration = Int((seconds * 1e9).rounded())
    }
    let tags = info.tags.pairs
    self.init(
      id: id, experimentID: experiment, name: tags.value(of: TraceKey.name), status: Self.status(info.state),
      start: min(max(0, start), 1 << 62), duration: duration, requestPreview: Self.preview(info.requestPreview),
      responsePreview: Self.preview(info.responsePreview),
      tags: tags.filter { ![TraceKey.name, TraceKey.spansLocation, TraceKey.location].contains($0.key) })
    take(info.metadata.object)
    if let client = info.clientRequestID { metadata[TraceKey.clientRequest] = .string(client) }
  }

  static func status(_ word: String?) -> TraceStatus {
    switch word {
    case "OK"?: .ok
    case "ERROR"?: .error("")
    default: .inProgress
    }
  }

  private static func preview(_ text: String?) -> String? {
    text.map { $0.count > 1000 ? String($0.prefix(1000)) : $0 }
  }

  /// Takes metadata over, except for what can be told from the rest.
  mutating func take(_ given: JSONObject) {
    var rest = given
    if let run = rest[TraceKey.run]?.stringValue {
      runID = run
      rest[TraceKey.run] = nil
    }
    if let text = rest[TraceKey.usage]?.stringValue, let json = try? JSONReader.read(text) {
      let known = TokenUsage(TokenCounts(json))
      usage = known
      if text == TraceKey.text(known) { rest[TraceKey.usage] = nil }
    }
    if let text = rest[TraceKey.cost]?.stringValue { cost = TraceFigures(text: text).totalCost ?? cost }
    if rest[TraceKey.inputs]?.stringValue == TraceKey.shortened(requestPreview) { rest[TraceKey.inputs] = nil }
    if rest[TraceKey.outputs]?.stringValue == TraceKey.shortened(responsePreview) { rest[TraceKey.outputs] = nil }
    if rest[TraceKey.schema] == "3" { rest[TraceKey.schema] = nil }
    rest[TraceKey.finalized] = nil
    if let stats = rest[TraceKey.sizeStats]?.stringValue,
      TraceFigures(text: stats).totalSizeBytes.map(String.init) == rest[TraceKey.sizeBytes]?.stringValue
    {
      rest[TraceKey.sizeBytes] = nil
    }
    metadata = rest
  }
}

extension TokenUsage {
  init(_ counts: TokenCounts) {
    self.init(inputTokens: Self.count(counts.inputTokens), outputTokens: Self.count(counts.outputTokens))
  }

  /// A count that others can be added to.
  private static func count(_ number: Int?) -> Int { min(max(0, number ?? 0), 1 << 40) }
}

extension TraceFigures {
  /// From JSON text; nothing of what is something else.
  fileprivate init(text: String) { self.init(try? JSONReader.read(text)) }
}
