import JSON
import Schema

/// The methods that coding agents are offered as tools of the Model Context Protocol, with the schemas of the methods'
/// own declarations.
enum AgentTools {
  /// Those that help an agent try, compare and pick up work; each by its method's name.
  static let methods: [Method] = [
    .evaluate, .compile, .watchRun, .cancelRun, .resumeRun, .predict, .loadProgram, .saveProgram,
    .listRuns, .getRun, .listExperiments, .listTraces, .getTrace, .listArtifacts, .getArtifact,
  ]

  static func method(named name: String) -> Method? { methods.first { $0.name == name } }

  /// The tools as `tools/list` answers them.
  static func list(_ budget: AgentBudget) -> JSONValue {
    .array(
      methods.map { method in
        var description = method.summary
        if budget.applies(to: method) {
          description += " Unless the budget says otherwise it makes at most \(budget.text); null lifts a bound."
        }
        if method.parameters.contains(where: { $0.name == "detach" }) {
          description +=
            " May take minutes: with detach it answers at once with a runId, to be followed with watchRun or getRun."
        }
        return [
          "name": .string(method.name), "description": .string(description), "inputSchema": schema(of: method),
          "annotations": ["readOnlyHint": .bool(method.isReading), "destructiveHint": false],
        ]
      })
  }

  /// The schema of a tool's arguments, whole in itself.
  static func schema(of method: Method) -> JSONValue {
    var properties = JSONObject()
    var definitions = JSONObject()
    for parameter in method.parameters {
      properties[parameter.name] = local(.object(parameter.jsonObject), &definitions)
    }
    var object: JSONObject = ["type": "object", "properties": .object(properties)]
    let required = method.parameters.filter(\.isRequired).map { JSONValue.string($0.name) }
    if !required.isEmpty { object["required"] = .array(required) }
    object["additionalProperties"] = false
    if !definitions.isEmpty { object["$defs"] = .object(definitions) }
    return .object(object)
  }

  private static let shapes = OpenRPC.shapes(Catalog())

  /// A schema with its references leading into `$defs`, where what they lead to is put.
  private static func local(_ schema: JSONValue, _ definitions: inout JSONObject) -> JSONValue {
    switch schema {
    case .object(let object):
      var result = JSONObject()
      for (key, value) in object {
        guard key == "$ref", let text = value.stringValue, let name = text.split(separator: "/").last.map(String.init)
        else {
          result.append(key, local(value, &definitions))
          continue
        }
        result.append(key, .string("#/$defs/\(name)"))
        if definitions[name] == nil {
          // Known before it is read: shapes may lead to themselves.
          definitions[name] = .bool(true)
          definitions[name] = local(shapes[name] ?? .bool(true), &definitions)
        }
      }
      return .object(result)
    case .array(let elements): return .array(elements.map { local($0, &definitions) })
    default: return schema
    }
  }
}
