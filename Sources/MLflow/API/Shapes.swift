import JSON
import Tracking

/// Records as MLflow's API shows them. Lists without an element are left out.
extension JSONObject {
  mutating func appendUnlessEmpty(_ key: String, _ elements: [JSONValue]) {
    if !elements.isEmpty { append(key, .array(elements)) }
  }

  mutating func appendToken(_ token: String?) {
    if let token { append("next_page_token", .string(token)) }
  }
}

extension KeyValue {
  var apiJSON: JSONValue { ["key": .string(key), "value": .string(value)] }
}

extension MetricPoint {
  var apiJSON: JSONValue { .object(apiObject) }

  var apiObject: JSONObject {
    ["key": .string(key), "value": JSONValue(numberOrText: value), "timestamp": .int(timestamp), "step": .int(step)]
  }
}

extension Experiment {
  var apiJSON: JSONValue {
    var object: JSONObject = [
      "experiment_id": .string(id), "name": .string(name), "artifact_location": .string(artifactLocation),
      "lifecycle_stage": .string(lifecycle.rawValue), "last_update_time": .int(updated),
      "creation_time": .int(created),
    ]
    object.appendUnlessEmpty("tags", tags.map(\.apiJSON))
    object.append("workspace", "default")
    return .object(object)
  }
}

extension RunInfo {
  var apiJSON: JSONValue {
    var object = JSONObject()
    object.append("run_uuid", .string(id))
    object.append("experiment_id", .string(experimentID))
    object.append("run_name", .string(name))
    object.append("user_id", .string(user))
    object.append("status", .string(status.rawValue))
    object.append("start_time", .int(startTime))
    if let endTime { object.append("end_time", .int(endTime)) }
    object.append("artifact_uri", .string(artifactURI))
    object.append("lifecycle_stage", .string(lifecycle.rawValue))
    object.append("run_id", .string(id))
    return .object(object)
  }
}

extension DatasetInput {
  var apiJSON: JSONValue {
    var tags = tags
    if !context.isEmpty { tags.append(KeyValue("mlflow.data.context", context)) }
    var dataset: JSONObject = [
      "name": .string(name), "digest": .string(digest), "source_type": .string(sourceType), "source": .string(source),
    ]
    if let schema { dataset["schema"] = .string(schema) }
    if let profile { dataset["profile"] = .string(profile) }
    var object = JSONObject()
    object.appendUnlessEmpty("tags", tags.map(\.apiJSON))
    object.append("dataset", .object(dataset))
    return .object(object)
  }
}

extension JSONWriter {
  /// A run as `runs/get` and `runs/search` show it.
  mutating func write(_ run: Run) {
    write(raw: "{\"info\":")
    write(run.info.apiJSON)
    write(raw: ",\"data\":{")
    var isFirst = true
    func separator() -> StaticString {
      defer { isFirst = false }
      return isFirst ? "" : ","
    }
    if !run.metrics.isEmpty {
      write(raw: separator())
      write(raw: "\"metrics\":[")
      for (index, metric) in run.metrics.enumerated() {
        write(raw: index == 0 ? "{\"key\":" : ",{\"key\":")
        write(text: metric.key)
        write(raw: ",\"value\":")
        write(JSONValue(numberOrText: metric.value))
        write(raw: ",\"timestamp\":")
        write(.int(metric.timestamp))
        write(raw: ",\"step\":")
        write(.int(metric.step))
        write(raw: "}")
      }
      write(raw: "]")
    }
    if !run.params.isEmpty {
      write(raw: separator())
      write(raw: "\"params\":")
      write(run.params)
    }
    if !run.tags.isEmpty {
      write(raw: separator())
      write(raw: "\"tags\":")
      write(run.tags)
    }
    var inputs = JSONObject()
    inputs.appendUnlessEmpty("dataset_inputs", run.inputs.map(\.apiJSON))
    var outputs = JSONObject()
    outputs.appendUnlessEmpty(
      "model_outputs", run.outputs.map { ["model_id": .string($0.modelID), "step": .int($0.step)] })
    write(raw: "},\"inputs\":")
    write(.object(inputs))
    write(raw: ",\"outputs\":")
    write(.object(outputs))
    write(raw: "}")
  }

  private mutating func write(_ pairs: [KeyValue]) {
    write(raw: "[")
    for (index, pair) in pairs.enumerated() {
      write(raw: index == 0 ? "{\"key\":" : ",{\"key\":")
      write(text: pair.key)
      write(raw: ",\"value\":")
      write(text: pair.value)
      write(raw: "}")
    }
    write(raw: "]")
  }
}

extension LoggedModel {
  var apiJSON: JSONValue {
    var info: JSONObject = [
      "model_id": .string(id), "experiment_id": .string(experimentID), "name": .string(name),
      "creation_timestamp_ms": .int(created), "last_updated_timestamp_ms": .int(updated),
      "artifact_uri": .string(artifactURI), "status": .string(status.rawValue), "model_type": .string(type),
    ]
    if let runID { info["source_run_id"] = .string(runID) }
    info.appendUnlessEmpty("tags", tags.map(\.apiJSON))
    var data = JSONObject()
    data.appendUnlessEmpty("params", params.map(\.apiJSON))
    data.appendUnlessEmpty(
      "metrics",
      metrics.map { metric, run in
        .object(metric.apiObject.merging(["run_id": .string(run), "model_id": .string(id)]))
      })
    return ["info": .object(info), "data": .object(data)]
  }
}

extension ArtifactEntry {
  /// - Parameter path: the entry's path from the directory that was asked for, or from the root.
  func apiJSON(path: String) -> JSONValue {
    var object: JSONObject = ["path": .string(path), "is_dir": .bool(isDirectory)]
    if let size { object["file_size"] = .int(size) }
    return .object(object)
  }
}
