import Failures
import Foundation
import JSON
import LanguageModels
import Traces

/// The compact form in which up to 512 spans of a trace are stored, and back.
///
/// JSON: `[[string, …], [span, …]]`. A string of 48 bytes or more stands once, in the first list, and is
/// elsewhere `~` and its place there; another string that begins with `~` gets a second one in front. A
/// longer string that contains an earlier one (a completion contains its reasoning, a message its
/// question) is listed as the parts around it. A span is an array of its fields (see `encode(_:origin:)`);
/// a prompt's shared messages are named by their digest and stored in the table `texts`.
struct SpanEncoder {
  /// The most spans of one row.
  static let chunkSize = 512
  static let sharedLength = 48
  /// Strings this long may hold others.
  private static let compositeLength = 96

  private var strings: [JSONValue] = []
  private var places: [String: Int] = [:]
  /// The listed strings that others may contain.
  private var contained: [(text: String, place: Int)] = []
  private(set) var shared: [SharedMessages] = []

  /// A chunk of a trace's spans; times are kept relative to `origin`, in nanoseconds.
  static func encode(_ spans: ArraySlice<Span>, origin: Int) -> (payload: [UInt8], shared: [SharedMessages]) {
    var encoder = SpanEncoder()
    var indices: [SpanID: Int] = [:]
    var list: [JSONValue] = []
    list.reserveCapacity(spans.count)
    for (index, span) in spans.enumerated() {
      list.append(encoder.encode(span, origin: origin, earlier: indices))
      indices[span.id] = index
    }
    return (JSONValue.array([.array(encoder.strings), .array(list)]).encoded(), encoder.shared)
  }

  /// `[id, parent, name, kind, start - origin, end - start, inputs, outputs, status, attributes?, events?]`;
  /// the parent is its place in the chunk, or its id, or null; the last two are left out where empty.
  private mutating func encode(_ span: Span, origin: Int, earlier: [SpanID: Int]) -> JSONValue {
    let parent: JSONValue =
      if let parent = span.parent {
        if let index = earlier[parent] { .int(index) } else { .string(parent.description) }
      } else {
        .null
      }
    let status: JSONValue =
      switch span.status {
      case .ok: 1
      case .inProgress: 0
      case .error(let message): string(message)
      }
    var fields: [JSONValue] = [
      .string(span.id.description), parent, string(span.name), string(span.kind.rawValue), .int(span.start &- origin),
      .int(span.end &- span.start), encode(span.inputs), encode(span.outputs), status,
    ]
    if !span.attributes.isEmpty || !span.events.isEmpty { fields.append(value(.object(span.attributes))) }
    if !span.events.isEmpty {
      fields.append(
        .array(
          span.events.map { event in
            [string(event.name), .int(event.time &- origin), value(.object(event.attributes))]
          }))
    }
    return .array(fields)
  }

  /// Null for nothing; `[value]`; or, for a prompt, `[digest or null, [role, content, …]]`.
  private mutating func encode(_ payload: SpanPayload) -> JSONValue {
    switch payload {
    case .none: return .null
    case .json(let json): return .array([value(json)])
    case .prompt(let prompt):
      var digest = JSONValue.null
      if !prompt.shared.messages.isEmpty {
        if !shared.contains(where: { $0.digest == prompt.shared.digest }) { shared.append(prompt.shared) }
        digest = string(prompt.shared.digest.description)
      }
      var own: [JSONValue] = []
      for message in prompt.own {
        own.append(.string(message.role.rawValue))
        own.append(string(message.content))
      }
      return .array([digest, .array(own)])
    }
  }

  private mutating func value(_ json: JSONValue) -> JSONValue {
    switch json {
    case .string(let text): return string(text)
    case .array(let elements): return .array(elements.map { value($0) })
    case .object(let object):
      var result = JSONObject()
      for (key, member) in object { result.append(key, value(member)) }
      return .object(result)
    case .double(let double) where !double.isFinite: return .string("~" + (double.isNaN ? "nan" : "\(double)"))
    default: return json
    }
  }

  private mutating func string(_ text: String) -> JSONValue {
    if text.utf8.count < Self.sharedLength {
      return text.utf8.first == UInt8(ascii: "~") ? .string("~" + text) : .string(text)
    }
    if let place = places[text] { return .string("~\(place)") }
    let entry = parts(of: text)
    let place = strings.count
    strings.append(entry)
    places[text] = place
    if contained.count < 64 { contained.append((text, place)) }
    return .string("~\(place)")
  }

  /// The string itself, or `[before, place, after]` where it contains an earlier one.
  private func parts(of text: String) -> JSONValue {
    guard text.utf8.count >= Self.compositeLength else { return .string(text) }
    var copy = text
    return copy.withUTF8 { utf8 in
      for (part, place) in contained where part.utf8.count < utf8.count {
        guard let found = find(part, in: utf8) else { continue }
        let end = found + part.utf8.count
        return .array([
          .string(String(decoding: utf8[..<found], as: UTF8.self)), .int(place),
          .string(String(decoding: utf8[end...], as: UTF8.self)),
        ])
      }
      return .string(text)
    }
  }

