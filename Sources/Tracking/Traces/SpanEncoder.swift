import Basics
import Foundation
import JSON
import Messages
import Traces

/// Writes up to 512 spans of a trace in the compact form in which they are stored; `SpanDecoder` reads it.
///
/// JSON: `[[string, …], [span, …]]`. A string of 48 bytes or more stands once, in the first list, and is
/// elsewhere `~` and its place there; another string that begins with `~` gets a second one in front. A
/// longer string that contains an earlier one (a completion contains its reasoning, a message its
/// question) is listed as `[before, place, after]`. A span is an array of its fields (see `add(_:index:)`);
/// a prompt's shared messages are named by their digest and stored in the table `texts`.
///
/// The text is written straight into two buffers, with no tree between: recording a trace must cost
/// next to nothing beside the model calls that it tells of.
struct SpanEncoder {
  /// The most spans of one row.
  static let chunkSize = 512
  private static let sharedLength = 48
  /// Strings this long may hold others, and only so many of the first are looked for.
  private static let compositeLength = 96
  private static let containedLimit = 64

  private let origin: Int
  private var table: [UInt8] = [UInt8(ascii: "["), UInt8(ascii: "[")]
  private var body: [UInt8] = []
  private var strings = StringTable()
  private var indices: [SpanID: Int] = [:]
  private var shared: [SharedMessages] = []
  /// Where the digest of each of `shared` is listed.
  private var sharedPlaces: [Int] = []
  /// What the spans' own texts hold, for their filter.
  private var trigrams = TrigramSet()
  private var digits: [UInt8] = []

  /// A chunk of a trace's spans as it is stored.
  struct Chunk {
    var payload: [UInt8]
    /// The messages that it refers to.
    var shared: [SharedMessages]
    fileprivate var trigrams: TrigramSet

    /// - Parameter dictionary: a text that its row refers to beside those.
    func filter(dictionary: ContentDigest? = nil) -> SpanFilter {
      SpanFilter(trigrams, shared: shared.map(\.digest) + (dictionary.map { [$0] } ?? []))
    }
  }

  /// Times are kept relative to `origin`, in nanoseconds since 1970.
  static func encode(_ spans: ArraySlice<Span>, origin: Int) -> Chunk {
    var encoder = SpanEncoder(origin: origin)
    encoder.table.reserveCapacity(4096)
    encoder.body.reserveCapacity(min(spans.count, 16) * 256)
    for (index, span) in spans.enumerated() {
      if index > 0 { encoder.body.append(UInt8(ascii: ",")) }
      encoder.add(span, index: index)
    }
    var payload = encoder.table
    payload.append(contentsOf: "],[".utf8)
    payload.append(contentsOf: encoder.body)
    payload.append(contentsOf: "]]".utf8)
    return Chunk(payload: payload, shared: encoder.shared, trigrams: encoder.trigrams)
  }

  private init(origin: Int) { self.origin = origin }

  /// `[id, parent, name, kind, start - origin, end - start, inputs, outputs, status, attributes?, events?]`;
  /// the parent is its place in the chunk, or its id, or null; the last two are left out where empty.
  private mutating func add(_ span: Span, index: Int) {
    put("[\"")
    put(hexadecimal: span.id.value)
    put("\",")
    if let parent = span.parent {
      if let place = indices[parent] {
        put(place)
      } else {
        put("\"")
        put(hexadecimal: parent.value)
        put("\"")
      }
    } else {
      put("null")
    }
    indices[span.id] = index
    put(",")
    put(string: span.name)
    put(",")
    put(string: span.kind.rawValue)
    put(",")
    put(span.start &- origin)
    put(",")
    put(span.end &- span.start)
    note(time: span.start)
    note(time: span.end)
    put(",")
    put(span.inputs)
    put(",")
    put(span.outputs)
    put(",")
    switch span.status {
    case .ok: put("1")
    case .inProgress: put("0")
    case .error(let message): put(string: message)
    }
    if !span.attributes.isEmpty || !span.events.isEmpty {
      put(",")
      put(span.attributes)
    }
    if !span.events.isEmpty {
      put(",[")
      for (place, event) in span.events.enumerated() {
        put(place == 0 ? "[" : ",[")
        put(string: event.name)
        put(",")
        put(event.time &- origin)
        note(time: event.time)
        put(",")
        put(event.attributes)
        put("]")
      }
      put("]")
    }
    put("]")
  }

