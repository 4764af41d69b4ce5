import JSON

extension LenientReader {
  // MARK: Keys

  mutating func key() -> String? {
    guard let closing = closingQuote() else { return bareKey() }
    // `""key":`: the opening quote was doubled.
    if bytes[position...].starts(with: "\"\"".utf8), let next = byte(at: position + 2), next != .quote,
      next != UInt8(ascii: ":"), isQuotedKey(at: position + 1)
    {
      position += 1
    }
    let start = position
    if closing.count > 1 { return text(closedBy: closing, in: .top) }
    // `"key: {`: the closing quote is missing.
    let word = bytes[(start + 1)...].prefix(Self.lookAhead).prefix {
      $0 == UInt8(ascii: "_") || LenientJSON.isAlphanumeric($0)
    }
    let hasColon = !word.isEmpty && byte(at: word.endIndex) == UInt8(ascii: ":")
    if hasColon, let next = significantByte(from: word.endIndex + 1), "{[\"".utf8.contains(bytes[next]) {
      position = word.endIndex
      return String(decoding: word, as: UTF8.self)
    }
    if let key = quotedKey(closing[0]), current != nil {
      if hasColon, key.utf8.contains(where: { ",\n\"{}[]".utf8.contains($0) }) {
        position = word.endIndex
        return String(decoding: word, as: UTF8.self)
      }
      let end = position
      skipSpace()
      // `"key" "text"` and `"key" 1`: the colon was left out.
      guard let next = current, !":=".utf8.contains(next), next != .quote || position == end, !isNumberHere else {
        return key
      }
      position = end
    }
    guard hasColon, byte(at: word.endIndex + 1) != UInt8(ascii: "/") else { return nil }
    position = word.endIndex
    return String(decoding: word, as: UTF8.self)
  }

  /// A key in quotes, which ends before a colon; quotes between its letters belong to it.
  private mutating func quotedKey(_ quote: UInt8) -> String? {
    var reader = self
    while let end = bytes[reader.position...].dropFirst().firstIndex(where: { $0 == quote || $0 == .backslash }) {
      reader.position = end
      if bytes[end] == .backslash {
        reader.position = min(end + 1, bytes.endIndex - 1)
        continue
      }
      let after = byte(at: end + 1)
      // Only a quote between two letters can be the key's own.
      guard let after, LenientJSON.isAlphanumeric(after) else {
        let inner = bytes[(position + 1)..<end]
        guard !inner.contains(.backslash) else { return text(closedBy: [quote], in: .top) }
        position = end + 1
        let key = String(decoding: inner, as: UTF8.self)
        return inner.last == 0x0A ? key.trimmed : key
      }
    }
    position = bytes.endIndex
    return nil
  }

  /// A key without quotes, up to its colon.
  private mutating func bareKey() -> String? {
    let key = bytes[position...].prefix(Self.lookAhead).prefix { !":=,;\n{}[]()".utf8.contains($0) }
    guard let end = byte(at: key.endIndex) else {
      position = bytes.endIndex
      return nil
    }
    guard end == UInt8(ascii: ":") || end == UInt8(ascii: "=") else { return nil }
    var name = String(decoding: key, as: UTF8.self).trimmed
    if name.hasSuffix("\"") { name.removeLast() }
    guard !name.isEmpty, !name.utf8.contains(.quote), !name.utf8.contains(.backslash) else { return nil }
    position = key.endIndex
    return name.unquoted
  }

  /// Passes over one word that stands where a key would, with a quoted key behind it: `"a": 1, NOTE "b": 2`.
  mutating func skipStrayWord() {
    guard let end = endOfStrayWord(at: position) else { return }
    position = end
    skipSpace()
  }

  private func endOfStrayWord(at start: Int) -> Int? {
    let ahead = bytes[min(start, bytes.endIndex)...].prefix(Self.lookAhead).drop(while: LenientJSON.isSpace)
    let word = ahead.prefix { $0 == UInt8(ascii: "_") || LenientJSON.isAlphanumeric($0) }
    guard !word.isEmpty, let behind = byte(at: word.endIndex), LenientJSON.isSpace(behind) else { return nil }
    return isQuotedKey(at: word.endIndex) ? word.endIndex : nil
  }

