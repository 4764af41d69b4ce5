import JSON

extension FieldType {
  /// A list, tuple or dict: the whole text, else the one value of that kind among its words.
  func collection(_ text: String) -> FieldReading? {
    if let json = LenientJSON.reading(text) {
      if let value = coerce(json.value) { return FieldReading(value, isRepaired: json.isRepaired) }
      // A text that holds JSON was quoted once too often.
      guard case .string(let inner) = json.value, let json = LenientJSON.reading(inner) else { return nil }
      return coerce(json.value).map { FieldReading($0, isRepaired: true) }
    }
    return unbracketed(text).flatMap(coerce).map { FieldReading($0, isRepaired: true) }
  }

  private func unbracketed(_ text: String) -> JSONValue? {
    if let block = LenientJSON.fencedBlock(in: text) {
      if let json = LenientJSON.reading(block) { return json.value }
    }
    if case .dict = self {
      return LenientJSON.members(text) ?? onlyValue(in: text) { value in value.objectValue?.isEmpty == false }
    }
    if let elements = LenientJSON.sequence(text), DecimalNumber(spoken: text) == nil { return .array(elements) }
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

  /// The one list or object that a text is mostly made of, with a few words around it.
  func mainValue(in text: String) -> JSONValue? {
    let value = onlyValue(in: text) { value in
      value.objectValue.map { !$0.isEmpty } ?? value.arrayValue.map { !$0.isEmpty } ?? false
    }
    guard let value, value.encoded().count * 3 >= text.utf8.count * 2 else { return nil }
    return value
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
    guard let first = lines.first.flatMap(marker) else { return nil }
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
