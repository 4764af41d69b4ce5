package import JSON

/// One JSON-RPC 2.0 message, as it came or as it is to be sent.
package enum Message: Sendable, Hashable {
  /// `params` are by name; null, absent and `[]` are the empty object.
  case request(id: RequestID, method: String, params: JSONObject)
  case notification(method: String, params: JSONObject)
  case result(id: RequestID, JSONValue)
  case failure(id: RequestID, RPCError)
  /// Not a message, or one we do not take: to be answered with this error.
  case refused(id: RequestID, RPCError)
  /// Something that may be neither answered nor handled (a notification with positional params).
  case ignored
}

/// What one frame holds.
package enum Incoming: Sendable, Hashable {
  case single(Message)
  /// An array of at least one message.
  case batch([Message])
}

extension Incoming {
  /// Reads the JSON text of one frame. Whatever is wrong with it becomes a `refused` message.
  ///
  /// - Parameters:
  ///   - maximumBatch: the most entries that a batch may have.
  ///   - maximumValues: the most JSON values that a message may have, those within others included.
  package init(
    parsing text: [UInt8], maximumBatch: Int, maximumValues: Int = JSONReader.messageValues
  ) {
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONReader.read(text, maximumValues: maximumValues)
    } catch {
      self = .single(.refused(id: .null, RPCError(.parseError, "The message is not JSON: \(error).")))
      return
    }
    guard case .array(let elements) = value else {
      self = .single(Message(value))
      return
    }
    guard !elements.isEmpty else {
      self = .single(.refused(id: .null, RPCError(.invalidRequest, "A batch holds at least one message.")))
      return
    }
    guard elements.count <= maximumBatch else {
      let message = "A batch holds at most \(maximumBatch) messages; this one has \(elements.count)."
      self = .single(.refused(id: .null, RPCError(.invalidRequest, message)))
      return
    }
    self = .batch(elements.map { Message($0) })
  }
}

extension Message {
  /// The message that `value` is.
  init(_ value: JSONValue) {
    guard case .object(let object) = value else {
      self = .refused(id: .null, RPCError(.invalidRequest, "A message is an object; this is \(value.kindName)."))
      return
    }
    let idValue = object["id"]
    let id = idValue.map { RequestID($0) }
    if object["method"] == nil, object["result"] != nil || object["error"] != nil {
      self = Self.response(object, id: id ?? nil)
      return
    }
    func refuse(_ code: RPCError.Code, _ message: String) -> Message {
      .refused(id: (id ?? nil) ?? .null, RPCError(code, message))
    }
    if let id, id == nil {
      self = refuse(.invalidRequest, "An id is a string of at most 1 KiB, a number or null.")
      return
    }
    guard object["jsonrpc"] == "2.0" else {
      self = refuse(.invalidRequest, "The member \"jsonrpc\" must be the string \"2.0\".")
      return
    }
    guard case .string(let method)? = object["method"] else {
      self = refuse(.invalidRequest, "The member \"method\" must be a string.")
      return
    }
    let params: JSONObject
    switch object["params"] {
    case nil, .null?: params = JSONObject()
    case .object(let members)?: params = members
    case .array(let elements)?:
      guard elements.isEmpty else {
        self =
          id == nil
          ? .ignored : refuse(.invalidParams, "Parameters are given by name, as an object, not by position.")
        return
      }
      params = JSONObject()
    case let other?:
      self = refuse(.invalidRequest, "The member \"params\" must be an object; this is \(other.kindName).")
      return
    }
    if case .some(.some(let id)) = id {
      self = .request(id: id, method: method, params: params)
    } else {
      self = .notification(method: method, params: params)
    }
  }

  private static func response(_ object: JSONObject, id: RequestID?) -> Message {
    guard let id else { return .ignored }
    // Some peers send `"error": null` beside a result.
    if let error = object["error"], !error.isNull { return .failure(id: id, RPCError(reading: error)) }
    guard let result = object["result"] else { return .ignored }
    return .result(id: id, result)
  }

  /// The message as JSON, with no member that JSON-RPC does not name.
  package var json: JSONValue {
    var object: JSONObject = ["jsonrpc": "2.0"]
    switch self {
    case .request(let id, let method, let params):
      object.append("id", id.value)
      object.append("method", .string(method))
      object.append("params", .object(params))
    case .notification(let method, let params):
      object.append("method", .string(method))
      object.append("params", .object(params))
    case .result(let id, let value):
      object.append("id", id.value)
      object.append("result", value)
    case .failure(let id, let error), .refused(let id, let error):
      object.append("id", id.value)
      object.append("error", error.json)
    case .ignored:
      return .null
    }
    return .object(object)
  }
}
