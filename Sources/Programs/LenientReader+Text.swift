import JSON

extension LenientReader {
  // MARK: Quoted texts

  /// The bytes that close a text if a quote of some kind opens one here.
  func closingQuote() -> [UInt8]? {
    switch current {
    case let quote? where quote == .quote || quote == UInt8(ascii: "'"):
      // Three are Python's quotes for long texts.
      bytes[position...].starts(with: [quote, quote, quote]) && byte(at: position + 3) != quote
        ? [quote, quote, quote] : [quote]
    case 0xE2 where bytes[position...].starts(with: "“".utf8): Array("”".utf8)
    case 0xE2 where bytes[position...].starts(with: "‘".utf8): Array("’".utf8)
    default: nil
    }
  }

  /// A quoted text; nil where its end cannot be told.
  ///
  /// Inside brackets a quote ends it only where something of JSON's follows, so that quotes which the model
  /// forgot to escape stay in the text.
  mutating func text(closedBy closing: [UInt8], in place: Place) -> String? {
    position += closing.count
    var text: [UInt8] = []
    var quotes = InnerQuotes()
    let quote = closing[0]
    while let byte = current {
      position += 1
      if byte == quote, closing.count == 1 || bytes[(position - 1)...].starts(with: closing) {
        position += closing.count - 1
        if place == .top || closing.count > 1 { return String(decoding: text, as: UTF8.self) }
        if endsText(place, quotes) {
          if quotes.isOpen, quotes.lastBeganText, !Self.isBlankBehindLastQuote(text, quote) { return nil }
          // `""x"`: the opening quote was doubled, and in `""x""` the closing one as well.
          if text.first == quote, quotes.count == 1 || (quotes.count == 2 && text.last == quote) {
            text.removeFirst()
            if quotes.count == 2 { text.removeLast() }
          }
          // A line's end before the closing quote is layout.
          if bytes[position - 2] == 0x0A { Self.trimEnd(of: &text) }
          return String(decoding: text, as: UTF8.self)
        }
        if place == .member, let end = quotes.nextMember, isColon(at: position) {
          // `{"a": "x, "b": 1}`: the quote behind x is missing, and b is a key.
          position = end.position
          text.removeSubrange(end.length...)
          return giveBackClosers(before: end.position, &text) ? String(decoding: text, as: UTF8.self) : nil
        }
        // `"a": "b": 1` and `["a], "b": 1`: what was read is a key where a value should be, or holds one.
        if isColon(at: position), place == .element || quotes.count == 0 { return nil }
        guard quotes.take(before: position - 1, in: bytes, text: text) else { return nil }
        text.append(byte)
      } else if byte == .backslash, let escape = current {
        position += 1
        append(escape, to: &text)
      } else {
        if byte == .closeBrace { quotes.close() }
        if byte == 0x9E, text.suffix(2) == [0xE2, 0x80] { quotes.hasLowQuote = true }
        text.append(byte)
      }
    }
    guard place != .top, giveBackClosers(&text) else { return nil }
    Self.trimEnd(of: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private static func isBlankBehindLastQuote(_ text: [UInt8], _ quote: UInt8) -> Bool {
    text.last { !LenientJSON.isSpace($0) } == quote
  }

  private static func trimEnd(of text: inout [UInt8]) {
    while let last = text.last, LenientJSON.isSpace(last) { text.removeLast() }
  }

  /// The quotes inside a text that did not end it.
  struct InnerQuotes {
    private(set) var count = 0
    /// How many braces of JSON inside the text are open.
    private(set) var braces = 0
    /// Whether a low quote („) is open, which a plain one may close.
    var hasLowQuote = false
    /// Where the text would end if the last quote opened the next member's key.
    private(set) var nextMember: (position: Int, length: Int)?

    /// Whether the last one stood where a text would begin: behind a comma, a bracket or a line's end.
    private(set) var lastBeganText = false

    var isOpen: Bool { !count.isMultiple(of: 2) }

    mutating func close() { braces = max(0, braces - 1) }

    /// Keeps the quote at `place`; false where it looks like the end of the text, though words follow.
    mutating func take(before place: Int, in bytes: ArraySlice<UInt8>, text: [UInt8]) -> Bool {
      let before = bytes[..<place].last ?? 0
      let after = bytes[place...].dropFirst().first ?? 0
      if hasLowQuote {
        hasLowQuote = false
        return true
      }
      if count == 0, !LenientJSON.isSpace(before), LenientJSON.isSpace(after), !"([{=>".utf8.contains(before) {
        return false
      }
      count += 1
      if before == .openBrace { braces += 1 }
      let words = text.suffix(LenientReader.lookAhead)
      nextMember = nil
      lastBeganText = false
      if let last = words.lastIndex(where: { !LenientJSON.isSpace($0) }), braces == 0 {
        // `"x, b: "y"`: whether b is a key cannot be told.
        if words[last] == UInt8(ascii: ":"), LenientReader.isWordBehindComma(words[..<last]) { return false }
        lastBeganText = ",[{".utf8.contains(words[last]) || words[last...].contains(0x0A)
        if words[last] == UInt8(ascii: ",") {
          nextMember = (place - (text.count - last), last)
        } else if words[last...].contains(0x0A) {
          nextMember = (place - (text.count - last) + 1, last + 1)
        }
      }
      return true
    }
  }

  /// Whether the quote just passed ends the text, by what follows it.
  private func endsText(_ place: Place, _ quotes: InnerQuotes) -> Bool {
    guard let next = significantByte(from: position) else { return true }
    switch bytes[next] {
    case UInt8(ascii: ","), UInt8(ascii: ";"):
      guard quotes.braces == 0 else { return false }
      guard place == .member, quotes.isOpen else { return true }
      // A quotation inside the text may end before a comma; a member's end comes before a key.
      guard let behind = significantByte(from: next + 1) else { return true }
      return ",}])#/".utf8.contains(bytes[behind]) || isKey(at: next + 1)
    case UInt8(ascii: ":"): return place == .element && quotes.count == 0
    case let byte where "}])".utf8.contains(byte):
      guard quotes.braces == 0, closers.contains(byte) || (place == .member && byte == .closeBrace) else {
        return false
      }
      guard let behind = self.byte(at: next + 1) else { return true }
      if LenientJSON.isSpace(behind) || ",;}])".utf8.contains(behind) { return true }
      // Words may follow the whole value.
      return byte == closers.last && "`.<#/:{[".utf8.contains(behind)
    case UInt8(ascii: "#"): return next > position
    case UInt8(ascii: "/"):
      return byte(at: next + 1) == UInt8(ascii: "/") || byte(at: next + 1) == UInt8(ascii: "*")
    case UInt8.quote, UInt8(ascii: "'"):
      if place == .member { return quotes.braces == 0 && isQuotedKey(at: position) }
      guard next > position, !quotes.isOpen, let behind = byte(at: next + 1) else { return false }
      return !LenientJSON.isSpace(behind) && !",}])".utf8.contains(behind)
    case .openBrace, .openBracket:
      return place == .element && quotes.count == 0 && bytes[position..<next].contains(0x0A)
    case UInt8(ascii: "`"): return bytes[next...].allSatisfy { $0 == UInt8(ascii: "`") }
    default:
      if place == .element, quotes.count == 0, next > position {
        return isElement(at: next)
      }
      return place == .member && bytes[position..<next].contains(0x0A) && isKey(at: position)
    }
  }

  /// Whether an element without quotes stands here, the comma before which was left out: `"a" 1]`, `"a" b]`.
  private func isElement(at start: Int) -> Bool {
    var reader = self
    reader.position = start
    if reader.word() != nil {
      return reader.significantByte(from: reader.position).map { ",]})".utf8.contains(bytes[$0]) } ?? true
    }
    let words = bytes[start...].prefix(Self.lookAhead).prefix { !",:;{}[]()\"'\n".utf8.contains($0) }
    guard let end = byte(at: words.endIndex) else { return false }
    if end == UInt8(ascii: ",") {
      return significantByte(from: words.endIndex + 1).map { bytes[$0] == .quote } ?? false
    }
    return end == .closeBracket && closers.last == end
  }

  /// A text that runs to the end may have lost its closing quote: then the brackets behind it are given back.
  private mutating func giveBackClosers(_ text: inout [UInt8]) -> Bool {
    let tail = text.indices.suffix(Self.lookAhead).reversed().prefix {
      LenientJSON.isSpace(text[$0]) || "}])".utf8.contains(text[$0])
    }
    let brackets = tail.filter { !LenientJSON.isSpace(text[$0]) }
    let expected = closers.reversed()
    // As many of them as close what is open, the innermost first.
    let count = stride(from: min(brackets.count, expected.count), to: 0, by: -1).first { count in
      zip(brackets.prefix(count).reversed(), expected).allSatisfy { text[$0] == $1 }
    }
    guard let count, let end = brackets.prefix(count).last else { return true }
    // Brackets that the text opened itself belong to it.
    let opened = text[..<end].count { "{[(".utf8.contains($0) }
    guard opened == text[..<end].count(where: { "}])".utf8.contains($0) }) else { return false }
    position -= text.count - end
    text.removeSubrange(end...)
    Self.trimEnd(of: &text)
    // `"x, b: 1}`: whether b is a key cannot be told.
    var rest = text[...]
    while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
      if Self.isWordBehindComma(rest[..<colon].suffix(Self.lookAhead)) { return false }
      rest = rest[(colon + 1)...]
    }
    return true
  }

  /// `{"a": {"b": "x}, "c": 1}`: the brackets behind x close what is open; false where they do not.
  private mutating func giveBackClosers(before end: Int, _ text: inout [UInt8]) -> Bool {
    let tail = bytes[..<end].suffix(min(Self.lookAhead, text.count)).reversed().prefix {
      LenientJSON.isSpace($0) || closers.contains($0)
    }
    let brackets = tail.filter { !LenientJSON.isSpace($0) }
    guard !brackets.isEmpty, !text.contains(where: "{[(".utf8.contains) else { return true }
    guard closers.count > brackets.count, closers.reversed().starts(with: brackets.reversed()) else { return false }
    position = end - tail.count
    text.removeLast(tail.count)
    return true
  }

  /// Whether a text ends with a comma and one word.
  static func isWordBehindComma(_ text: ArraySlice<UInt8>) -> Bool {
    guard let start = text.lastIndex(where: { $0 != UInt8(ascii: "_") && !LenientJSON.isAlphanumeric($0) }),
      start + 1 < text.endIndex
    else { return false }
    return text[...start].last { !LenientJSON.isSpace($0) } == UInt8(ascii: ",")
  }

  /// The first byte that is no white space; nil at the end, or where it is far off.
  func significantByte(from start: Int) -> Int? {
    guard start < bytes.endIndex else { return nil }
    return bytes[start...].prefix(Self.lookAhead).firstIndex { !LenientJSON.isSpace($0) }
  }

  private func isColon(at start: Int) -> Bool {
    significantByte(from: start).map { bytes[$0] == UInt8(ascii: ":") } ?? false
  }

  // MARK: Escapes

  /// What an escape stands for; one that JSON and Python do not know stays as it is (`\d`, `C:\path`).
  private mutating func append(_ escape: UInt8, to text: inout [UInt8]) {
    switch escape {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "u"):
      if let scalar = escapedScalar() { text.append(contentsOf: String(Character(scalar)).utf8) }
    case UInt8(ascii: "x"):
      if let value = hexUnit(at: position, digits: 2), let scalar = Unicode.Scalar(value) {
        position += 2
        text.append(contentsOf: String(Character(scalar)).utf8)
      } else {
        text += [.backslash, escape]
      }
    case UInt8.quote, UInt8.backslash, UInt8(ascii: "'"), UInt8(ascii: "/"), UInt8(ascii: "`"): text.append(escape)
    // What is no ASCII needs no escape.
    case 0x80...: text.append(escape)
    default: text += [.backslash, escape]
    }
  }

  /// The character of `\uXXXX`, or of two such that are a surrogate pair; nil for anything else.
  private mutating func escapedScalar() -> Unicode.Scalar? {
    guard let high = hexUnit(at: position, digits: 4) else { return nil }
    position += 4
    guard (0xD800...0xDBFF).contains(high) else { return Unicode.Scalar(high) }
    guard bytes[position...].starts(with: [UInt8.backslash, UInt8(ascii: "u")]),
      let low = hexUnit(at: position + 2, digits: 4), (0xDC00...0xDFFF).contains(low)
    else { return nil }
    position += 6
    return Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
  }

  private func hexUnit(at start: Int, digits count: Int) -> UInt32? {
    guard start + count <= bytes.endIndex else { return nil }
    let digits = bytes[start..<(start + count)]
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
