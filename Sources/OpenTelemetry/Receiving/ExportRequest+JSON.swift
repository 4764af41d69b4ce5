import Foundation
import HTTPResponses
import JSON

/// OTLP in JSON: member names in camel case or as in the protobuf's declaration, ids in hexadecimal digits.
extension ExportRequest {
  /// - Throws: `WebFailure` (400) for what is no JSON object.
  init(json bytes: [UInt8]) throws {
    guard let root = try? JSONReader.read(bytes), root.objectValue != nil else {
      throw WebFailure.invalid("The body is no OTLP trace export in JSON.")
    }
    for entry in Self.member(root, "resourceSpans", "resource_spans")?.arrayValue ?? [] {
      var resource = Resource(attributes: Self.attributes(entry["resource"]))
      for scope in Self.member(entry, "scopeSpans", "scope_spans")?.arrayValue ?? [] {
        for span in scope["spans"]?.arrayValue ?? [] { resource.spans.append(Self.span(span)) }
      }
      resources.append(resource)
    }
  }

  private static func member(_ value: JSONValue, _ names: String...) -> JSONValue? {
    for name in names { if let found = value[name] { return found } }
    return nil
  }

  static func span(_ value: JSONValue) -> ExportedSpan {
    var span = ExportedSpan()
    span.traceID = identifier(member(value, "traceId", "trace_id"), count: 16)
    span.spanID = identifier(member(value, "spanId", "span_id"), count: 8)
    span.parentID = identifier(member(value, "parentSpanId", "parent_span_id"), count: 8)
    span.name = value["name"]?.stringValue ?? ""
    span.start = time(member(value, "startTimeUnixNano", "start_time_unix_nano"))
    span.end = time(member(value, "endTimeUnixNano", "end_time_unix_nano"))
    span.attributes = attributes(value)
    for event in value["events"]?.arrayValue ?? [] {
      span.events.append(
        ExportedSpan.Event(
          name: event["name"]?.stringValue ?? "", time: time(member(event, "timeUnixNano", "time_unix_nano")),
          attributes: attributes(event)))
    }
    switch value["status"]?["code"] {
    case .string(let word): span.statusCode = word.hasSuffix("ERROR") ? 2 : word.hasSuffix("OK") ? 1 : 0
    case let code: span.statusCode = code?.intValue ?? 0
    }
    span.statusMessage = value["status"]?["message"]?.stringValue ?? ""
    return span
  }

  /// An id in hexadecimal digits, or in base64 as protobuf's own JSON has it.
  private static func identifier(_ value: JSONValue?, count: Int) -> [UInt8] {
    guard let text = value?.stringValue, !text.isEmpty else { return [] }
    if text.utf8.count == count * 2 {
      let digits = Array(text.utf8)
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
      if bytes.count == count { return bytes }
    }
    return Data(base64Encoded: text).map { Array($0) } ?? []
  }

  private static func time(_ value: JSONValue?) -> UInt64 {
    if let text = value?.stringValue { return UInt64(text) ?? 0 }
    return UInt64(max(0, value?.intValue ?? 0))
  }

  private static func attributes(_ value: JSONValue?) -> JSONObject {
    var object: JSONObject = [:]
    for pair in value?["attributes"]?.arrayValue ?? [] {
      guard let key = pair["key"]?.stringValue else { continue }
      object[key] = pair["value"].map(any) ?? .null
    }
    return object
  }

  private static func any(_ value: JSONValue) -> JSONValue {
    guard let (name, content) = value.objectValue?.first.map({ ($0.key, $0.value) }) else { return .null }
    switch name {
    case "stringValue", "string_value", "bytesValue", "bytes_value", "boolValue", "bool_value": return content
    case "intValue", "int_value": return content.stringValue.flatMap { Int($0) }.map(JSONValue.int) ?? content
    case "doubleValue", "double_value":
      if content.stringValue != nil, let number = content.numberFromText { return .double(number) }
      return content
    case "arrayValue", "array_value": return .array((content["values"]?.arrayValue ?? []).map(any))
    case "kvlistValue", "kvlist_value": return .object(attributes(["attributes": content["values"] ?? []]))
    default: return .null
    }
  }
}
