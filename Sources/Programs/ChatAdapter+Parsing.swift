package import JSON

/// Why a reply holds no outputs of a signature: what was expected, what came.
package struct UnparsableReply: Error, Sendable, Hashable {
  package var reason: String
  /// The outputs that could be read.
  package var parsed: JSONObject
  package var reply: String
}

extension ChatAdapter {
  /// The outputs that a reply states, all of them, each of its field's type.
  ///
  /// Read as sections; where it has a section of no output, as a JSON object with the outputs as members. A
  /// section's first occurrence wins, unknown ones are passed over, and what stands before the first header
  /// is ignored. An output whose type allows null may be missing.
  package func parse(_ reply: String) throws(UnparsableReply) -> JSONObject {
    let texts = sections(of: reply)
    var outputs = JSONObject()
    var faults: [String] = []
    if texts.contains(where: { $0 != nil }) {
      for (field, text) in zip(signature.outputs, texts) {
        guard let text else {
          note(missing: field, "The section `\(Self.header(field.name))` is missing.", &outputs, &faults)
          continue
        }
        switch field.type.parse(text) {
        case .success(let value): outputs.append(field.name, value)
        case .failure(let mismatch):
          faults.append("`\(field.name)` should be \(mismatch.expected), got \"\(mismatch.got)\".")
        }
      }
    } else if let object = LenientJSON.firstObject(in: reply),
      signature.outputs.contains(where: { object[$0.name] != nil })
    {
      for field in signature.outputs {
        guard let value = object[field.name] else {
          note(missing: field, "The member \"\(field.name)\" is missing.", &outputs, &faults)
          continue
        }
        if let coerced = Self.value(value, of: field.type) {
          outputs.append(field.name, coerced)
        } else {
          faults.append("`\(field.name)` should be \(field.type), got \(value.excerpt).")
        }
      }
    } else {
      // Here a missing output is a fault, whatever its type: the reply is in no form at all.
      for field in signature.outputs { faults.append("The section `\(Self.header(field.name))` is missing.") }
    }
    guard faults.isEmpty else { throw unparsable(reply, outputs, faults) }
    return outputs
  }

  private func note(missing field: Field, _ fault: String, _ outputs: inout JSONObject, _ faults: inout [String]) {
    if case .optional = field.type { outputs.append(field.name, .null) } else { faults.append(fault) }
  }

  /// A member's value as the field's; a text field takes lists and objects as their text.
  private static func value(_ value: JSONValue, of type: FieldType) -> JSONValue? {
    switch (type, value) {
    case (.string, .array), (.string, .object): .string(value.text(.spaced))
    default: type.coerce(value)
    }
  }

  private func unparsable(_ reply: String, _ parsed: JSONObject, _ faults: [String]) -> UnparsableReply {
    let expected = signature.outputs.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    let reply = reply.trimmed
    let reason =
      if reply.isEmpty {
        "The reply is empty; expected \(expected)."
      } else if parsed.isEmpty, faults.count == signature.outputs.count {
        faults.joined(separator: " ") + " Expected \(expected); got \(JSONValue.string(reply).excerpt)."
      } else {
        faults.joined(separator: " ") + " Expected \(expected)."
      }
    return UnparsableReply(reason: reason, parsed: parsed, reply: reply)
  }

  /// The text under each output's header, in the outputs' order.
  private func sections(of reply: String) -> [String?] {
    var copy = reply
    return copy.withUTF8 { bytes in
      ReplySections(bytes, names: outputNames).ranges.map { range in
        range.map { String(decoding: bytes[$0], as: UTF8.self) }
      }
    }
  }
}