  /// Null for nothing; `[value]`; or, for a prompt, `[digest or null, [role, content, …]]`.
  private mutating func put(_ payload: SpanPayload) {
    switch payload {
    case .none: put("null")
    case .json(let json):
      put("[")
      put(json)
      put("]")
    case .prompt(let prompt):
      put("[")
      if prompt.shared.messages.isEmpty {
        put("null")
      } else {
        put(place: place(of: prompt.shared))
      }
      put(",[")
      for (place, message) in prompt.own.enumerated() {
        put(place == 0 ? "\"" : ",\"")
        put(message.role.rawValue)
        put("\",")
        put(string: message.content)
      }
      put("]]")
    }
  }

  private mutating func put(_ json: JSONValue) {
    switch json {
    case .string(let text): put(string: text)
    case .array(let elements):
      put("[")
      for (place, element) in elements.enumerated() {
        if place > 0 { put(",") }
        put(element)
      }
      put("]")
    case .object(let object): put(object)
    // What JSON has no word for is marked in the way of the strings' places.
    case .double(let double) where !double.isFinite: put(double.isNaN ? "\"~nan\"" : "\"~\(double)\"")
    case .int(let number): putNoted { $0.put(number) }
    case .null: put("null")
    case .bool(let flag): put(flag ? "true" : "false")
    case .double(let double): putNoted { $0.put(double.description) }
    case .number(let token): putNoted { $0.put(token) }
    }
  }

  private mutating func put(_ object: JSONObject) {
    put("{")
    for place in 0..<object.count {
      if place > 0 { put(",") }
      writeQuoted(object.keys[place], to: &body)
      trigrams.add(object.keys[place])
      put(":")
      put(object.values[place])
    }
    put("}")
  }

  /// A string, or its place in the table.
  private mutating func put(string text: String) {
    if text.utf8.count < Self.sharedLength {
      trigrams.add(text)
      if text.utf8.first == UInt8(ascii: "~") {
        writeQuoted("~" + text, to: &body)
      } else {
        writeQuoted(text, to: &body)
      }
      return
    }
    put(place: place(of: text))
  }

  private mutating func put(place: Int) {
    put("\"~")
    put(place)
    put("\"")
  }

  private mutating func place(of text: String, isSearched: Bool = true) -> Int {
    let (place, isNew) = strings.place(of: text)
    if isNew {
      list(text, place)
      if isSearched { trigrams.add(text) }
    }
    return place
  }

  /// Writes something that a search may look for as it is written.
  private mutating func putNoted(_ write: (inout SpanEncoder) -> Void) {
    let start = body.count
    write(&self)
    trigrams.add(written: body[start...])
  }

  /// Notes a time, which searches know in full.
  private mutating func note(time: Int) {
    digits.removeAll(keepingCapacity: true)
    write(time, to: &digits)
    trigrams.add(written: digits[...])
  }

  /// Where the digest of shared messages is listed.
  private mutating func place(of messages: SharedMessages) -> Int {
    if let known = shared.firstIndex(where: { $0 === messages || $0.digest == messages.digest }) {
      return sharedPlaces[known]
    }
    shared.append(messages)
    sharedPlaces.append(place(of: messages.digest.description, isSearched: false))
    return sharedPlaces[sharedPlaces.count - 1]
  }

  /// Adds a string to the list of those that stand once.
  private mutating func list(_ text: String, _ place: Int) {
    if place > 0 { table.append(UInt8(ascii: ",")) }
    if text.utf8.count >= Self.compositeLength {
      var copy = text
      let isComposite = copy.withUTF8 { utf8 in
        for part in 0..<min(place, Self.containedLimit) {
          guard let found = strings.find(part, in: utf8) else { continue }
          let end = found + strings.length(of: part)
          table.append(UInt8(ascii: "["))
          writeQuoted(UnsafeBufferPointer(rebasing: utf8[..<found]), to: &table)
          table.append(UInt8(ascii: ","))
          write(part, to: &table)
          table.append(UInt8(ascii: ","))
          writeQuoted(UnsafeBufferPointer(rebasing: utf8[end...]), to: &table)
          table.append(UInt8(ascii: "]"))
          return true
        }
        return false
      }
      if isComposite { return }
    }
    writeQuoted(text, to: &table)
  }

  private mutating func put(_ text: String) { body.append(contentsOf: text.utf8) }
  private mutating func put(_ text: StaticString) {
    body.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
  private mutating func put(_ number: Int) { write(number, to: &body) }

  private mutating func put(hexadecimal value: UInt64) {
    let start = body.count
    defer { trigrams.add(written: body[start...]) }
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
      body.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }
}

/// Strings by their bytes. Swift's own equality takes canonically equivalent strings for one, and what is
/// stored must come back as it was, byte by byte.
private struct StringTable {
  private var texts: [String] = []
  private var hashes: [UInt64] = []
  /// Places by hash, in open addressing; a power of two of them, -1 where free. Small tables are searched.
  private var slots: [Int32] = []

