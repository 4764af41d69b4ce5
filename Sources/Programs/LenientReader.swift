import JSON

/// Reads one value of broken JSON from its first byte on; see `LenientJSON`.
struct LenientReader {
  /// What a closing bracket of another kind than the open one means.
  enum WrongClosers: CaseIterable {
    /// The one that is open was left unclosed, and this closes one around it.
    case closeOuter
    /// It closes the one that is open: a slip of the pen.
    case closeInner
    /// It is one too many.
    case areSkipped
  }

  /// Where a text without brackets stands, which decides how it ends.
  enum Place { case top, element, member }

  static let maximumDepth = 64
  /// How far is looked ahead; bounded, so that reading stays linear.
  static let lookAhead = 100

  let bytes: ArraySlice<UInt8>
  var position: Int
  /// The closing brackets that are still to come, the outermost first.
  private(set) var closers: [UInt8] = []
  private let wrongClosers: WrongClosers
  /// Whether a member that was cut off before its value is one with an empty text, rather than none.
  private let fillsCutOff: Bool
  private(set) var hasMetWrongCloser = false
  /// Whether a text without quotes ran into the end.
  var hasCutOffBareText = false
  /// How many texts without quotes were read.
  var bareTexts = 0
  /// Whether a quote closed the last text without an opening quote.
  var hasClosingQuote = false
  private var admitsBareText = true
  /// Whether the last object that could not be read has no colon behind what would be its first key.
  private var lacksFirstColon = false
  private let lastNewline: Int

  init(_ bytes: ArraySlice<UInt8>, wrongClosers: WrongClosers, fillsCutOff: Bool = true) {
    self.bytes = bytes
    position = bytes.startIndex
    self.wrongClosers = wrongClosers
    self.fillsCutOff = fillsCutOff
    lastNewline = bytes.lastIndex(of: 0x0A) ?? bytes.startIndex - 1
  }

  var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  func byte(at place: Int) -> UInt8? { place < bytes.endIndex ? bytes[place] : nil }

  /// Whether nothing but white space and comments is left, or closing brackets that were one too many.
  mutating func isAtEnd(closersToo: Bool) -> Bool {
    skipSpace()
    while closersToo, let byte = current, "}])".utf8.contains(byte) {
      position += 1
      skipSpace()
    }
    return current == nil
  }

  func isOneBareWord(_ value: JSONValue) -> Bool {
    if case .array(let elements) = value { elements.count == 1 && bareTexts == 1 } else { false }
  }

  mutating func value(in place: Place = .top) -> JSONValue? {
    guard closers.count < Self.maximumDepth else { return nil }
    skipSpace()
    switch current {
    case UInt8.openBrace: return object()
    case UInt8.openBracket: return array(closedBy: .closeBracket)
    case UInt8(ascii: "("): return array(closedBy: UInt8(ascii: ")"))
    case nil: return nil
    default:
      if let closing = closingQuote() { return text(closedBy: closing, in: place).map(JSONValue.string) }
      return place == .top ? word(in: .top) : nil
    }
  }

  // MARK: Objects

  private mutating func object() -> JSONValue? {
    let start = position
    position += 1
    closers.append(.closeBrace)
    // `{{"a": 1}}`, as templates write it.
    if current == .openBrace {
      let inner = closers.count < Self.maximumDepth ? object() : Optional<JSONValue>.none
      closers.removeLast()
      guard let inner else { return nil }
      skipSpace()
      guard current == .closeBrace else { return nil }
      position += 1
      return inner
    }
    if let object = members(closedBy: .closeBrace) {
      closers.removeLast()
      return .object(object)
    }
    closers.removeLast()
    guard lacksFirstColon else { return nil }
    lacksFirstColon = false
    return set(at: start)
  }

  /// The members up to `close`, the first of which may have its key read already.
  private mutating func members(closedBy close: UInt8, firstKey: String? = nil) -> JSONObject? {
    var members = LenientMembers()
    var leavesOut = false
    var pendingKey = firstKey
    while true {
      if pendingKey == nil, !skipsToKey(closedBy: close, &leavesOut) {
        return leavesOut && members.isEmpty ? nil : members.object
      }
      let isQuoted = current == .quote
      guard let key = pendingKey ?? key() else {
        lacksFirstColon = members.isEmpty
        return cutOff(members)
      }
      pendingKey = nil
      skipSpace()
      guard current != nil else { return cutOff(members) }
      guard skipsColon() || current == .quote || (isQuoted && isNumberHere) else {
        lacksFirstColon = members.isEmpty
        return nil
      }
      skipSpace()
      guard fillsCutOff || current != nil else { return cutOff(members) }
      guard let member = member() else { return nil }
      members.set(key, member)
    }
  }

