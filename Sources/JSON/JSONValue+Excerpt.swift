extension JSONValue {
  /// The value as text, cut to some 80 characters, for error messages.
  package var excerpt: String {
    let text =
      switch self {
      case .array(let elements) where elements.count > 8: "[… \(elements.count) elements]"
      case .object(let object) where object.count > 8: "{… \(object.count) members}"
      default: text()
      }
    return text.count > 80 ? text.prefix(80) + "…" : text
  }
}
