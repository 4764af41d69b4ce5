import Datasets
import Evaluation
import Failures
import JSON
import Programs
import Traces
import Tracking

/// A program's state as parameters, under the names that MLflow's DSPy integration gives them:
/// `{Class}.{predictor}.signature.instructions`, `{Class}.{predictor}.demos.0.question` …
func stateParams(_ program: Program) -> [KeyValue] {
  var object = StateFile.encode(program)
  object["metadata"] = nil
  var params: [KeyValue] = []
  for (key, value) in object { flatten(value, "\(program.module.className).\(key)", into: &params) }
  return params.filter { param in
    let parts = param.key.split(separator: ".")
    return !parts.contains("traces") && !parts.contains("train") && parts.last != "lm" && isParamKey(param.key)
  }
}

private func flatten(_ value: JSONValue, _ path: String, into params: inout [KeyValue]) {
  switch value {
  case .object(let object):
    for (key, member) in object { flatten(member, "\(path).\(key)", into: &params) }
  case .array(let elements):
    for (index, element) in elements.enumerated() { flatten(element, "\(path).\(index)", into: &params) }
  case .null: break
  default: params.append(KeyValue(path, pythonText(value)))
  }
}

/// Whether a key may name a parameter: data may hold members of any name.
private func isParamKey(_ key: String) -> Bool {
  key.count <= 250
    && key.unicodeScalars.allSatisfy { scalar in
      scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "_-. :/".unicodeScalars.contains(scalar)
    }
}

/// A value as Python's `str` writes it, which is how MLflow shows parameters.
func pythonText(_ value: JSONValue) -> String {
  switch value {
  case .string(let text): text
  case .bool(let flag): flag ? "True" : "False"
  case .null: "None"
  default: value.text(.spaced)
  }
}

/// A data set as an input of a run.
func datasetInput(_ dataset: Dataset, context: String) -> DatasetInput {
  DatasetInput(
    name: dataset.name, digest: dataset.digest, sourceType: dataset.source.type,
    source: JSONValue.object(dataset.source.json).text(), schema: JSONValue.object(dataset.schema).text(),
    profile: JSONValue.object(dataset.profile).text(), context: context)
}