  /// Goes to the next member's key; false at the object's end.
  private mutating func skipsToKey(closedBy close: UInt8, _ leavesOut: inout Bool) -> Bool {
    while true {
      skipSpace()
      switch current {
      case nil: return false
      case close:
        position += 1
        // `{"a": 1}, "b": 2}`: the brace came too early.
        guard closers.count == 1, close == .closeBrace, membersGoOn() else { return false }
      case UInt8(ascii: ","), UInt8(ascii: ";"): position += 1
      case let byte? where "}])".utf8.contains(byte):
        if isClosed(by: byte) { return false }
      default:
        if skipsEllipsis() {
          leavesOut = true
          continue
        }
        skipStrayWord()
        guard current == .quote, position + 1 == bytes.endIndex else { return true }
        // Cut off where a key begins.
        position = bytes.endIndex
      }
    }
  }

  /// The value behind a colon: an empty text where it was left out.
  private mutating func member() -> JSONValue? {
    guard let next = current, next != UInt8(ascii: ","), !"}])".utf8.contains(next) else { return .string("") }
    let start = position
    return value(in: .member) ?? (position == start ? bareMember() : .none)
  }

  /// Whether a number stands here with nothing behind it that belongs to it.
  var isNumberHere: Bool {
    var reader = self
    guard reader.word()?.doubleValue != nil else { return false }
    reader.skipSpace()
    return reader.current.map(",]})".utf8.contains) ?? true
  }

  /// What stands before a member that is cut off; nothing where that member is the first.
  private func cutOff(_ members: LenientMembers) -> JSONObject? {
    current == nil && !members.isEmpty ? members.object : nil
  }

  private mutating func membersGoOn() -> Bool {
    var reader = self
    reader.skipSpace()
    guard reader.current == UInt8(ascii: ","), isQuotedKey(at: reader.position + 1) else { return false }
    position = reader.position
    return true
  }

  private mutating func skipsColon() -> Bool {
    guard let byte = current, byte == UInt8(ascii: ":") || byte == UInt8(ascii: "=") else { return false }
    position += 1
    if byte == UInt8(ascii: "="), current == UInt8(ascii: ">") { position += 1 }
    if byte == UInt8(ascii: ":"), current == UInt8(ascii: "=") { position += 1 }
    return true
  }

  /// A set of texts or numbers (`{"a", "b"}`), read as a list.
  private mutating func set(at start: Int) -> JSONValue? {
    guard closers.count < Self.maximumDepth, current != nil else { return nil }
    var reader = self
    reader.position = start + 1
    reader.closers = [.closeBrace]
    reader.admitsBareText = false
    var elements: [JSONValue] = []
    while true {
      guard let element = reader.scalar() else { return nil }
      elements.append(element)
      reader.skipSpace()
      let separator = reader.current
      reader.position += 1
      if separator == .closeBrace { break }
      guard separator == UInt8(ascii: ",") else { return nil }
    }
    position = reader.position
    return .array(elements)
  }

  private mutating func scalar() -> JSONValue? {
    skipSpace()
    guard let byte = current, !"{[(".utf8.contains(byte) else { return nil }
    if let closing = closingQuote() { return text(closedBy: closing, in: .element).map(JSONValue.string) }
    return word()
  }

  // MARK: Lists

  private mutating func array(closedBy close: UInt8) -> JSONValue? {
    position += 1
    closers.append(close)
    defer { closers.removeLast() }
    var hasComma = false
    guard let elements = elements(closedBy: close, hasComma: &hasComma) else { return nil }
    // As in Python: `(1)` is 1, `(1,)` a tuple of one.
    if close == UInt8(ascii: ")"), elements.count == 1, !hasComma { return elements[0] }
    return .array(elements)
  }

  /// Elements up to the end of the text.
  mutating func sequence() -> [JSONValue]? {
    admitsBareText = false
    var hasComma = false
    guard let elements = elements(closedBy: nil, hasComma: &hasComma), elements.count > 1 else { return nil }
    let isSeparated = hasComma || elements.allSatisfy(\.isContainer)
    return isSeparated && isAtEnd(closersToo: false) ? elements : nil
  }

