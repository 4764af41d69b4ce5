import Foundation
import HTTPResponses
import JSON

/// A span as OpenTelemetry's exporters send it.
struct ExportedSpan {
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var parentID: [UInt8] = []
  var name = ""
  /// Nanoseconds since 1970; 0 where it is not known.
  var start: UInt64 = 0
  var end: UInt64 = 0
  var attributes: JSONObject = [:]
  var events: [Event] = []
  /// 0 unset, 1 ok, 2 error.
  var statusCode = 0
  var statusMessage = ""

  struct Event {
    var name = ""
    var time: UInt64 = 0
    var attributes: JSONObject = [:]
  }
}

/// An `ExportTraceServiceRequest`: spans, each with the attributes of the resource it comes from.
struct ExportRequest {
  struct Resource {
    var attributes: JSONObject = [:]
    var spans: [ExportedSpan] = []
  }

  var resources: [Resource] = []

  /// How deep an attribute's value may be nested.
  private static let deepest = 64

  /// Reads protobuf.
  ///
  /// - Throws: `WebFailure` (400) for anything else.
  init(protobuf bytes: [UInt8]) throws {
    do throws(WireReader.Failure) {
      var reader = WireReader(bytes[...], WireReader.Allowance(JSONReader.messageValues))
      while let (field, value) = try reader.next() {
        if field == 1, let message = value.bytes { resources.append(try Self.resource(reader.inner(message))) }
      }
    } catch {
      throw WebFailure.invalid("The body is not an OTLP trace export: \(error.message).")
    }
  }

  private static func resource(_ message: WireReader) throws(WireReader.Failure) -> Resource {
    var reader = message
    var attributes = MemberList()
    var spans: [ExportedSpan] = []
    while let (field, value) = try reader.next() {
      guard let message = value.bytes else { continue }
      var inner = reader.inner(message)
      switch field {
      case 1:
        while let (field, value) = try inner.next() {
          if field == 1, let pair = value.bytes { try add(inner.inner(pair), to: &attributes, depth: 0) }
        }
      case 2:
        while let (field, value) = try inner.next() {
          if field == 2, let message = value.bytes { spans.append(try span(inner.inner(message))) }
        }
      default: break
      }
    }
    return Resource(attributes: attributes.object, spans: spans)
  }

  private static func span(_ message: WireReader) throws(WireReader.Failure) -> ExportedSpan {
    var reader = message
    var span = ExportedSpan()
    var attributes = MemberList()
    while let (field, value) = try reader.next() {
      switch field {
      case 1: span.traceID = value.bytes.map { Array($0) } ?? []
      case 2: span.spanID = value.bytes.map { Array($0) } ?? []
      case 4: span.parentID = value.bytes.map { Array($0) } ?? []
      case 5: span.name = value.text ?? ""
      case 7: span.start = value.number ?? 0
      case 8: span.end = value.number ?? 0
      case 9: if let pair = value.bytes { try add(reader.inner(pair), to: &attributes, depth: 0) }
      case 11: if let message = value.bytes { span.events.append(try event(reader.inner(message))) }
      case 15:
        guard let message = value.bytes else { continue }
        var inner = reader.inner(message)
        while let (field, value) = try inner.next() {
          if field == 2 { span.statusMessage = value.text ?? "" }
          if field == 3 { span.statusCode = Int(truncatingIfNeeded: value.number ?? 0) }
        }
      default: break
      }
    }
    span.attributes = attributes.object
    return span
  }

  private static func event(_ message: WireReader) throws(WireReader.Failure) -> ExportedSpan.Event {
    var reader = message
    var event = ExportedSpan.Event()
    var attributes = MemberList()
    while let (field, value) = try reader.next() {
      switch field {
      case 1: event.time = value.number ?? 0
      case 2: event.name = value.text ?? ""
      case 3: if let pair = value.bytes { try add(reader.inner(pair), to: &attributes, depth: 0) }
      default: break
      }
    }
    event.attributes = attributes.object
    return event
  }

  private static func add(
    _ pair: WireReader, to members: inout MemberList, depth: Int
  ) throws(WireReader.Failure) {
    var reader = pair
    var key = ""
    var content: JSONValue = .null
    while let (field, value) = try reader.next() {
      if field == 1 { key = value.text ?? "" }
      if field == 2, let message = value.bytes { content = try any(reader.inner(message), depth: depth) }
    }
    members.set(key, content)
  }

  private static func any(_ message: WireReader, depth: Int) throws(WireReader.Failure) -> JSONValue {
    guard depth <= deepest else { throw WireReader.Failure(message: "a value is nested deeper than \(deepest) levels") }
    var reader = message
    var result: JSONValue = .null
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let text)): result = .string(String(decoding: text, as: UTF8.self))
      case (2, .varint(let flag)): result = .bool(flag != 0)
      case (3, .varint(let number)): result = .int(Int(truncatingIfNeeded: number))
      case (4, .fixed64(let bits)): result = .double(Double(bitPattern: bits))
      case (5, .bytes(let message)):
        var elements: [JSONValue] = []
        var inner = reader.inner(message)
        while let (field, value) = try inner.next() {
          if field == 1, let element = value.bytes { elements.append(try any(inner.inner(element), depth: depth + 1)) }
        }
        result = .array(elements)
      case (6, .bytes(let message)):
        var members = MemberList()
        var inner = reader.inner(message)
        while let (field, value) = try inner.next() {
          if field == 1, let pair = value.bytes { try add(inner.inner(pair), to: &members, depth: depth + 1) }
        }
        result = .object(members.object)
      case (7, .bytes(let data)): result = .string(Data(data).base64EncodedString())
      default: break
      }
    }
    return result
  }
}
