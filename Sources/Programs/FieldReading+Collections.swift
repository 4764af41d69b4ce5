import JSON

extension FieldType {
  /// A list, tuple, dict or record: the whole text, else the one value of that kind among its words.
  func collection(_ text: String) -> FieldReading? {
    if let json = LenientJSON.reading(text) {
      if let value = coerce(json.value) { return FieldReading(value, isRepaired: json.isRepaired) }
      // A text that holds JSON was quoted once too often.
      guard case .string(let inner) = json.value, let json = LenientJSON.reading(inner) else { return nil }
      return coerce(json.value).map { FieldReading($0, isRepaired: true) }
    }
    return unbracketed(text).flatMap(coerce).map { FieldReading($0, isRepaired: true) }
  }

  private var takesObjects: Bool {
    switch self {
    case .dict, .record: true
    default: false
    }
  }

  private func unbracketed(_ text: String) -> JSONValue? {
    if let block = LenientJSON.fencedBlock(in: text) {
      if let json = LenientJSON.reading(block) { return json.value }
    }
    if takesObjects {
      let whole = LenientJSON.members(text) ?? LenientJSON.sequence(text).map(LenientJSON.joined)
      if let whole, whole.objectValue != nil { return whole }
      return onlyValue(in: text) { value in value.objectValue?.isEmpty == false }
        ?? onlyValue(in: text) { value in value.objectValue != nil }
    }
    if let elements = LenientJSON.sequence(text), DecimalNumber(spoken: text) == nil {
      return LenientJSON.joined(elements)
    }
    if let items = Bullets.items(of: LenientJSON.unfenced(text)) { return elements(of: items) }
    return onlyValue(in: text) { value in value.arrayValue != nil }
  }

  /// The one list or object that a text with other words holds; nil where it holds two, or where others that
  /// it belongs to stand next to it.
  private func onlyValue(in text: String, _ isOfKind: (JSONValue) -> Bool) -> JSONValue? {
    let found = LenientJSON.values(in: text)
    guard !found.contains(where: \.isNextToTheOneBefore) else { return nil }
    let fitting = found.map(\.value).filter(isOfKind)
    guard let first = fitting.first, fitting.allSatisfy({ $0 == first }) else { return nil }
    return first
  }

  /// What a text without brackets of its own lists, where any value will do: lists and objects, numbers or texts. What
  /// may be one number (`1,234`, `12,5`) is no list.
  func plainSequence(_ text: String) -> JSONValue? {
    guard let values = LenientJSON.sequence(text) else { return nil }
    if values.allSatisfy(\.isContainer) { return LenientJSON.joined(values) }
    let areTexts = values.allSatisfy { $0.stringValue != nil } && "\"'".contains(text.last ?? " ")
    let areNumbers = values.allSatisfy { $0.doubleValue != nil } && text.contains(", ")
    guard areTexts || areNumbers else { return nil }
    return .array(values)
  }

  /// The one list or object that a text is mostly made of, or that is set off from the words around it: behind a colon,
  /// between tags, on lines of its own.
  func mainValue(in text: String) -> JSONValue? {
    let found = LenientJSON.values(in: text).filter { $0.value != [] && $0.value != .object([:]) }
    guard found.count == 1, let only = found.first, !only.isNextToTheOneBefore, !text.contains("[[ ##") else {
      return nil
    }
    // `[1]` and `[name]` may be marks in a sentence.
    let bytes = Array(text.utf8)
    if only.value.arrayValue?.count == 1, !bytes[only.range].contains(where: "\"'{(".utf8.contains) { return nil }
    let isMost = only.value.encoded().count * 3 >= text.utf8.count * 2
    guard isMost || isSetOff(only, in: bytes) else { return nil }
    return only.value
  }

  private func isSetOff(_ found: LenientJSON.Found, in text: [UInt8]) -> Bool {
    var lead = text[..<found.range.lowerBound].dropLast(while: LenientJSON.isSpace)
    let rest = text[found.range.upperBound...].dropLast(while: LenientJSON.isSpace)
    // An object that begins the text is no mark in a sentence, as a list may be.
    if lead.isEmpty, found.value.objectValue != nil { return true }
    let words = rest.drop { LenientJSON.isSpace($0) || $0 == UInt8(ascii: ".") }
    // More than a line on either side is a text of its own.
    guard !lead.contains(0x0A), !words.contains(0x0A) else { return false }
    let isAfterBreak = text[lead.endIndex..<found.range.lowerBound].contains(0x0A)
    let isBeforeBreak = rest[..<words.startIndex].contains(0x0A)
    let language = lead.dropLast(while: LenientJSON.isAlphanumeric)
    if language.reversed().starts(with: "```".utf8) { lead = language }
    guard isAfterBreak || lead.last.map(":=>`".utf8.contains) ?? true else { return false }
    return isBeforeBreak || words.first.map("<`".utf8.contains) ?? true
  }

  /// A bullet list's lines as elements; each is a text unless the type of the elements is another.
  private func elements(of items: [String]) -> JSONValue? {
    var values: [JSONValue] = []
    for (index, item) in items.enumerated() {
      let type: FieldType
      switch self {
      case .list(let element): type = element
      case .tuple(let elements) where index < elements.count: type = elements[index]
      default: return nil
      }
      guard case .success(let value) = type.parse(item) else { return nil }
      values.append(value)
    }
    return .array(values)
  }
}

/// A list with a bullet or a number before each line.
enum Bullets {
  /// The texts of a list's lines; one line that ends with a colon may introduce them.
  static func items(of text: String) -> [String]? {
    guard text.utf8.count <= 100_000 else { return nil }
    var lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
    if lines.count > 1, lines[0].last(where: { !$0.isWhitespace }) == ":", marker(lines[0]) == nil {
      lines.removeFirst()
    }
    var items: [String] = []
    guard let first = lines.first.flatMap(marker), first.mark.number ?? 1 <= 1 else { return nil }
    let indent = lines[0].prefix(while: \.isWhitespace)
    for (index, line) in lines.enumerated() {
      guard line.prefix(while: \.isWhitespace) == indent, let (mark, text) = marker(line) else { return nil }
      // Numbers go up by one; other marks stay the same.
      guard first.mark.number.map({ mark.number == $0 + index }) ?? (mark == first.mark) else { return nil }
      guard mark.sign == first.mark.sign else { return nil }
      let item = String(text).trimmed
      guard !item.isEmpty else { return nil }
      items.append(item.unquoted)
    }
    return items
  }

  private struct Mark: Equatable {
    var number: Int?
    var sign: Character
  }

  private static func marker(_ line: Substring) -> (mark: Mark, text: Substring)? {
    let body = line.drop(while: \.isWhitespace)
    guard let sign = body.first else { return nil }
    if "-*•–·".contains(sign) {
      let rest = body.dropFirst()
      return rest.first?.isWhitespace == true ? (Mark(sign: sign), rest) : nil
    }
    let digits = body.prefix(while: \.isASCIIDigit)
    let rest = body[digits.endIndex...]
    guard digits.count < 5, let number = Int(digits), let sign = rest.first, sign == "." || sign == ")",
      rest.dropFirst().first?.isWhitespace == true
    else { return nil }
    return (Mark(number: number, sign: sign), rest.dropFirst())
  }
}

extension ArraySlice<UInt8> {
  fileprivate func dropLast(while isDropped: (UInt8) -> Bool) -> Self {
    self[..<(lastIndex { !isDropped($0) }.map { $0 + 1 } ?? startIndex)]
  }
}
