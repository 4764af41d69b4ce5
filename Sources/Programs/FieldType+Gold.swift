package import JSON

extension FieldType {
  /// The right value that a row states for a field of this type, where it is stated as something else: a cell of a CSV file
  /// is a text whatever it means (`1`, `yes`, `0.50`, `["a", "b"]`), and 1 is true in most languages. A list beside a type
  /// that is none has several right values.
  ///
  /// An empty text of a type that is no text states nothing: null. Nil where it is no value of the type.
  package func gold(_ value: JSONValue) -> JSONValue? {
    if value.isNull || admitsText { return value }
    if let coerced = coerce(value) { return coerced }
    switch value {
    case .string(let text):
      if text.trimmed.isEmpty { return .null }
      guard case .success(let reading) = read(text), !reading.isRepaired || isCollection else { return nil }
      return reading.value
    case .array(let elements) where !isCollection:
      let values = elements.compactMap(gold)
      guard values.count == elements.count else { return nil }
      return .array(values)
    case .int, .double, .number:
      guard coerce(.bool(true)) == .bool(true), let number = value.doubleValue, number == 0 || number == 1 else {
        return nil
      }
      return .bool(number == 1)
    default: return nil
    }
  }

  /// Whether a right value may have to be read: any text is a value of the other types as it stands.
  package var readsGold: Bool { !admitsText && self != .any }

  /// Whether its values are written as JSON lists or objects.
  private var isCollection: Bool {
    switch self {
    case .list, .dict, .tuple, .record: true
    case .bounded(let base, _): base.isCollection
    case .optional(let wrapped): wrapped.isCollection
    case .union(let members): members.contains(where: \.isCollection)
    default: false
    }
  }
}
