import Datasets
import Evaluation
import HTTPModels
import JSON
import Optimizers
import Programs
import Schema

/// The names that requests may use.
package enum KnownNames {
  package static let modules = Module.names
  package static let optimizers = OptimizerRegistry.all.names
  package static let metrics = MetricRegistry.all.names
  package static let adapters = ["auto"] + ReplyFormat.allCases.map(\.rawValue)
}

/// What `initialize` tells a client.
enum Capabilities {
  static func json(_ extensions: [any SessionExtension.Type]) -> JSONObject {
    [
      "serverInfo": ["name": "hone", "version": .string(Service.version)],
      "protocolVersion": .string(Service.protocolVersion),
      "capabilities": .object(extensions.reduce(methods) { $0.merging($1.capabilities) }),
    ]
  }

  private static var methods: JSONObject {
    [
      "methods": strings(MethodTable.names), "modules": strings(KnownNames.modules),
      "optimizers": strings(KnownNames.optimizers), "metrics": strings(KnownNames.metrics),
      "adapters": strings(KnownNames.adapters),
      "datasets": strings(Dataset.names),
      "modelProviders": strings(["simulated"] + Provider.all.map(\.name)),
      "workDoneProgress": true, "batch": true,
    ]
  }

  private static func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
}
