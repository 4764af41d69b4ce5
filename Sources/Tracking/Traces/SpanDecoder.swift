import Basics
import Failures
import Foundation
import JSON
import Messages
import Traces

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
    try self.init(text: try PackedSpans.unpacked(payload, shared), origin: origin, shared: shared)
  }

  /// - Parameter text: a row's content, unpacked.
  init(text: [UInt8], origin: Int, shared: @escaping (ContentDigest) throws -> SharedMessages) throws {
    guard let value = try? JSONReader.read(text, maximumDepth: 200), let entries = value[0]?.arrayValue,
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

  /// - Parameter body: whether inputs, outputs, events and all attributes are decoded, too.
  func span(_ index: Int, body: Bool = true) throws -> Span {
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
      start: start &+ origin, end: start &+ origin &+ length, status: status)
    if !body {
      if fields.count > 9, case .object(let attributes) = fields[9] {
        let some = attributes.filter(Span.outlineAttributes.contains)
        span.attributes = JSONObject(try some.map { ($0.key, try value($0.value)) })
      }
      return span
    }
    span.inputs = try payload(fields[6])
    span.outputs = try payload(fields[7])
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
