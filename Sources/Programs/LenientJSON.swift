package import JSON

/// Reads what models write where JSON was asked for: fenced in backticks, with Python's words and quotes,
/// trailing commas, comments, or cut off before the closing brackets.
///
/// Strict JSON is tried first. Returns nil where no value can be made out.
package struct LenientJSON {
  private let characters: [Character]
  private var position = 0
  private static let maximumDepth = 64

  package static func read(_ text: String) -> JSONValue? {
    let body = unfenced(text)
    if let value = try? JSONReader.read(body) { return value }
    guard body.utf8.count <= 1_000_000 else { return nil }
    var reader = LenientJSON(characters: Array(body))
    reader.skipSpace()
    guard let first = reader.current, "{[\"'".contains(first) || reader.startsScalar else { return nil }
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    return reader.position >= reader.characters.count ? value : nil
  }

  /// The first object in a text that holds other words too.
  package static func firstObject(in text: String) -> JSONObject? {
    if case .object(let object)? = read(text) { return object }
    var start = text.startIndex
    var tries = 0
    while tries < 20, let brace = text[start...].firstIndex(of: "{") {
      tries += 1
      var reader = LenientJSON(characters: Array(text[brace...].prefix(200_000)))
      if case .object(let object)? = reader.value(depth: 0), !object.isEmpty { return object }
      start = text.index(after: brace)
    }
    return nil
  }

  /// The text inside a fence of backticks, if the text is one.
  package static func unfenced(_ text: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    while lines.first?.allSatisfy(\.isWhitespace) == true { lines.removeFirst() }
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    guard lines.count >= 2, lines.first?.hasPrefix("```") == true, lines.last?.hasPrefix("```") == true else {
      return text
    }
    return lines.dropFirst().dropLast().joined(separator: "\n")
  }

  private init(characters: [Character]) { self.characters = characters }

  private var current: Character? { position < characters.count ? characters[position] : nil }

  private var startsScalar: Bool {
    guard let character = current else { return false }
    return character.isNumber || character == "-" || character.isLetter
  }

  private mutating func skipSpace() {
    while let character = current {
      if character.isWhitespace {
        position += 1
      } else if character == "#" || (character == "/" && position + 1 < characters.count && characters[position + 1] == "/") {
        while let inside = current, !inside.isNewline { _ = inside; position += 1 }
      } else {
        return
      }
    }
  }

  private mutating func value(depth: Int) -> JSONValue? {
    guard depth < Self.maximumDepth else { return nil }
    skipSpace()
    switch current {
    case "{": return object(depth: depth)
    case "[", "(": return array(depth: depth)
    case "\"", "'": return string().map(JSONValue.string)
    case nil: return nil
    default: return word()
    }
  }

  private mutating func object(depth: Int) -> JSONValue? {
    position += 1
    var object = JSONObject()
    while true {
      skipSpace()
      guard let character = current else { return .object(object) }
      if character == "}" {
        position += 1
        return .object(object)
      }
      if character == "," {
        position += 1
        continue
      }
      let key: String?
      if character == "\"" || character == "'" { key = string() } else { key = bareKey() }
      guard let key else { return nil }
      skipSpace()
      guard current == ":" else { return nil }
      position += 1
      guard let member = value(depth: depth + 1) else {
        // Cut off right behind the colon: what stands before still counts.
        return current == nil ? .object(object) : nil
      }
      object[key] = member
    }
  }

  private mutating func array(depth: Int) -> JSONValue? {
    let close: Character = current == "(" ? ")" : "]"
    position += 1
    var elements: [JSONValue] = []
    while true {
      skipSpace()
      guard let character = current else { return .array(elements) }
      if character == close {
        position += 1
        return .array(elements)
      }
      if character == "," {
        position += 1
        continue
      }
      guard let element = value(depth: depth + 1) else { return nil }
      elements.append(element)
    }
  }

  private mutating func string() -> String? {
    guard let quote = current else { return nil }
    position += 1
    var text = ""
    while let character = current {
      position += 1
      if character == quote { return text }
      guard character == "\\", let escape = current else {
        text.append(character)
        continue
      }
      position += 1
      switch escape {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "r": text.append("\r")
      case "u":
        let digits = String(characters[position..<min(position + 4, characters.count)])
        if let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) {
          text.unicodeScalars.append(scalar)
          position += 4
        }
      default: text.append(escape)
      }
    }
    return text
  }

  private mutating func bareKey() -> String? {
    let start = position
    while let character = current, character.isLetter || character.isNumber || character == "_" || character == "-" {
      position += 1
    }
    return position > start ? String(characters[start..<position]) : nil
  }

  private mutating func word() -> JSONValue? {
    let start = position
    while let character = current, !",]})".contains(character), !character.isWhitespace { position += 1 }
    let word = String(characters[start..<position])
    switch word {
    case "true", "True": return true
    case "false", "False": return false
    case "null", "None": return .null
    default:
      if let number = try? JSONReader.read(word) { return number }
      if let number = Double(word), number.isFinite { return .double(number) }
      return nil
    }
  }
}