  /// Whether a key and its colon stand at `start`.
  func isKey(at start: Int) -> Bool {
    if isQuotedKey(at: start) { return true }
    let ahead = bytes[min(start, bytes.endIndex)...].prefix(Self.lookAhead).drop(while: LenientJSON.isSpace)
    let word = ahead.prefix { "_-.".utf8.contains($0) || LenientJSON.isAlphanumeric($0) }
    guard let first = word.first, LenientJSON.isAlphanumeric(first) else { return false }
    let behind = bytes[word.endIndex...].prefix(Self.lookAhead).drop(while: { $0 == 0x20 || $0 == .quote })
    // `https://` is no key.
    return behind.first == UInt8(ascii: ":") && behind.dropFirst().first != UInt8(ascii: "/")
  }

  func isQuotedKey(at start: Int) -> Bool {
    let ahead = bytes[min(start, bytes.endIndex)...].prefix(Self.lookAhead).drop(while: LenientJSON.isSpace)
    guard let quote = ahead.first, quote == .quote || quote == UInt8(ascii: "'"),
      let end = ahead.dropFirst().firstIndex(where: { $0 == quote || $0 == 0x0A }), bytes[end] == quote
    else { return false }
    return bytes[(end + 1)...].prefix(Self.lookAhead).first { !LenientJSON.isSpace($0) } == UInt8(ascii: ":")
  }

  // MARK: Words without quotes

  /// A number, `true`, `false` or `null` in any of their spellings.
  mutating func word(in place: Place = .element) -> JSONValue? {
    let word = bytes[position...].prefix(101).prefix { !LenientJSON.isSpace($0) && !",;]})".utf8.contains($0) }
    let text = String(decoding: word, as: UTF8.self)
    guard word.count <= 100,
      let value = Self.scalar(text) ?? (place == .top ? DecimalNumber(prefixed: text)?.json : nil)
    else { return nil }
    if place == .top {
      // Alone, a word in capitals is a text, and so is a number with zeros before it.
      if value == .null || value.boolValue != nil ? !Self.words.contains(text) : DecimalNumber.hasLeadingZeros(text) {
        return nil
      }
    }
    position = word.endIndex
    return value
  }

  private static let words: Set<String> = ["true", "True", "false", "False", "null", "None"]

  static func scalar(_ text: String) -> JSONValue? {
    switch text.utf8.count <= 5 ? text.lowercased() : "" {
    case "true": return true
    case "false": return false
    case "null", "none": return .null
    default:
      if let number = try? JSONReader.read(text), number.doubleValue != nil { return number }
      return DecimalNumber(written: text)?.json
    }
  }