  func length(of place: Int) -> Int { texts[place].utf8.count }

  /// The place of a text, and whether it was given just now.
  mutating func place(of text: String) -> (place: Int, isNew: Bool) {
    var copy = text
    let hash = copy.withUTF8(Self.hash)
    if slots.isEmpty {
      for place in texts.indices where hashes[place] == hash && isEqual(place, &copy) { return (place, false) }
    } else {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] >= 0 {
        let place = Int(slots[slot])
        if hashes[place] == hash, isEqual(place, &copy) { return (place, false) }
        slot = (slot + 1) & (slots.count - 1)
      }
    }
    texts.append(text)
    hashes.append(hash)
    if texts.count > 32, texts.count * 2 > slots.count { rebuild() } else if !slots.isEmpty { insert(texts.count - 1) }
    return (texts.count - 1, true)
  }

  private mutating func rebuild() {
    slots = Array(repeating: -1, count: max(128, slots.count * 2))
    for place in texts.indices { insert(place) }
  }

  private mutating func insert(_ place: Int) {
    var slot = Int(truncatingIfNeeded: hashes[place]) & (slots.count - 1)
    while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(truncatingIfNeeded: place)
  }

  private func isEqual(_ place: Int, _ text: inout String) -> Bool {
    var known = texts[place]
    return text.withUTF8 { text in
      known.withUTF8 { known in
        guard known.count == text.count, let a = known.baseAddress, let b = text.baseAddress else { return false }
        return memcmp(a, b, text.count) == 0
      }
    }
  }

  /// Keeps whoever writes the strings from knowing which of them collide.
  private static let seed = UInt64.random(in: 0 ... .max)

  /// Eight bytes at a time; strings here have 48 and more.
  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = (seed &+ UInt64(truncatingIfNeeded: bytes.count)) &* 0x9E37_79B9_7F4A_7C15
    guard let base = bytes.baseAddress else { return hash }
    let raw = UnsafeRawPointer(base)
    func mix(_ offset: Int) {
      hash = (hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 29
    }
    var offset = 0
    while offset + 8 <= bytes.count {
      mix(offset)
      offset += 8
    }
    if bytes.count >= 8 { mix(bytes.count - 8) }
    return hash
  }

  /// Where a listed string begins in `text`. Both are UTF-8, so a match begins and ends between characters.
  func find(_ place: Int, in text: UnsafeBufferPointer<UInt8>) -> Int? {
    var copy = texts[place]
    return copy.withUTF8 { part in
      guard part.count < text.count, let base = text.baseAddress, let wanted = part.baseAddress else { return nil }
      let last = text.count - part.count
      var position = 0
      while position <= last {
        guard let hit = memchr(base + position, Int32(wanted[0]), last - position + 1) else { return nil }
        position = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
        // The end differs sooner than the beginning where texts follow one pattern.
        if base[position + part.count - 1] == wanted[part.count - 1], memcmp(base + position, wanted, part.count) == 0 {
          return position
        }
        position += 1
      }
      return nil
    }
  }
}

/// An integer in decimal digits.
private func write(_ number: Int, to buffer: inout [UInt8]) {
  if number < 0 { buffer.append(UInt8(ascii: "-")) }
  var rest = number.magnitude
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
    var first = 20
    repeat {
      first -= 1
      digits[first] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
      rest /= 10
    } while rest > 0
    buffer.append(contentsOf: digits[first..<20])
  }
}

/// A text as a JSON string.
private func writeQuoted(_ text: String, to buffer: inout [UInt8]) {
  var copy = text
  copy.withUTF8 { writeQuoted($0, to: &buffer) }
}

private func writeQuoted(_ utf8: UnsafeBufferPointer<UInt8>, to buffer: inout [UInt8]) {
  buffer.append(UInt8(ascii: "\""))
  var start = 0
  for index in 0..<utf8.count {
    let byte = utf8[index]
    guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
    buffer.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
    start = index + 1
    buffer.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0A: buffer.append(UInt8(ascii: "n"))
    case 0x09: buffer.append(UInt8(ascii: "t"))
    case 0x0D: buffer.append(UInt8(ascii: "r"))
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(byte)
    default:
      buffer.append(contentsOf: "u00".utf8)
      buffer.append(0x30 + (byte >> 4))
      let low = byte & 15
      buffer.append(low < 10 ? 0x30 + low : 0x57 + low)
    }
  }
  buffer.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
  buffer.append(UInt8(ascii: "\""))
}
