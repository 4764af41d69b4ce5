import Compression
import Failures
import HTTPResponses
import JSON
import Tracking
import Testing
import Traces

@testable import OpenTelemetry

/// OpenTelemetry's spans, read from protobuf and JSON.
struct ExportRequestTests {
  private static func message(_ field: Int, _ bytes: [UInt8]) -> [UInt8] {
    varint(UInt64(field << 3 | 2)) + varint(UInt64(bytes.count)) + bytes
  }

  private static func text(_ field: Int, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }

  private static func varint(_ number: UInt64) -> [UInt8] {
    number < 0x80 ? [UInt8(number)] : [UInt8(number & 0x7F) | 0x80] + varint(number >> 7)
  }

  private static func fixed(_ field: Int, _ number: UInt64) -> [UInt8] {
    varint(UInt64(field << 3 | 1)) + (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
  }

  private static func attribute(_ key: String, _ any: [UInt8]) -> [UInt8] { message(9, text(1, key) + message(2, any)) }

  private static func request(_ span: [UInt8]) -> [UInt8] { message(1, message(2, message(2, span))) }

  private static let ids = message(1, Array(1...16)) + message(2, Array(1...8))

  @Test func `A span is read with every kind of value`() throws {
    let span =
      Self.ids + Self.message(4, Array(9...16)) + Self.text(5, "name") + Self.fixed(7, 1000) + Self.fixed(8, 3000)
      + Self.attribute("mlflow.spanType", Self.text(1, "TOOL"))
      + Self.attribute("flag", [2 << 3, 1])
      + Self.attribute("count", [3 << 3] + Self.varint(UInt64(bitPattern: -5)))
      + Self.attribute("share", Self.fixed(4, 0.25.bitPattern))
      + Self.attribute("list", Self.message(5, Self.message(1, Self.text(1, "a")) + Self.message(1, [])))
      + Self.attribute(
        "object", Self.message(6, Self.message(1, Self.text(1, "k") + Self.message(2, Self.text(1, "v")))))
      + Self.attribute("bytes", Self.message(7, [0, 255]))
      + Self.message(11, Self.fixed(1, 2000) + Self.text(2, "exception"))
      + Self.message(15, Self.text(2, "went wrong") + [3 << 3, 2])
    let export = try ExportRequest(protobuf: Self.request(span))
    let batches = try SpanTranslation.batches(export, experimentID: "0", runID: nil)
    let read = try #require(batches.first?.spans.first)
    #expect(batches.first?.traceID == TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))
    #expect(read.parent == SpanID(0x090A_0B0C_0D0E_0F10))
    #expect((read.name, read.kind.rawValue, read.start, read.end) == ("name", "TOOL", 1000, 3000))
    #expect(
      read.attributes == [
        "flag": true, "count": -5, "share": 0.25, "list": ["a", nil], "object": ["k": "v"], "bytes": "AP8=",
      ])
    #expect(read.events.map(\.name) == ["exception"])
    #expect(read.status == .error("went wrong"))
  }

  @Test func `Every cut of a request is refused or read, never worse`() throws {
    let whole = Self.request(
      Self.ids + Self.text(5, "name") + Self.attribute("a", Self.message(5, Self.message(1, [2 << 3, 1]))))
    var refused = 0
    for length in whole.indices {
      do { _ = try ExportRequest(protobuf: Array(whole[..<length])) } catch is WebFailure { refused += 1 }
    }
    #expect(refused == whole.count - 1)
    for place in whole.indices {
      for value: UInt8 in [0, 0x7F, 0x80, 0xFF] {
        var changed = whole
        changed[place] = value
        _ = try? SpanTranslation.batches(ExportRequest(protobuf: changed), experimentID: "0", runID: nil)
      }
    }
  }

  @Test func `Values that are nested without end are refused`() {
    var any = Self.text(1, "x")
    for _ in 0..<2000 { any = Self.message(5, Self.message(1, any)) }
    #expect(throws: WebFailure.self) { try ExportRequest(protobuf: Self.request(Self.ids + Self.attribute("a", any))) }
  }

  @Test(arguments: [[], Array(1...15), [UInt8](repeating: 0, count: 16)])
  func `A span without a proper trace is refused`(id: [UInt8]) throws {
    let export = try ExportRequest(protobuf: Self.request(Self.message(1, id) + Self.message(2, Array(1...8))))
    #expect(throws: WebFailure.self) { try SpanTranslation.batches(export, experimentID: "0", runID: nil) }
  }

  @Test func `A small body that unpacks to a huge one is refused, and never unpacked`() throws {
    let packed = try deflated([UInt8](repeating: 0, count: 50 << 20))
    #expect(packed.count < 100 << 10)
    #expect(throws: HoneError.self) { try inflated(packed, limit: 1 << 20) }
    #expect(try inflated(deflated(Array("hello".utf8)), limit: 5) == Array("hello".utf8))
    #expect(throws: HoneError.self) { try inflated(packed.dropLast(10), limit: 100 << 20) }
  }
}
