import Evaluation
import HTTPModels
import JSON
import Optimizers
import Programs

/// What `initialize` tells a client.
enum Capabilities {
  static var json: JSONObject {
    [
      "serverInfo": ["name": "hone", "version": .string(Service.version)],
      "protocolVersion": .string(Service.protocolVersion),
      "capabilities": [
        "methods": strings(MethodTable.names), "modules": strings(Module.names),
        "optimizers": strings(OptimizerRegistry.names), "metrics": strings(MetricRegistry.names),
        "datasets": strings(Dataset.names),
        "modelProviders": strings(["simulated"] + Provider.all.map(\.name)),
        "workDoneProgress": true, "batch": true,
      ],
    ]
  }

  private static func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
}
