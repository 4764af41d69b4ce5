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
  /// Read as sections; failing that, as a JSON object with the outputs as members. A section's first
  /// occurrence wins, unknown ones are passed over, and what stands before the first header is ignored.
  package func parse(_ reply: String) throws(UnparsableReply) -> JSONObject {
    let found = sections(in: reply)
    var texts: [String: String] = found
    var values: [String: JSONValue] = [:]
    if !signature.outputs.contains(where: { found[$0.name] != nil }),
      let object = LenientJSON.firstObject(in: reply)
    {
      texts = [:]
      for field in signature.outputs {
        guard let value = object[field.name] else { continue }
        values[field.name] = value
      }
    }
    var outputs = JSONObject()
    var faults: [String] = []
    for field in signature.outputs {
      if let value = values[field.name] {
        if let coerced = field.type.coerce(value) {
          outputs.append(field.name, coerced)
        } else {
          faults.append("`\(field.name)` should be \(field.type), got \(value.excerpt).")
        }
      } else if let text = texts[field.name] {
        switch field.type.parse(text) {
        case .success(let value): outputs.append(field.name, value)
        case .failure(let mismatch):
          faults.append("`\(field.name)` should be \(mismatch.expected), got \"\(mismatch.got)\".")
        }
      } else if case .optional = field.type {
        outputs.append(field.name, .null)
      } else {
        faults.append("The section `\(Self.header(field.name))` is missing.")
      }
    }
    guard faults.isEmpty else {
      let expected = signature.outputs.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
      let reason =
        reply.allSatisfy(\.isWhitespace)
        ? "The reply is empty; expected \(expected)."
        : faults.joined(separator: " ") + " Expected \(expected)."
      throw UnparsableReply(reason: reason, parsed: outputs, reply: reply)
    }
    return outputs
  }

  /// The text under each header, trimmed; a header counts at a line's start or right behind another section
  /// that began on that line.
  private func sections(in reply: String) -> [String: String] {
    let wanted = Set(signature.outputs.map(\.name) + signature.inputs.map(\.name) + ["completed"])
    var result: [String: String] = [:]
    let bytes = Array(reply.utf8)
    var open: (name: String, start: Int)?
    var lineHasHeader = false
    var atLineStart = true
    var position = 0

    func close(at end: Int) {
      guard let section = open, result[section.name] == nil else { return }
      result[section.name] = String(decoding: bytes[section.start..<end], as: UTF8.self).trimmed
    }

    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\n") {
        atLineStart = true
        lineHasHeader = false
        position += 1
        continue
      }
      if byte == UInt8(ascii: "["), atLineStart || lineHasHeader, let header = Self.headerName(bytes, at: position) {
        // Elsewhere on a line only a name of the signature is a header: text may quote others.
        if atLineStart || wanted.contains(header.name) {
          close(at: position)
          open = (header.name, header.end)
          position = header.end
          lineHasHeader = true
          atLineStart = false
          continue
        }
      }
      if byte != 0x20, byte != 0x09, byte != 0x0D { atLineStart = false }
      position += 1
    }
    close(at: bytes.count)
    return result
  }

  /// The name in a header `[[ ## name ## ]]` that begins at `start`, and where it ends.
  private static func headerName(_ bytes: [UInt8], at start: Int) -> (name: String, end: Int)? {
    var position = start
    func skip(_ byte: UInt8) -> Bool {
      guard position < bytes.count, bytes[position] == byte else { return false }
      position += 1
      return true
    }
    func skipSpace() { while position < bytes.count, bytes[position] == 0x20 { position += 1 } }
    guard skip(UInt8(ascii: "[")), skip(UInt8(ascii: "[")) else { return nil }
    skipSpace()
    guard skip(UInt8(ascii: "#")), skip(UInt8(ascii: "#")) else { return nil }
    skipSpace()
    let nameStart = position
    while position < bytes.count, isNameByte(bytes[position]) { position += 1 }
    guard position > nameStart else { return nil }
    let name = String(decoding: bytes[nameStart..<position], as: UTF8.self)
    skipSpace()
    guard skip(UInt8(ascii: "#")), skip(UInt8(ascii: "#")) else { return nil }
    skipSpace()
    guard skip(UInt8(ascii: "]")), skip(UInt8(ascii: "]")) else { return nil }
    return (name, position)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...0xFF: true
    default: false
    }
  }
}