  /// The values of a text that is nothing but numbers and such words, with spaces between them.
  static func scalars(_ text: String) -> [JSONValue]? {
    guard text.utf8.count <= 10_000 else { return nil }
    var values: [JSONValue] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      guard let value = scalar(String(word)) else { return nil }
      values.append(value)
    }
    return values
  }

  /// A text without quotes, up to the comma or bracket that ends it; nil where its end cannot be told.
  mutating func bareText(in place: Place) -> String? {
    let start = position
    var nested = 0
    hasClosingQuote = false
    scan: while let byte = current {
      switch byte {
      case .openBrace, .openBracket, UInt8(ascii: "("): nested += 1
      case .closeBrace, .closeBracket, UInt8(ascii: ")"):
        if nested == 0 { break scan }
        nested -= 1
      case UInt8(ascii: ",") where nested == 0 && endsBareText(place, from: start): break scan
      case UInt8(ascii: ";") where nested == 0:
        if place == .element || isKey(at: position + 1) { break scan }
      case 0x0A where nested == 0:
        if place == .member, isKey(at: position) { break scan }
        guard place == .member || isBlankUpToDelimiter else { return nil }
      case .quote:
        if place == .member, isQuotedKey(at: position) { break scan }
        let text = String(decoding: bytes[start..<position], as: UTF8.self).trimmed
        if place == .element, !byteIsBeforeDelimiter, Self.scalars(text) != nil { break scan }
        // The opening quote was forgotten.
        if nested == 0, text.utf8.contains(.backslash) { return textWithoutOpeningQuote(from: start, in: place) }
        guard nested == 0, byteIsBeforeDelimiter else { return nil }
        position += 1
        hasClosingQuote = true
        return finished(text, in: place)
      case UInt8(ascii: ":") where nested == 0:
        // A key without a comma before it.
        if let next = self.byte(at: position + 1), LenientJSON.isSpace(next) { return nil }
      case UInt8(ascii: "#"), UInt8(ascii: "/"):
        if position > start, LenientJSON.isSpace(bytes[position - 1]), startsComment(byte) { break scan }
      default: break
      }
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self).trimmed
    if current == nil, Self.scalars(text) == nil { hasCutOffBareText = true }
    return finished(text, in: place)
  }

  /// A text with escapes that lost its opening quote.
  private mutating func textWithoutOpeningQuote(from start: Int, in place: Place) -> String? {
    guard start > bytes.startIndex else { return nil }
    var reader = self
    reader.position = start - 1
    let text = reader.text(closedBy: [.quote], in: place)
    guard let text, bytes[reader.position - 1] == .quote else { return nil }
    self = reader
    hasClosingQuote = true
    return text
  }

  private mutating func finished(_ text: String, in place: Place) -> String? {
    // JSON has no such numbers, and a text was hardly meant.
    guard !text.isEmpty, place == .member || text.utf8.contains(where: LenientJSON.isAlphanumeric),
      !Self.notNumbers.contains(text.lowercased())
    else { return nil }
    // Cut off between brackets: where it would have gone on cannot be told.
    if current == nil, text.utf8.contains(where: { "[]{}()".utf8.contains($0) }) { return nil }
    let pieces = text.split(separator: ",", maxSplits: 1)
    if pieces.count == 2, let first = Self.scalars(String(pieces[0])), !first.isEmpty,
      DecimalNumber(spoken: text) == nil
    {
      return nil
    }
    let values = Self.scalars(text)
    if values == nil { bareTexts += 1 }
    return values == nil ? text.withoutBackticks : text
  }

  private static let notNumbers: Set<String> = ["nan", "-nan", "inf", "-inf", "+inf", "infinity", "-infinity"]

  /// Whether a comma here ends a text: in an object only before a key, for it may stand inside the text.
  private func endsBareText(_ place: Place, from start: Int) -> Bool {
    guard place == .member else { return true }
    if isKey(at: position + 1) { return true }
    // Behind a text the word might be its own.
    if endOfStrayWord(at: position + 1) != nil, position - start <= Self.lookAhead,
      Self.scalars(String(decoding: bytes[start..<position], as: UTF8.self)) != nil
    {
      return true
    }
    guard let next = bytes[(position + 1)...].prefix(Self.lookAhead).first(where: { !LenientJSON.isSpace($0) }) else {
      return true
    }
    if next == UInt8(ascii: "."), skipsSpace(position + 1).starts(with: "...".utf8) { return true }
    return ",}])\"'#/{[".utf8.contains(next)
  }

  private func skipsSpace(_ start: Int) -> ArraySlice<UInt8> { bytes[start...].drop(while: LenientJSON.isSpace) }

  private var isBlankUpToDelimiter: Bool {
    let next = bytes[position...].prefix(Self.lookAhead).first { !LenientJSON.isSpace($0) }
    return next.map { ",]})".utf8.contains($0) } ?? true
  }

  private var byteIsBeforeDelimiter: Bool {
    let next = bytes[(position + 1)...].prefix(Self.lookAhead).first { !LenientJSON.isSpace($0) }
    return next.map { ",]})".utf8.contains($0) } ?? true
  }

  private func startsComment(_ byte: UInt8) -> Bool {
    let next = self.byte(at: position + 1)
    return byte == UInt8(ascii: "#") || next == UInt8(ascii: "/") || next == UInt8(ascii: "*")
  }
}

extension String {
  fileprivate var withoutBackticks: String {
    guard utf8.count > 2, hasPrefix("`"), hasSuffix("`") else { return self }
    let inner = dropFirst().dropLast()
    return inner.contains("`") ? self : String(inner)
  }
}
