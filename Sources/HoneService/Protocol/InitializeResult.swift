import Datasets
import Evaluation
import HTTPModels
import JSON
import Jobs
import Optimizers
import Programs
import Schema

/// What `initialize` tells a client.
struct InitializeResult: ResultObject {
  static let members: [Member<Self>] = [
    Member("serverInfo", \.server, isAlwaysWritten: true, "Who serves."),
    Member("protocolVersion", \.protocolVersion, isAlwaysWritten: true, "The version of this protocol."),
    Member(
      "capabilities", \.capabilities, isAlwaysWritten: true,
      "What it can do: LSP's capabilities, and names that requests may use."),
  ]
  var server = Server()
  var protocolVersion = Service.protocolVersion
  var capabilities: JSONObject = [:]

  struct Server: ResultObject {
    static let members: [Member<Self>] = [
      Member("name", \.name, isAlwaysWritten: true, "hone."),
      Member("version", \.version, isAlwaysWritten: true, "Its version."),
    ]
    var name = "hone"
    var version = Service.version
  }

  init() {}

  init(_ extensions: [any SessionExtension.Type]) {
    capabilities = extensions.reduce(Self.names) { $0.merging($1.capabilities) }
  }

  private static var names: JSONObject {
    [
      "methods": MethodTable.names.jsonValue, "modules": Module.names.jsonValue,
      "optimizers": OptimizerRegistry.all.names.jsonValue, "metrics": MetricRegistry.all.names.jsonValue,
      "adapters": AdapterChoice.names.jsonValue, "datasets": Dataset.names.jsonValue,
      "modelProviders": (["simulated"] + Provider.all.map(\.name)).jsonValue, "workDoneProgress": true, "batch": true,
    ]
  }
}
