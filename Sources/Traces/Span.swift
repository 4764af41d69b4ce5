package import Basics
package import JSON
package import Messages

/// The identity of a trace: 16 bytes, written `tr-` and 32 hexadecimal digits.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A new id. It begins with the time in milliseconds, so that traces of one time lie together in the store.
  package static func random() -> TraceID {
    TraceID(high: UInt64(wallClock() / 1_000_000) << 16 | IDSource.next() >> 48, low: max(1, IDSource.next()))
  }

  /// The identity that follows from some content.
  package init(_ digest: ContentDigest) {
    let words = digest.bytes.prefix(16).reduce(into: (high: UInt64(0), low: UInt64(0), count: 0)) { words, byte in
      if words.count < 8 {
        words.high = words.high << 8 | UInt64(byte)
      } else {
        words.low = words.low << 8 | UInt64(byte)
      }
      words.count += 1
    }
    self.init(high: words.high, low: words.low)
  }

  /// From `tr-` and 32 hexadecimal digits.
  package init?(_ text: String) {
    guard text.utf8.count == 35, text.hasPrefix("tr-"),
      let high = UInt64(text.dropFirst(3).prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }

  package var description: String { "tr-" + high.hexadecimal + low.hexadecimal }
}

/// The identity of a span within its trace: 8 bytes, written as 16 hexadecimal digits.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
  package let value: UInt64
  package init(_ value: UInt64) { self.value = value }
  package static func random() -> SpanID { SpanID(max(1, IDSource.next())) }

  package init?(_ text: String) {
    guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
    self.init(value)
  }

  package var description: String { value.hexadecimal }
}

extension UInt64 {
  /// 16 hexadecimal digits.
  fileprivate var hexadecimal: String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

/// What a span stands for, in the words that MLflow uses.
package struct SpanKind: RawRepresentable, Hashable, Sendable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }

  package static let chain = SpanKind(rawValue: "CHAIN")
  package static let chatModel = SpanKind(rawValue: "CHAT_MODEL")
  package static let evaluator = SpanKind(rawValue: "EVALUATOR")
  package static let llm = SpanKind(rawValue: "LLM")
  package static let parser = SpanKind(rawValue: "PARSER")
  package static let embedding = SpanKind(rawValue: "EMBEDDING")
  package static let retriever = SpanKind(rawValue: "RETRIEVER")
  package static let tool = SpanKind(rawValue: "TOOL")
  package static let agent = SpanKind(rawValue: "AGENT")
  package static let unknown = SpanKind(rawValue: "UNKNOWN")
}

/// What went into a span or came out of it.
package enum SpanPayload: Sendable {
  case none
  case json(JSONValue)
  /// The messages of a prompt. A store may keep their shared beginning once for all spans.
  case prompt(Prompt)

  /// The payload as JSON: the value itself, or the list of messages.
  package var json: JSONValue? {
    switch self {
    case .none: nil
    case .json(let value): value
    case .prompt(let prompt): prompt.json
    }
  }
}

/// How a span or a trace ended.
package enum TraceStatus: Sendable, Hashable {
  case inProgress
  case ok
  case error(String)
}

/// Something that happened at one moment of a span (an exception, for one).
package struct SpanEvent: Sendable, Hashable {
  package var name: String
  /// Nanoseconds since 1970, UTC.
  package var time: Int
  package var attributes: JSONObject

  package init(name: String, time: Int, attributes: JSONObject) {
    self.name = name
    self.time = time
    self.attributes = attributes
  }
}

/// One step of an execution: what it was, when, with what, and what came of it.
package struct Span: Sendable {
  package var id: SpanID
  package var parent: SpanID?
  package var name: String
  package var kind: SpanKind
  /// Nanoseconds since 1970, UTC.
  package var start: Int
  package var end: Int
  package var inputs: SpanPayload
  package var outputs: SpanPayload
  package var attributes: JSONObject
  package var events: [SpanEvent]
  package var status: TraceStatus

  package init(
    id: SpanID, parent: SpanID?, name: String, kind: SpanKind, start: Int, end: Int = 0,
    inputs: SpanPayload = .none, outputs: SpanPayload = .none, attributes: JSONObject = [:],
    events: [SpanEvent] = [], status: TraceStatus = .inProgress
  ) {
    self.id = id
    self.parent = parent
    self.name = name
    self.kind = kind
    self.start = start
    self.end = end
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
    self.events = events
    self.status = status
  }
}