  /// Where `part` begins in `text`. Both are UTF-8, so a match begins and ends between characters.
  private func find(_ part: String, in text: UnsafeBufferPointer<UInt8>) -> Int? {
    var copy = part
    return copy.withUTF8 { part in
      guard let base = text.baseAddress, let wanted = part.baseAddress else { return nil }
      let last = text.count - part.count
      var position = 0
      while position <= last {
        guard let hit = memchr(base + position, Int32(wanted[0]), last - position + 1) else { return nil }
        position = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
        if memcmp(base + position, wanted, part.count) == 0 { return position }
        position += 1
      }
      return nil
    }
  }
}

/// Reads what `SpanEncoder` wrote. Any other content is reported as damage, never trapped on.
struct SpanDecoder {
  private let strings: [String]
  private let spans: [JSONValue]
  private let origin: Int
  /// The messages stored under a digest.
  private let shared: (ContentDigest) throws -> SharedMessages

  static var damage: HoneError {
    HoneError(.storeUnavailable, "A stored trace is damaged.", remedy: "Restore a backup of the store.")
  }

  init(
    _ payload: some Sequence<UInt8>, origin: Int, shared: @escaping (ContentDigest) throws -> SharedMessages
  ) throws {
    guard let value = try? JSONReader.read(payload, maximumDepth: 200), let entries = value[0]?.arrayValue,
      let spans = value[1]?.arrayValue
    else { throw Self.damage }
    var strings: [String] = []
    strings.reserveCapacity(entries.count)
    for entry in entries {
      if let text = entry.stringValue {
        strings.append(text)
      } else if let before = entry[0]?.stringValue, let place = entry[1]?.intValue, let after = entry[2]?.stringValue,
        strings.indices.contains(place)
      {
        strings.append(before + strings[place] + after)
      } else {
        throw Self.damage
      }
    }
    self.strings = strings
    self.spans = spans
    self.origin = origin
    self.shared = shared
  }

  var count: Int { spans.count }

  /// A span as it is stored.
  func raw(_ index: Int) -> JSONValue? { spans.indices.contains(index) ? spans[index] : nil }

  func span(_ index: Int) throws -> Span {
    guard spans.indices.contains(index), case .array(let fields) = spans[index], fields.count >= 9,
      let id = fields[0].stringValue.flatMap(SpanID.init), let start = fields[4].intValue,
      let length = fields[5].intValue
    else { throw Self.damage }
    let status: TraceStatus =
      switch fields[8] {
      case .int(0): .inProgress
      case .int: .ok
      default: .error(try string(fields[8]))
      }
    var span = Span(
      id: id, parent: try parent(fields[1]), name: try string(fields[2]),
      kind: SpanKind(rawValue: try string(fields[3])),
      start: start &+ origin, end: start &+ origin &+ length, inputs: try payload(fields[6]),
      outputs: try payload(fields[7]), status: status)
    if fields.count > 9, case .object(let attributes) = try value(fields[9]) { span.attributes = attributes }
    if fields.count > 10 {
      span.events = try (fields[10].arrayValue ?? []).map { event in
        guard let name = event[0], let time = event[1]?.intValue,
          case .object(let attributes)? = try event[2].map(value)
        else { throw Self.damage }
        return SpanEvent(name: try string(name), time: time &+ origin, attributes: attributes)
      }
    }
    return span
  }

  private func parent(_ field: JSONValue) throws -> SpanID? {
    switch field {
    case .null: return nil
    case .int(let index):
      guard let id = spans.indices.contains(index) ? spans[index][0]?.stringValue.flatMap(SpanID.init) : nil else {
        throw Self.damage
      }
      return id
    default:
      guard let id = field.stringValue.flatMap(SpanID.init) else { throw Self.damage }
      return id
    }
  }

  private func payload(_ field: JSONValue) throws -> SpanPayload {
    guard case .array(let parts) = field else { return .none }
    if parts.count == 1 { return .json(try value(parts[0])) }
    guard parts.count == 2, let own = parts[1].arrayValue, own.count.isMultiple(of: 2) else { throw Self.damage }
    var messages: [ChatMessage] = []
    for index in stride(from: 0, to: own.count, by: 2) {
      guard let role = own[index].stringValue.flatMap(ChatMessage.Role.init) else { throw Self.damage }
      messages.append(ChatMessage(role, try string(own[index + 1])))
    }
    if parts[0].isNull { return .prompt(Prompt(messages)) }
    guard let digest = ContentDigest(hexadecimal: try string(parts[0])) else { throw Self.damage }
    return .prompt(Prompt(shared: try shared(digest), own: messages))
  }

  private func string(_ field: JSONValue) throws -> String {
    guard case .string(let text) = field else { throw Self.damage }
    guard text.utf8.first == UInt8(ascii: "~") else { return text }
    let rest = text.dropFirst()
    if rest.utf8.first == UInt8(ascii: "~") { return String(rest) }
    guard let place = Int(rest), strings.indices.contains(place) else { throw Self.damage }
    return strings[place]
  }

  private func value(_ field: JSONValue) throws -> JSONValue {
    switch field {
    case .string("~nan"): .double(.nan)
    case .string("~inf"): .double(.infinity)
    case .string("~-inf"): .double(-.infinity)
    case .string: .string(try string(field))
    case .array(let elements): .array(try elements.map(value))
    case .object(let object): .object(JSONObject(try object.map { ($0.key, try value($0.value)) }))
    default: field
    }
  }
}

extension ContentDigest {
  init?(hexadecimal text: String) {
    guard let bytes = blob(text) else { return nil }
    self.init(bytes: bytes)
  }
}
