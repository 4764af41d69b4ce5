package import JSON

/// Reads what models write where JSON was asked for: fenced in backticks, with Python's words, tuples, sets and
/// quotes, without quotes, with trailing commas, comments, quotes unescaped inside a text, brackets of the
/// wrong kind, or cut off before the closing brackets.
///
/// Strict JSON is tried first. A value is read whole or not at all: where the text allows two readings, or
/// where words would have to be left out, nothing is returned. Works on UTF-8 and in time proportional to the
/// text, whatever it holds.
package enum LenientJSON {
  static let maximumSize = 1_000_000

  /// A value, and whether its text was anything but JSON (white space and a fence aside).
  struct Reading {
    var value: JSONValue
    var isRepaired: Bool
  }

  /// The one value that the whole text, less a fence around it, stands for.
  package static func read(_ text: String) -> JSONValue? { reading(text)?.value }

  static func reading(_ text: String, fillsCutOff: Bool = true) -> Reading? {
    if let value = try? JSONReader.read(text) { return Reading(value: value, isRepaired: false) }
    var body = Array(text.utf8)[...]
    let inner = unfenced(body)
    // Two fences hold two values.
    if !body[inner.endIndex...].dropFirst(fence.count).containsFence { body = inner }
    if body.count < text.utf8.count, let value = try? JSONReader.read(body) {
      return Reading(value: value, isRepaired: false)
    }
    guard body.count <= maximumSize, !isHeader(body.drop(while: isSpace)) else { return nil }
    guard
      let value = whole(body, fillsCutOff) ?? unescaped(body).flatMap({ whole($0, fillsCutOff) })
        ?? undoubled(body).flatMap({ whole($0, fillsCutOff) })
    else { return nil }
    return Reading(value: value, isRepaired: true)
  }

  /// Whether a text is an object of several members, or of one that is no single value: none of them is the value of a
  /// text that should be one.
  static func isRecord(_ text: String) -> Bool {
    guard text.utf8.first(where: { !isSpace($0) }) == .openBrace, case .object(let object)? = read(text) else {
      return false
    }
    return object.count > 1 || object.contains { $0.value.isContainer }
  }

  /// The first object with any member in a text that holds other words too; never one out of a larger value. A member
  /// that was cut off before its value is missing from it.
  package static func firstObject(in text: String) -> JSONObject? {
    if case .object(let object)? = reading(text, fillsCutOff: false)?.value { return object }
    for found in values(in: text, fillsCutOff: false) {
      if case .object(let object) = found.value, !object.isEmpty { return object }
    }
    return nil
  }

  /// The values that a text without brackets of its own lists: `1, 2, 3`, `'a', 'b'`, objects on a line each.
  static func sequence(_ text: String) -> [JSONValue]? {
    let body = unfenced(Array(text.utf8)[...])
    guard body.count <= maximumSize else { return nil }
    var reader = LenientReader(body, wrongClosers: .closeOuter)
    return reader.sequence()
  }

  /// A sequence's values as one list; of lists and objects of which at most one holds anything, that one.
  static func joined(_ values: [JSONValue]) -> JSONValue {
    let full = values.filter { $0 != [] && $0 != .object([:]) }
    return full.count <= 1 && values.allSatisfy(\.isContainer) ? full.first ?? values[0] : .array(values)
  }

  /// The object of a text that holds its members but no braces: `"a": 1, "b": 2`.
  static func members(_ text: String) -> JSONValue? {
    let body = unfenced(Array(text.utf8)[...])
    guard body.count <= maximumSize, body.first(where: { !isSpace($0) }) == .quote, body.contains(UInt8(ascii: ":")),
      body.last(where: { !isSpace($0) }) != UInt8(ascii: ":")
    else { return nil }
    return whole([.openBrace] + body)
  }

  /// What the whole of `body` stands for. A closing bracket of the wrong kind may be read in several ways; the
  /// first way that leaves nothing over is taken, else one that leaves closing brackets over.
  private static func whole(_ body: ArraySlice<UInt8>, _ fillsCutOff: Bool = true) -> JSONValue? {
    for admitsClosers in [false, true] {
      for wrongClosers in LenientReader.WrongClosers.allCases {
        var reader = LenientReader(body, wrongClosers: wrongClosers, fillsCutOff: fillsCutOff)
        guard let value = reader.value() else {
          guard reader.hasMetWrongCloser else { return nil }
          continue
        }
        if reader.isAtEnd(closersToo: admitsClosers && value.isContainer) { return value }
        guard reader.hasMetWrongCloser else { break }
      }
    }
    return nil
  }

  /// The text with one layer of escapes taken away, if its first quote is escaped: `{\"a\": \"b\"}`.
  private static func unescaped(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let first = body.firstIndex(where: { !isSpace($0) && !"[{(".utf8.contains($0) }),
      first > body.startIndex, body[first...].starts(with: [.backslash, .quote])
    else { return nil }
    var plain: [UInt8] = []
    plain.reserveCapacity(body.count)
    var isEscaped = false
    for byte in body {
      if byte == .backslash, !isEscaped {
        isEscaped = true
        continue
      }
      if isEscaped, byte != .quote, byte != .backslash, byte != UInt8(ascii: "n") { plain.append(.backslash) }
      plain.append(isEscaped && byte == UInt8(ascii: "n") ? 0x0A : byte)
      isEscaped = false
    }
    return plain[...]
  }

  /// The text with each two quotes made one, if its first quote is doubled: `{""a"": ""b""}`.
  private static func undoubled(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard let first = body.firstIndex(where: { !isSpace($0) && !"[{(".utf8.contains($0) }), first > body.startIndex,
      body[first...].starts(with: [.quote, .quote]), let next = body[first...].dropFirst(2).first,
      next == UInt8(ascii: "_") || isAlphanumeric(next)
    else { return nil }
    var plain: [UInt8] = []
    plain.reserveCapacity(body.count)
    var place = body.startIndex
    while place < body.endIndex {
      let byte = body[place]
      let end = body[place...].firstIndex { $0 != byte } ?? body.endIndex
      switch byte {
      case .quote:
        // One that is not doubled, or a text of nothing: the others may not be doubled either.
        guard (end - place).isMultiple(of: 2),
          end - place > 2 || plain.last.map(":[,(".utf8.contains) != true
            || body[end...].first.map(",]})".utf8.contains) != true
        else { return nil }
        plain.append(contentsOf: body[place..<end].dropLast((end - place) / 2))
      case UInt8(ascii: "'"): plain.append(contentsOf: body[place..<end].dropLast((end - place) / 2))
      default: plain.append(contentsOf: body[place..<end])
      }
      place = end
    }
    return plain[...]
  }

  /// The text inside a fence of backticks, or the whole text where there is none. A fence that is never
  /// closed reaches to the end.
  package static func unfenced(_ text: String) -> String {
    String(decoding: unfenced(Array(text.utf8)[...]), as: UTF8.self)
  }

  private static func unfenced(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let start = text.firstIndex(where: { !isSpace($0) }) else { return text }
    guard text[start...].starts(with: fence), let lineEnd = text[start...].firstIndex(of: 0x0A) else {
      return withoutClosingFence(text)
    }
    return inside(text[(lineEnd + 1)...])
  }

  /// The text inside the one fence that stands among other words; nil where there is none, or more than one.
  static func fencedBlock(in text: String) -> String? {
    var blocks: [ArraySlice<UInt8>] = []
    var rest = Array(text.utf8)[...]
    while blocks.count < 2, let start = rest.firstIndex(of: fence[0]) {
      guard rest[start...].starts(with: fence) else {
        rest = rest[(start + 1)...]
        continue
      }
      guard let lineEnd = rest[start...].firstIndex(of: 0x0A) else { break }
      let block = inside(rest[(lineEnd + 1)...])
      blocks.append(block)
      rest = rest[(block.endIndex < rest.endIndex ? block.endIndex + fence.count : block.endIndex)...]
    }
    return blocks.count == 1 ? String(decoding: blocks[0], as: UTF8.self) : nil
  }

  /// What stands before the line that closes a fence. Words behind that line are the model's, not the value's.
  private static func inside(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var position = body.startIndex
    while position < body.endIndex {
      let end = body[position...].firstIndex(of: 0x0A) ?? body.endIndex
      let line = body[position..<end].drop(while: isSpace)
      if line.starts(with: fence) { return body[..<line.startIndex] }
      position = end + 1
    }
    return withoutClosingFence(body)
  }

  /// Without a fence behind the last bracket, on its line or alone.
  private static func withoutClosingFence(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let last = body.lastIndex(where: { !isSpace($0) }), body[...last].reversed().starts(with: fence),
      let end = body[...last].lastIndex(where: { $0 != fence[0] && !isSpace($0) }), "}])".utf8.contains(body[end])
    else { return body }
    return body[...end]
  }

  private static let fence = Array("```".utf8)

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

extension LenientJSON {
  /// A list or object found among words.
  struct Found {
    var value: JSONValue
    /// Where it stands in the text's UTF-8.
    var range: Range<Int>
    /// Whether nothing but commas and white space is between it and the one before.
    var isNextToTheOneBefore: Bool
  }

  /// The lists and objects that stand among words, none of them inside another; twenty places are tried.
  ///
  /// A bracket that opens nothing readable is passed over with all it encloses.
  static func values(in text: String, fillsCutOff: Bool = true) -> [Found] {
    let body = Array(text.utf8).prefix(maximumSize)
    var found: [Found] = []
    var position = body.startIndex
    var lastEnd = body.startIndex
    let dips = dips(in: body)
    for _ in 0..<20 {
      guard let start = body[position...].firstIndex(where: { $0 == .openBrace || $0 == .openBracket }) else { break }
      var reader = LenientReader(body[start...], wrongClosers: .closeOuter, fillsCutOff: fillsCutOff)
      if standsAlone(start, in: body), let value = reader.value(), !reader.hasCutOffBareText,
        !dips[reader.position], !goesOn(behind: reader.position, body[..<start].last, in: body)
      {
        position = reader.position
        let isNext = !found.isEmpty && body[lastEnd..<start].allSatisfy { isSpace($0) || $0 == UInt8(ascii: ",") }
        // `[note]` is a mark in a sentence rather than a list, `[[` at the end the beginning of something else.
        guard isNext || isAnnounced(start, in: body) || !reader.isOneBareWord(value) else { continue }
        if value.isBlank, let last = body.last(where: { !isSpace($0) }), position == body.endIndex,
          !"}]".utf8.contains(last)
        {
          continue
        }
        found.append(Found(value: value, range: start..<position, isNextToTheOneBefore: isNext))
        lastEnd = position
      } else if let end = balancedEnd(of: start, in: body) {
        position = end
      } else {
        break
      }
    }
    return found
  }

  /// Whether a bracket is neither an index or a type's parameter (`list[str]`) nor the value of a quoted key.
  private static func standsAlone(_ start: Int, in body: ArraySlice<UInt8>) -> Bool {
    if isHeader(body[start...]) { return false }
    guard let before = body[..<start].last else { return true }
    if body[start] == .openBracket, isAlphanumeric(before) || "_])\\".utf8.contains(before) { return false }
    let words = body[..<start].suffix(64)
    guard let colon = words.lastIndex(where: { !isSpace($0) }), body[colon] == UInt8(ascii: ":") else { return true }
    return words[..<colon].last(where: { !isSpace($0) }) != .quote
  }

  /// Whether a section's header begins here.
  private static func isHeader(_ text: ArraySlice<UInt8>) -> Bool {
    text.starts(with: "[[ ##".utf8) || text.starts(with: "[[##".utf8)
  }

  /// Whether a colon or an equals sign says that a value follows; without a space they are code's.
  private static func isAnnounced(_ start: Int, in body: ArraySlice<UInt8>) -> Bool {
    let lead = body[..<start].suffix(LenientReader.lookAhead)
    return lead.last.map(isSpace) ?? false && lead.last { !isSpace($0) }.map(":=".utf8.contains) ?? false
  }

  /// For each place whether a bracket behind it closes one before it, which a value that ends there is then in.
  private static func dips(in body: ArraySlice<UInt8>) -> [Bool] {
    var dips = [Bool](repeating: false, count: body.count + 1)
    var depth = 0
    for place in body.indices.reversed() {
      switch body[place] {
      case .openBrace, .openBracket: depth = min(0, depth + 1)
      case .closeBrace, .closeBracket: depth -= 1
      default: break
      }
      dips[place] = depth < 0
    }
    return dips
  }

  /// Whether what follows a value looks like the rest of it: more members, or the end of a text.
  private static func goesOn(behind end: Int, _ before: UInt8?, in body: ArraySlice<UInt8>) -> Bool {
    if let next = body[end...].first, next == .quote || next == UInt8(ascii: "'") { return next != before }
    let rest = body[end...].prefix(64).drop(while: isSpace)
    return rest.first == UInt8(ascii: ",") && rest.dropFirst().first { !isSpace($0) } == .quote
  }

  /// The place behind the bracket that closes the one at `start`, brackets of its kind counted.
  private static func balancedEnd(of start: Int, in body: ArraySlice<UInt8>) -> Int? {
    let open = body[start]
    let close: UInt8 = open == .openBrace ? .closeBrace : .closeBracket
    var depth = 0
    for place in start..<body.endIndex {
      if body[place] == open { depth += 1 }
      if body[place] == close {
        depth -= 1
        if depth == 0 { return place + 1 }
      }
    }
    return nil
  }

  static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
  }
}

extension JSONValue {
  var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  /// Whether this is an object or a list of nothing.
  fileprivate var isBlank: Bool { arrayValue?.allSatisfy(\.isBlank) ?? objectValue?.isEmpty ?? false }
}

extension ArraySlice<UInt8> {
  /// Whether a line of backticks begins in it.
  fileprivate var containsFence: Bool {
    var run = 0
    for byte in self {
      run = byte == UInt8(ascii: "`") ? run + 1 : 0
      if run == 3 { return true }
    }
    return false
  }
}

extension UInt8 {
  static let quote = UInt8(ascii: "\"")
  static let backslash = UInt8(ascii: "\\")
  static let openBrace = UInt8(ascii: "{")
  static let closeBrace = UInt8(ascii: "}")
  static let openBracket = UInt8(ascii: "[")
  static let closeBracket = UInt8(ascii: "]")
}
