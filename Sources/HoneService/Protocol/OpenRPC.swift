import Failures
package import JSON
import Schema

/// The OpenRPC 1.4 document of the service, made from the methods' declarations.
package enum OpenRPC {
  package static func document(_ catalog: Catalog = Catalog()) -> JSONObject {
    [
      "openrpc": "1.4.1",
      "info": [
        "title": "Hone", "version": .string(Service.protocolVersion),
        "description": "Optimizes, runs and tracks language-model programs.",
      ],
      "methods": .array(catalog.methods.map(json) + lifecycle),
      "components": ["schemas": .object(shapes(catalog)), "errors": errors],
      "x-callbacks": .array(ProtocolMessage.callbacks.map(\.json)),
      "x-notifications": [
        "fromService": .array(ProtocolMessage.fromService.map(\.json)),
        "fromClient": .array(ProtocolMessage.fromClient.map(\.json)),
      ],
      "x-errorKinds": .object(JSONObject(FailureKind.all.map { ($0.kind.rawValue, .string($0.meaning)) })),
    ]
  }

  /// The shared shapes as JSON Schemas that stand by themselves, by file name.
  package static var schemaFiles: [(name: String, schema: JSONObject)] {
    shapes(Catalog()).map { name, schema in
      var object: JSONObject = [
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": .string("\(name).json"),
        "title": .string(name),
      ]
      for (key, value) in standalone(schema).objectValue ?? [:] { object[key] = value }
      return ("\(name).json", object)
    }
  }

  /// The shapes that requests and results refer to by name.
  static func shapes(_ catalog: Catalog) -> JSONObject {
    JSONObject(catalog.shapes.map { ($0.name, $0.schema.json) })
  }

  /// A schema whose references lead to files beside it.
  private static func standalone(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let object):
      return .object(
        JSONObject(
          object.map { key, member in
            guard key == "$ref", let text = member.stringValue else { return (key, standalone(member)) }
            return (key, .string(text.replacing("#/components/schemas/", with: "") + ".json"))
          }))
    case .array(let elements): return .array(elements.map(standalone))
    default: return value
    }
  }

  private static func json(_ method: Method) -> JSONValue {
    var object: JSONObject = [
      "name": .string(method.name), "summary": .string(method.summary), "paramStructure": "by-name",
      "params": .array(
        method.parameters.map(parameter)),
      "result": ["name": .string("\(method.name)Result"), "schema": method.result.json],
    ]
    if let example = method.example {
      object.append(
        "examples",
        [
          [
            "name": .string(method.name),
            "params": .array(example.map { ["name": .string($0.key), "value": $0.value] }),
          ]
        ])
    }
    if method.isReading { object.append("x-reading", true) }
    if method.isLong { object.append("x-progress", true) }
    let errors = ["invalidParams", "requestFailed"] + (method.isLong ? ["requestCancelled"] : [])
    object.append("errors", .array(errors.map { ["$ref": .string("#/components/errors/\($0)")] }))
    return .object(object)
  }

  private static func parameter(_ field: Schema.Field) -> JSONValue {
    [
      "name": .string(field.name), "description": .string(field.summary), "required": .bool(field.isRequired),
      "schema": .object(field.jsonObject.filter { $0 != "description" }),
    ]
  }

  /// LSP's life cycle, for clients that want it.
  private static let lifecycle: [JSONValue] = [
    [
      "name": "initialize", "summary": "Tells the client what the service can do. Optional.",
      "paramStructure": "by-name",
      "params": .array(InitializeRequest.fields.map(parameter)),
      "result": [
        "name": "initializeResult",
        "schema": InitializeResult.schema.json,
      ],
      "examples": [
        ["name": "initialize", "params": [["name": "capabilities", "value": ["callbacks": ["metrics": ["exact"]]]]]]
      ],
    ],
    [
      "name": "shutdown", "summary": "Ends the session; only exit may follow.", "params": [],
      "result": ["name": "shutdownResult", "schema": ["type": "null"]],
    ],
  ]

  private static let errors: JSONValue = [
    "parseError": ["code": -32700, "message": "The message is not JSON."],
    "invalidRequest": ["code": -32600, "message": "The message is not a request, or comes at the wrong time."],
    "methodNotFound": ["code": -32601, "message": "There is no such method; data.suggestion is the nearest one."],
    "internalError": ["code": -32603, "message": "Something is wrong inside Hone."],
    "requestCancelled": [
      "code": -32800, "message": "The client cancelled the request; data.runId is what was tracked.",
    ],
    "serverCancelled": ["code": -32802, "message": "The service ended and dropped the request."],
    "invalidParams": [
      "code": -32602,
      "message": "Invalid params: every problem is in data.problems with path, message, got, allowed and suggestion.",
    ],
    "requestFailed": [
      "code": -32803,
      "message": "The work failed: data.kind says what kind of failure, data.remedy what to do, data.runId the run.",
    ],
  ]
}

extension Method {
  static let discover = Method(
    "rpc.discover", "This document.", takes: NoMembers.self, gives: JSONObject.self, example: [:], isReading: true,
    isForPages: true
  ) { service, _, _ throws(HoneError) in
    service.document
  }
}
