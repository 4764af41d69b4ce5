import JSON
import LanguageModels
import Schema

/// The methods that coding agents are offered as tools of the Model Context Protocol, with the schemas of the methods'
/// own declarations.
enum AgentTools {
  /// Those that help an agent try, compare and pick up work; each by its method's name.
  static let methods: [Method] = [
    .evaluate, .compile, .watchRun, .cancelRun, .resumeRun, .predict, .loadProgram, .saveProgram,
    .listRuns, .getRun, .listResults, .compareRuns, .listExperiments, .listTraces, .getTrace, .listArtifacts,
    .getArtifact,
  ]

  static func method(named name: String) -> Method? { methods.first { $0.name == name } }

  /// What a call of those that ask models takes; the others cost nothing.
  private static let costs = [
    "evaluate": "one model call a row for each step of the program, and one more a row with a judge",
    "compile":
      "usually hundreds of model calls; {\"estimate\": true} tells how many, and what they cost, without asking a model",
    "predict": "one model call for each step of the program",
    "resumeRun": "the model calls that the run has not paid for yet",
  ]

  /// The tools as `tools/list` answers them.
  ///
  /// - Parameter limits: what all requests of the session together may spend.
  static func list(_ limits: Budget.Limits) -> JSONValue {
    .array(
      methods.map { method in
        var description = method.summary
        if AgentTerms.spends(method) {
          description +=
            " Costs \(costs[method.name] ?? "model calls"); answers that are stored, and the model \"simulated\", cost "
            + "nothing. All requests of this session together: at most \(AgentTerms.words(limits)). The operator has set "
            + "that, and no argument lifts it; budget bounds one request within it. Each answer says what is left."
        } else {
          description += " Costs nothing."
        }
        if method.name == Method.saveProgram.name {
          description += " Overwrites only what this session has saved."
        }
        if method.parameters.contains(where: { $0.name == "detach" }) {
          description +=
            " May take minutes: with detach it answers at once with a runId, to be followed with watchRun or getRun; what its "
            + "budget bounds is set aside for it until it ends, else half of what is left."
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
