package import JSON

/// A field's value as it was read from a model's text.
package struct FieldReading: Sendable, Hashable {
  package var value: JSONValue
  /// Whether the value had to be made out of text that is not the value as asked for: broken JSON, words
  /// around a number, a label in other letters. White space, a code fence and quotes around it do not count.
  package var isRepaired: Bool

  package init(_ value: JSONValue, isRepaired: Bool = false) {
    self.value = value
    self.isRepaired = isRepaired
  }
}

extension FieldType {
  /// The value that a model's text for a field of this type stands for and whether it took a repair, or why
  /// it stands for none.
  ///
  /// Plain text is taken as it is, less white space around it. For the other types the value is read if it is
  /// there in any form that allows one reading only: a text with two candidates is refused.
  package func read(_ text: String) -> Result<FieldReading, TypeMismatch> {
    let trimmed = text.trimmed
    guard let reading = reading(trimmed) else {
      return .failure(
        TypeMismatch(expected: name, got: String(trimmed.prefix(200)), faults: faults(inText: trimmed)))
    }
    return .success(reading)
  }

  /// The value that a text of one of several choices comes closest to, where it names none; nil for other types.
  func guess(_ text: String) -> FieldReading? {
    switch self {
    case .literal(let values): LabelReading.closest(text, among: values).map { FieldReading($0, isRepaired: true) }
    case .optional(let wrapped): wrapped.guess(text)
    default: nil
    }
  }

  /// The value that a model's text for a field of this type stands for, or why it stands for none; see `read`.
  package func parse(_ text: String) -> Result<JSONValue, TypeMismatch> { read(text).map(\.value) }

  private func reading(_ text: String) -> FieldReading? {
    switch self {
    case .string:
      return FieldReading(.string(text))
    case .any:
      if let json = LenientJSON.reading(text) { return FieldReading(json.value, isRepaired: json.isRepaired) }
      if let json = LenientJSON.fencedBlock(in: text).flatMap({ LenientJSON.reading($0) }) {
        return FieldReading(json.value, isRepaired: true)
      }
      if let value = plainSequence(text) ?? mainValue(in: text) { return FieldReading(value, isRepaired: true) }
      return FieldReading(.string(text))
    case .optional(let wrapped):
      // A text that says None for an optional text stays a text, as in DSPy.
      if wrapped.admitsText { return FieldReading(.string(text)) }
      return Self.isNone(text.unquoted) ? FieldReading(.null) : wrapped.reading(text)
    case .union(let members):
      return union(of: members, text)
    case .literal(let values):
      return LabelReading.literal(text, among: values)
    case .int, .float:
      return numberReading(LenientJSON.unfenced(text).trimmed)
    case .bool:
      return LabelReading.bool(LenientJSON.unfenced(text).trimmed)
    case .list, .tuple, .dict, .record:
      return collection(text)
    case .date, .datetime, .time:
      return Moment.reading(text, as: self)
    case .bounded(let type, let bounds):
      guard let reading = type.reading(text), bounds.fault(of: reading.value) == nil else { return nil }
      return reading
    }
  }

  private func union(of members: [FieldType], _ text: String) -> FieldReading? {
    if admitsText {
      guard let json = LenientJSON.reading(text) else { return FieldReading(.string(text)) }
      // A text that was quoted is one without its quotes.
      if case .string = json.value { return FieldReading(json.value, isRepaired: json.isRepaired) }
      // `42.0` is a whole number, and nothing else is made of another.
      let values = members.lazy.compactMap { $0 == .string ? nil : $0.coerce(json.value) }
      let isNumber = json.value.doubleValue != nil
      let value = values.first { $0 == json.value } ?? values.first { _ in isNumber }
      return value.map { FieldReading($0, isRepaired: json.isRepaired) } ?? FieldReading(.string(text))
    }
    var repaired: FieldReading?
    for member in members {
      guard let reading = member.reading(text) else { continue }
      if !reading.isRepaired { return reading }
      repaired = repaired ?? reading
    }
    return repaired
  }

  private func numberReading(_ text: String) -> FieldReading? {
    if let number = DecimalNumber(text) ?? DecimalNumber(text.unquoted) ?? DecimalNumber(prefixed: text) {
      return whole(number.json).map { FieldReading($0) }
    }
    if LenientJSON.isRecord(text) { return nil }
    let spoken = DecimalNumber(spoken: text.unquoted)?.json ?? NumberInWords.read(text, wholeOnly: self == .int)
    return spoken.flatMap(whole).map { FieldReading($0, isRepaired: true) }
  }

  /// The number as this type's: a whole one for `int`.
  private func whole(_ number: JSONValue) -> JSONValue? {
    if self != .int { return number }
    guard let whole = number.intValue else { return nil }
    return .int(whole)
  }
}
