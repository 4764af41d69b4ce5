import Platform

/// The environment variables that whoever starts Hone has set: read when something is made that depends on them, or given
/// by a test.
package struct Variables: Sendable {
  private let lookUp: @Sendable (String) -> String?

  /// Those of the process.
  package static let process = Variables { Environment.value($0) }

  package init(_ values: [String: String]) { lookUp = { values[$0] } }

  private init(_ lookUp: @escaping @Sendable (String) -> String?) { self.lookUp = lookUp }

  /// A variable's value without white space around it; nil where it is not set or empty.
  package subscript(_ name: String) -> String? {
    guard let value = lookUp(name) else { return nil }
    let text = value.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
    return text.isEmpty ? nil : String(text)
  }

  /// The first of these that is set, and its value.
  package func first(of names: [String]) -> (name: String, value: String)? {
    for name in names { if let value = self[name] { return (name, value) } }
    return nil
  }
}
