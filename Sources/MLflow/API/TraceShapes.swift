import Basics
import HTTPResponses
import JSON
import Messages
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

  static func text(_ usage: TokenUsage) -> String {
    let text: JSONValue = [
      "input_tokens": .int(usage.inputTokens), "output_tokens": .int(usage.outputTokens),
      "total_tokens": .int(usage.totalTokens),
    ]
    return text.text(.spaced)
  }
}

extension TraceInfo {
  private static func location(_ experiment: String) -> JSONValue {
    ["type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)]]
  }

  /// `trace_info`, version 3.
  var apiJSON: JSONValue {
    var object = JSONObject()
    object.append("trace_id", .string(id.description))
    if let client = metadata[TraceKey.clientRequest]?.stringValue {
      object.append("client_request_id", .string(client))
    }
    object.append("trace_location", Self.location(experimentID ?? "0"))
    object.append("request_time", .string(rfc3339(nanoseconds: start)))
    if status != .inProgress { object.append("execution_duration", .string(Self.seconds(end - start))) }
    object.append("state", .string(status.word))
    object.append("trace_metadata", .object(JSONObject(apiMetadata.map { ($0.key, .string($0.value)) })))
    object.appendUnlessEmpty("assessments", assessments.map(\.apiJSON))
    object.append("tags", .object(JSONObject(apiTags.map { ($0.key, .string($0.value)) })))
    if let requestPreview { object.append("request_preview", .string(requestPreview)) }
    if let responsePreview { object.append("response_preview", .string(responsePreview)) }
    return .object(object)
  }

  /// `trace_info`, version 2.
  var legacyJSON: JSONValue {
    var object: JSONObject = [
      "request_id": .string(id.description), "experiment_id": .string(experimentID ?? "0"),
      "timestamp_ms": .int(start / 1_000_000),
    ]
    if status != .inProgress { object["execution_time_ms"] = .int((end - start) / 1_000_000) }
    object["status"] = .string(status.word)
    object["request_metadata"] = .array(apiMetadata.map(\.apiJSON))
    object["tags"] = .array(apiTags.map(\.apiJSON))
    return .object(object)
  }

  private static func seconds(_ nanoseconds: Int) -> String {
    let milliseconds = max(0, nanoseconds) / 1_000_000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.utf8.count))\(rest)s"
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
    add(TraceKey.cost, cost.flatMap { $0 > 0 ? JSONValue.object(["total_cost": .double($0)]).text(.spaced) : nil })
    if let stats = metadata[TraceKey.sizeStats]?.stringValue {
      add(TraceKey.sizeBytes, (try? JSONReader.read(stats))?["total_size_bytes"]?.intValue.map(String.init))
    } else if spanCount > 0 {
      add(TraceKey.sizeStats, JSONValue.object(["num_spans": .int(spanCount)]).text(.spaced))
    }
    if isReported || status != .inProgress { add(TraceKey.finalized, "true") }
    return pairs
  }
}

extension TraceReport {
  /// Reads a `trace_info`, version 3.
  ///
  /// - Throws: `WebFailure` (400) for one without an id, an experiment or a time.
  init(apiJSON info: JSONValue) throws {
    let request = APIRequest(info.objectValue ?? [:])
    let text = try request.requiredText("trace_id")
    guard let id = TraceID(text) else { throw WebFailure.invalid("A trace's id is tr- and 32 hexadecimal digits.") }
    guard let experiment = info["trace_location"]?["mlflow_experiment"]?["experiment_id"]?.stringValue else {
      throw WebFailure.invalid("trace_location: Expected an MLflow experiment.")
    }
    guard let time = try request.text("request_time"), let start = nanoseconds(rfc3339: time) else {
      throw WebFailure.invalid("request_time: Expected a time such as 2026-11-23T22:47:10.870Z.")
    }
    var duration: Int?
    if let text = try request.text("execution_duration") {
      guard let seconds = Double(text.hasSuffix("s") ? text.dropLast() : text[...]), (0...1e9).contains(seconds) else {
        throw WebFailure.invalid("execution_duration: Expected seconds such as 0.089s.")
      }
      duration = Int((seconds * 1e9).rounded())
    }
    var metadata = JSONObject()
    for pair in try request.pairs("trace_metadata") { metadata[pair.key] = .string(pair.value) }
    let tags = try request.pairs("tags")
    self.init(
      id: id, experimentID: experiment, name: tags.value(of: TraceKey.name),
      status: Self.status(try request.text("state")), start: min(max(0, start), 1 << 62), duration: duration,
      requestPreview: Self.preview(try request.text("request_preview")),
      responsePreview: Self.preview(try request.text("response_preview")),
      tags: tags.filter { ![TraceKey.name, TraceKey.spansLocation, TraceKey.location].contains($0.key) })
    take(metadata)
    if let client = try request.text("client_request_id") { self.metadata[TraceKey.clientRequest] = .string(client) }
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
    if let text = rest[TraceKey.usage]?.stringValue, let object = try? JSONReader.read(text) {
      let known = TokenUsage(
        inputTokens: Self.count(object["input_tokens"]), outputTokens: Self.count(object["output_tokens"]))
      usage = known
      if text == TraceKey.text(known) { rest[TraceKey.usage] = nil }
    }
    if let text = rest[TraceKey.cost]?.stringValue, let object = try? JSONReader.read(text) {
      cost = object["total_cost"]?.doubleValue
    }
    if rest[TraceKey.inputs]?.stringValue == TraceKey.shortened(requestPreview) { rest[TraceKey.inputs] = nil }
    if rest[TraceKey.outputs]?.stringValue == TraceKey.shortened(responsePreview) { rest[TraceKey.outputs] = nil }
    if rest[TraceKey.schema] == "3" { rest[TraceKey.schema] = nil }
    rest[TraceKey.finalized] = nil
    if let stats = rest[TraceKey.sizeStats]?.stringValue,
      (try? JSONReader.read(stats))?["total_size_bytes"]?.text() == rest[TraceKey.sizeBytes]?.stringValue
    {
      rest[TraceKey.sizeBytes] = nil
    }
    metadata = rest
  }

  /// A count that others can be added to.
  private static func count(_ value: JSONValue?) -> Int { min(max(0, value?.intValue ?? 0), 1 << 40) }
}