  private mutating func elements(closedBy close: UInt8?, hasComma: inout Bool) -> [JSONValue]? {
    var elements: [JSONValue] = []
    while true {
      skipSpace()
      guard let byte = current else { return elements.isEmpty && close == UInt8(ascii: ")") ? nil : elements }
      if byte == close {
        position += 1
        return elements
      }
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") {
        position += 1
        hasComma = true
        continue
      }
      if "}])".utf8.contains(byte) {
        guard close != nil else { return nil }
        if isClosed(by: byte) { return elements }
        continue
      }
      if skipsEllipsis() { continue }
      let start = position
      if let element = value(in: .element) {
        skipSpace()
        guard current == UInt8(ascii: ":"), case .string(let key) = element else {
          if !isOnlyOpened(start, element) { elements.append(element) }
          continue
        }
        // Members in a list: the list was left unclosed (`{"a": [1, "b": 2}`), or braces (`["a": 1]`).
        if closers.dropLast().last == .closeBrace, !elements.isEmpty {
          position = start
          return elements
        }
        guard elements.isEmpty, let close, let object = members(closedBy: close, firstKey: key) else { return nil }
        return [.object(object)]
      }
      guard position == start, let texts = bareElements() else { return nil }
      elements += texts
    }
  }

  /// Whether nothing was written of an element but the bracket or quote that opens it: `[1, [`, `["a", "`.
  private func isOnlyOpened(_ start: Int, _ element: JSONValue) -> Bool {
    let closing: UInt8
    switch element {
    case .string(""): closing = bytes[start]
    case .array([]): closing = bytes[start] == .openBracket ? .closeBracket : UInt8(ascii: ")")
    case .object(let object) where object.isEmpty: closing = .closeBrace
    default: return false
    }
    let written = bytes[start..<position].reversed().drop(while: LenientJSON.isSpace)
    return written.count == 1 || written.first != closing
  }

  private mutating func bareMember() -> JSONValue? {
    guard isBareTextHere, let text = bareText(in: .member) else { return nil }
    let values = values(of: text)
    guard values.count == 1 else { return nil }
    return values[0]
  }

  /// The numbers and words that a text without quotes is, or the text: `true"` was meant for one.
  private func values(of text: String) -> [JSONValue] {
    guard let values = Self.scalars(text), !hasClosingQuote || values.allSatisfy({ $0.doubleValue != nil }) else {
      return [.string(text)]
    }
    return values
  }

  private mutating func bareElements() -> [JSONValue]? {
    guard isBareTextHere else { return nil }
    // Parentheses hold words of a sentence more often than a tuple's.
    if closers.isEmpty ? !admitsBareText : closers.last == UInt8(ascii: ")") { return word().map { [$0] } }
    guard let text = bareText(in: .element) else { return nil }
    return values(of: text)
  }

  private var isBareTextHere: Bool {
    guard let byte = current else { return false }
    return !"{[(\"'".utf8.contains(byte)
  }

  /// Whether the list or object that is open ends at a closing bracket of another kind.
  private mutating func isClosed(by byte: UInt8) -> Bool {
    hasMetWrongCloser = true
    switch wrongClosers {
    case .closeOuter where closers.dropLast().contains(byte): return true
    case .closeOuter, .closeInner:
      position += 1
      return true
    case .areSkipped:
      position += 1
      return false
    }
  }

  /// Passes over `...`, which stands for what the model did not write out.
  private mutating func skipsEllipsis() -> Bool {
    var end = position
    if bytes[position...].starts(with: "...".utf8) {
      end += 3
    } else if bytes[position...].starts(with: "…".utf8) {
      end += 3
    } else {
      return false
    }
    while let byte = byte(at: end), LenientJSON.isSpace(byte) { end += 1 }
    guard byte(at: end).map({ ",}])".utf8.contains($0) }) ?? true else { return false }
    position = end
    return true
  }

  // MARK: White space

  /// Passes over white space and comments (`#`, `//`, `/* */`).
  mutating func skipSpace() {
    while let byte = current {
      if LenientJSON.isSpace(byte) {
        position += 1
      } else if byte == UInt8(ascii: "#") || (byte == UInt8(ascii: "/") && self.byte(at: position + 1) == byte) {
        skipLineComment()
      } else if byte == UInt8(ascii: "/"), self.byte(at: position + 1) == UInt8(ascii: "*") {
        position += 2
        while position < bytes.endIndex,
          !(bytes[position] == UInt8(ascii: "/") && bytes[position - 1] == UInt8(ascii: "*"))
        { position += 1 }
        position = min(position + 1, bytes.endIndex)
      } else {
        return
      }
    }
  }

  /// On the last line a comment ends before a closing bracket: else it would swallow what follows it.
  private mutating func skipLineComment() {
    let end: (UInt8) -> Bool =
      position > lastNewline ? { $0 == .closeBrace || $0 == .closeBracket } : { $0 == 0x0A }
    position = bytes[position...].firstIndex(where: end) ?? bytes.endIndex
  }
}

/// The members of an object while it is read; of two with one name the last wins.
struct LenientMembers {
  private var keys: [String] = []
  private var values: [JSONValue] = []
  private var places: [String: Int] = [:]

  var isEmpty: Bool { keys.isEmpty }

  mutating func set(_ key: String, _ value: JSONValue) {
    if let place = places[key] {
      values[place] = value
    } else {
      places[key] = keys.count
      keys.append(key)
      values.append(value)
    }
  }

  var object: JSONObject {
    var object = JSONObject()
    for (key, value) in zip(keys, values) { object.append(key, value) }
    return object
  }
}
