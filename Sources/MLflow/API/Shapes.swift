import JSON
import Schema
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

extension Experiment {
  var apiJSON: JSONValue { MLflowExperiment(self).jsonValue }
}

extension RunInfo {
  var apiJSON: JSONValue { MLflowRun.Info(self).jsonValue }
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
    inputs.appendUnlessEmpty("dataset_inputs", run.inputs.map { MLflowDatasetInput($0).jsonValue })
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
    if let runID { info.append("source_run_id", .string(runID)) }
    if !tags.isEmpty { info.append("tags", PairList(tags).jsonValue) }
    var data = JSONObject()
    if !params.isEmpty { data.append("params", PairList(params).jsonValue) }
    data.appendUnlessEmpty("metrics", metrics.map { MLflowPoint($0, run: $1, model: id).jsonValue })
    return ["info": .object(info), "data": .object(data)]
  }
}
