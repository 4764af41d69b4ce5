import Failures
package import JSON

/// The OpenRPC 1.4 document of the service, made from the methods' declarations.
package enum OpenRPC {
  package static var document: JSONObject {
    [
      "openrpc": "1.4.1",
      "info": [
        "title": "Hone", "version": .string(Service.protocolVersion),
        "description": "Optimizes, runs and tracks language-model programs.",
      ],
      "methods": .array(MethodTable.methods.map(json) + lifecycle),
      "components": ["schemas": .object(Shape.all), "errors": errors],
    ]
  }

  private static func json(_ method: Method) -> JSONValue {
    var object: JSONObject = [
      "name": .string(method.name), "summary": .string(method.summary), "paramStructure": "by-name",
      "params": .array(
        method.parameters.map { parameter in
          [
            "name": .string(parameter.name), "description": .string(parameter.summary),
            "required": .bool(parameter.isRequired), "schema": parameter.schema,
          ]
        }),
      "result": ["name": .string("\(method.name)Result"), "schema": method.result],
    ]
    if let example = method.example {
      object["examples"] = [
        [
          "name": .string(method.name),
          "params": .array(example.map { ["name": .string($0.key), "value": $0.value] }),
        ]
      ]
    }
    if method.isLong { object["x-progress"] = true }
    object["errors"] = [["$ref": "#/components/errors/invalidParams"], ["$ref": "#/components/errors/requestFailed"]]
    return .object(object)
  }

  /// LSP's life cycle, for clients that want it.
  private static let lifecycle: [JSONValue] = [
    [
      "name": "initialize", "summary": "Tells the client what the service can do. Optional.", "paramStructure": "by-name",
      "params": [
        ["name": "processId", "description": "The client's process, which the service outlives by seconds only.", "required": false, "schema": ["type": ["integer", "null"]]]
      ],
      "result": ["name": "initializeResult", "schema": ["type": "object"]],
    ],
    [
      "name": "shutdown", "summary": "Ends the session; only exit may follow.", "params": [],
      "result": ["name": "shutdownResult", "schema": ["type": "null"]],
    ],
  ]

  private static let errors: JSONValue = [
    "invalidParams": [
      "code": -32602, "message": "Invalid params: every problem is in data.problems with path, message, got, allowed and suggestion."
    ],
    "requestFailed": [
      "code": -32803, "message": "The work failed: data.kind says what kind of failure, data.remedy what to do, data.runId the run.",
    ],
  ]
}

extension Method {
  static let discover = Method(
    "rpc.discover", "This document.", [], result: Shape.anyObject, example: [:],
    isForPages: true
  ) { _, fields, _ throws(HoneError) in
    try fields.check("rpc.discover")
    return .object(OpenRPC.document)
  }
}
