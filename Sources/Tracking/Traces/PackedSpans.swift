import Basics
import Compression
import Foundation
import JSON
import Messages
import Traces

/// Spans of clients' traces, packed: what `SpanEncoder` writes as a deflate stream, whose dictionary is the messages that
/// the longest prompt begins with. They are stored once for all traces, and most of a trace repeats them.
///
/// A row begins with a byte that tells the forms apart: `[` is plain, 1 is packed, 2 is packed with a dictionary, whose
/// digest follows.
enum PackedSpans {
  /// The most that a row of the table unpacks to.
  private static let limit = 1 << 30

  struct Row {
    var payload: Data
    /// The texts it refers to, for the table `texts`.
    var texts: [SharedMessages]
    var filter: SpanFilter
  }

  static func pack(_ spans: ArraySlice<Span>, origin: Int) throws -> Row {
    let chunk = SpanEncoder.encode(spans, origin: origin)
    guard let beginning = commonMessages(spans) else {
      return Row(
        payload: Data([1] + (try deflated(chunk.payload))), texts: chunk.shared, filter: chunk.filter())
    }
    let dictionary = [UInt8](SharedTexts.content(beginning.messages))
    let packed = try deflated(chunk.payload, dictionary: dictionary)
    return Row(
      payload: Data([2] + beginning.digest.bytes + packed), texts: chunk.shared + [beginning],
      filter: chunk.filter(dictionary: beginning.digest))
  }

  /// The digest of the dictionary that a row is packed with; nil where it has none.
  static func dictionary(_ payload: Data) -> ContentDigest? {
    guard payload.first == 2 else { return nil }
    return ContentDigest(bytes: payload.dropFirst().prefix(32))
  }

  static func unpacked(
    _ payload: some Sequence<UInt8>, _ shared: (ContentDigest) throws -> SharedMessages
  ) throws -> [UInt8] {
    let bytes = Array(payload)
    switch bytes.first {
    case 1: return try inflated(bytes.dropFirst(), limit: limit)
    case 2:
      let length = 32
      guard bytes.count > length, let digest = ContentDigest(bytes: Data(bytes[1...length])) else {
        throw SpanDecoder.damage
      }
      let dictionary = [UInt8](SharedTexts.content(try shared(digest).messages))
      return try inflated(bytes.dropFirst(1 + length), dictionary: dictionary, limit: limit)
    default: return bytes
    }
  }

  /// All but the last of the longest list of messages in the spans.
  private static func commonMessages(_ spans: ArraySlice<Span>) -> SharedMessages? {
    var longest: [ChatMessage] = []
    for span in spans {
      for payload in [span.inputs, span.outputs] {
        guard let json = payload.json else { continue }
        for candidate in [json, json["messages"]] {
          guard let list = candidate?.arrayValue, list.count > max(1, longest.count), list.count <= 200 else {
            continue
          }
          let messages = list.compactMap { message -> ChatMessage? in
            guard let role = message["role"]?.stringValue.flatMap(ChatMessage.Role.init) else { return nil }
            return message["content"]?.stringValue.map { ChatMessage(role, $0) }
          }
          if messages.count == list.count { longest = messages }
        }
      }
    }
    guard longest.count > 1 else { return nil }
    return SharedMessages(longest.dropLast())
  }
}
