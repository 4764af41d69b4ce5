package import JSON

/// The id of a request: a string, a number, or null (which is an id too, though one that names nothing).
///
/// The token is kept as it came, so that an answer carries the very characters of the question
/// (`1.50`, `1e3`, `"\u0041"`). Two ids are the same when they mean the same: `1` and `1.0`, `"A"` and
/// `"\u0041"`; strings are compared by their scalars, without Unicode normalisation.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
  /// The longest id accepted, in bytes of its token.
  package static let maximumLength = 1024

  /// What the token means.
  package let value: JSONValue
  /// The token where it is not what the writer would write for `value`.
  private let token: String?

  /// The id of an answer to something whose id could not be read.
  package static let null = RequestID(unchecked: .null)

  /// The id `value` if it may be one: a string, a number or null, at most 1 KiB long.
  /// `token` is its text in the message, where that is known to matter.
  package init?(_ value: JSONValue, token: String? = nil) {
    switch value {
    case .null, .int, .double: break
    case .number(let text), .string(let text): guard text.utf8.count <= Self.maximumLength else { return nil }
    case .bool, .array, .object: return nil
    }
    if let token, token.utf8.count > 6 * Self.maximumLength { return nil }
    self.value = value
    self.token = token
  }

  package init(_ number: Int) { self.init(unchecked: .int(number)) }
  package init(_ text: String) { self.init(unchecked: .string(text)) }

  private init(unchecked value: JSONValue) {
    self.value = value
    self.token = nil
  }

  /// The id as it is to be written, character for character as it came.
  package var echo: JSONValue { token.map(JSONValue.number) ?? value }

  package var isNull: Bool { value.isNull }

  package var description: String { echo.text() }

  package static func == (a: RequestID, b: RequestID) -> Bool {
    switch (a.value, b.value) {
    case (.null, .null): return true
    case (.int(let x), .int(let y)): return x == y
    case (.string(let x), .string(let y)): return x == y && x.utf8.elementsEqual(y.utf8)
    case (.string, _), (_, .string), (.null, _), (_, .null): return false
    default:
      if let x = a.value.intValue, let y = b.value.intValue { return x == y }
      return a.value == b.value
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch value {
    case .string(let text): hasher.combine(text)
    case .null: hasher.combine(0 as UInt8)
    default: if let number = value.intValue { hasher.combine(number) } else { hasher.combine(value) }
    }
  }
}
