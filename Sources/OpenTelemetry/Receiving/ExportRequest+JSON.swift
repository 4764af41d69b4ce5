import Foundation
import HTTPResponses
import JSON
import Schema

extension ExportRequest {
  /// Reads OTLP in JSON.
  ///
  /// - Throws: `WebFailure` (400) for what is no JSON object.
  init(json bytes: [UInt8]) throws {
    let root: JSONValue
    do throws(JSONSyntaxError) {
      root = try JSONReader.read(bytes, maximumValues: JSONReader.messageValues)
    } catch {
      throw WebFailure.invalid("The body is not an OTLP trace export in JSON: \(error).")
    }
    guard root.objectValue != nil else {
      throw WebFailure.invalid("The body is not an OTLP trace export in JSON: it is no object.")
    }
    resources = OTLPExport(root).resourceSpans.map { entry in
      Resource(
        attributes: entry.resource.attributes.object,
        spans: entry.scopeSpans.flatMap { $0.spans.map(ExportedSpan.init) })
    }
  }
}

extension ExportedSpan {
  init(_ span: OTLPSpan) {
    traceID = Self.identifier(span.traceID, count: 16)
    spanID = Self.identifier(span.spanID, count: 8)
    parentID = Self.identifier(span.parentSpanID ?? "", count: 8)
    name = span.name
    start = Self.time(span.start.value)
    end = Self.time(span.end.value)
    attributes = span.attributes.object
    events = span.events.map { event in
      Event(name: event.name, time: Self.time(event.time.value), attributes: event.attributes.object)
    }
    switch span.status?.code {
    case .string(let word)?: statusCode = word.hasSuffix("ERROR") ? 2 : word.hasSuffix("OK") ? 1 : 0
    case let code: statusCode = code?.intValue ?? 0
    }
    statusMessage = span.status?.message ?? ""
  }

  /// An id in hexadecimal digits, or in base64 as protobuf's own JSON has it.
  private static func identifier(_ text: String, count: Int) -> [UInt8] {
    if text.utf8.count == count * 2 {
      let digits = Array(text.utf8)
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
      if bytes.count == count { return bytes }
    }
    return Data(base64Encoded: text).map { Array($0) } ?? []
  }

  private static func time(_ nanoseconds: Int) -> UInt64 { UInt64(max(0, nanoseconds)) }
}
