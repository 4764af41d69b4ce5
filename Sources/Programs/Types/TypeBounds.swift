import Basics
import JSON
import RegularExpressions

/// What a value must satisfy beside its type, in the words of JSON Schema.
package struct TypeBounds: Sendable, Hashable {
  /// `minimum`, `exclusiveMinimum`, `maximum`, `exclusiveMaximum`, `multipleOf`, as they were written.
  var numbers: [String: JSONValue] = [:]
  /// `minLength`, `maxLength`, `minItems`, `maxItems`.
  var counts: [String: Int] = [:]
  var hasUniqueItems = false
  var pattern: RegularExpression?
  /// A text's `format`, shown to the model and not checked.
  var format: String?

  static let numberWords = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"]
  static let textWords = ["minLength", "maxLength"]
  static let listWords = ["minItems", "maxItems"]

  var isEmpty: Bool { self == TypeBounds() }

  /// The keywords, in a fixed order.
  ///
  /// - Parameter isStrict: only those that endpoints take in a strict schema.
  func keywords(isStrict: Bool = false) -> JSONObject {
    var object = JSONObject()
    if let format, !isStrict { object.append("format", .string(format)) }
    if let pattern { object.append("pattern", .string(pattern.pattern)) }
    for word in Self.numberWords { if let value = numbers[word] { object.append(word, value) } }
    for word in (isStrict ? [] : Self.textWords) + Self.listWords {
      if let value = counts[word] { object.append(word, .int(value)) }
    }
    if hasUniqueItems, !isStrict { object.append("uniqueItems", true) }
    return object
  }

  /// What a value of the type lacks, as what it should be; nil where it satisfies all.
  func fault(of value: JSONValue) -> String? {
    if let number = value.doubleValue {
      for word in Self.numberWords {
        guard let bound = numbers[word]?.doubleValue, let limit = numbers[word] else { continue }
        switch word {
        case "minimum" where number < bound: return "at least \(limit.text())"
        case "exclusiveMinimum" where number <= bound: return "greater than \(limit.text())"
        case "maximum" where number > bound: return "at most \(limit.text())"
        case "exclusiveMaximum" where number >= bound: return "less than \(limit.text())"
        case "multipleOf":
          let parts = number / bound
          // As far as binary fractions can tell.
          if abs(parts - parts.rounded()) > 1e-9 * max(1, abs(parts)) { return "a multiple of \(limit.text())" }
        default: continue
        }
      }
    }
    if let text = value.stringValue {
      let count = text.unicodeScalars.count
      if let least = counts["minLength"], count < least { return "a text of at least \(least) characters" }
      if let most = counts["maxLength"], count > most { return "a text of at most \(most) characters" }
      if let pattern, (try? pattern.matches(text)) != true { return "a text that matches \(pattern.pattern)" }
    }
    if let elements = value.arrayValue {
      if let least = counts["minItems"], elements.count < least { return "a list of at least \(least) elements" }
      if let most = counts["maxItems"], elements.count > most { return "a list of at most \(most) elements" }
      if hasUniqueItems, Set(elements).count < elements.count { return "a list of different elements" }
    }
    return nil
  }

  /// For a model, behind the type: `at least 0, at most 10`.
  var words: String {
    let signs = [
      "minimum": "at least", "exclusiveMinimum": "greater than", "maximum": "at most", "exclusiveMaximum": "less than",
      "multipleOf": "a multiple of",
    ]
    var parts = Self.numberWords.compactMap { word in numbers[word].map { "\(signs[word] ?? word) \($0.text())" } }
    switch (counts["minLength"], counts["maxLength"]) {
    case (let least?, let most?): parts.append(least == most ? "\(least) characters" : "\(least) to \(most) characters")
    case (let least?, nil): parts.append("at least \(least) characters")
    case (nil, let most?): parts.append("at most \(most) characters")
    case (nil, nil): break
    }
    if let pattern { parts.append("matching \(pattern.pattern)") }
    if let format { parts.append("format \(format)") }
    return parts.joined(separator: ", ")
  }
}
