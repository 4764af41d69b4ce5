package import JSON

/// The id of a request: a string, a number, or null (which is an id too, though one that names nothing).
///
/// A number is answered with the very characters of the question (`1.50`, `1e3`), a string with the same text. Two ids are the same when they mean the same: `1` and `1.0`, `"A"` and
/// `"\u0041"`; strings are compared by their scalars, without Unicode normalisation.
package struct RequestID: Sendable, Hashable, CustomStringConvertible {
  /// The longest id accepted, in bytes of its token.
  package static let maximumLength = 1024

  /// The id as it came, and as it is written.
  package let value: JSONValue

  /// The id of an answer to something whose id could not be read.
  package static let null = RequestID(unchecked: .null)

  /// The id `value` if it may be one: a string, a number or null, at most 1 KiB long.
  package init?(_ value: JSONValue) {
    switch value {
    case .null, .int, .double: break
    case .number(let text), .string(let text): guard text.utf8.count <= Self.maximumLength else { return nil }
    case .bool, .array, .object: return nil
    }
    self.value = value
  }

  package init(_ number: Int) { self.init(unchecked: .int(number)) }
  package init(_ text: String) { self.init(unchecked: .string(text)) }

  private init(unchecked value: JSONValue) { self.value = value }

  package var isNull: Bool { value.isNull }

  package var description: String { value.text() }

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
