import Failures
import JSON

/// Reads the text form of a signature: `question, context: list[str] -> answer: int`.
///
/// The grammar is that of DSPy's string signatures: exactly one `->`; fields separated by commas; a name
/// is a Python identifier; an optional `: type`; a `= default` is accepted and has no effect.
struct SignatureParser {
  private let characters: [Character]
  private var position = 0
  private let path: String

  /// The two sides' fields, as name and type (nil where none was written).
  typealias Fields = [(name: String, type: FieldType?)]

  static func parse(_ text: String, path: String) throws(HoneError) -> (inputs: Fields, outputs: Fields) {
    guard text.count <= 20_000 else { throw failure(path, "A signature may have 20,000 characters at most.") }
    let arrows = arrows(in: text)
    guard arrows.count == 1, let arrow = arrows.first else {
      throw failure(
        path,
        "A signature needs exactly one \"->\" between inputs and outputs, as in \"question -> answer\"; "
          + "got \"\(text.prefix(80))\".")
    }
    var left = SignatureParser(characters: Array(text[..<arrow.lowerBound]), path: path)
    var right = SignatureParser(characters: Array(text[arrow.upperBound...]), path: path)
    let inputs = try left.parseFields()
    let outputs = try right.parseFields()
    var seen: Set<String> = []
    for field in inputs + outputs where !seen.insert(field.name).inserted {
      throw failure(path, "The field \"\(field.name)\" appears twice in the signature.", part: field.name)
    }
    guard !outputs.isEmpty else { throw failure(path, "A signature needs at least one output field behind \"->\".") }
    return (inputs, outputs)
  }

  /// A type alone, as in a field's `type` member.
  static func parseType(_ text: String, path: String) throws(HoneError) -> FieldType {
    var parser = SignatureParser(characters: Array(text.prefix(20_000)), path: path)
    let type = try parser.parseUnion(depth: 0)
    parser.skipSpace()
    guard parser.position == parser.characters.count else {
      throw parser.unexpected("the end of the type")
    }
    return type
  }

  private init(characters: [Character], path: String) {
    self.characters = characters
    self.path = path
  }

  /// - Parameter part: the part of the text that is wrong, where it can be told.
  private static func failure(
    _ path: String, _ message: String, part: String? = nil, suggestion: String? = nil
  ) -> HoneError {
    let problem = Problem(path: path, message: message, got: part, suggestion: suggestion)
    return HoneError(.invalidParams, problem.description, problems: [problem])
  }

  private func unexpected(_ wanted: String) -> HoneError {
    let rest = String(characters[min(position, characters.count)...].prefix(20))
    return Self.failure(
      path, "Expected \(wanted) in the signature, got \(rest.isEmpty ? "its end" : "\"\(rest)\"").",
      part: rest.isEmpty ? nil : rest)
  }

  private mutating func skipSpace() {
    while position < characters.count, characters[position].isWhitespace { position += 1 }
  }

  private var current: Character? { position < characters.count ? characters[position] : nil }

  private mutating func take(_ character: Character) -> Bool {
    skipSpace()
    guard current == character else { return false }
    position += 1
    return true
  }

  private mutating func parseFields() throws(HoneError) -> Fields {
    var fields: Fields = []
    skipSpace()
    while position < characters.count {
      let name = try parseName("a field's name")
      var type: FieldType?
      if take(":") { type = try parseUnion(depth: 0) }
      if take("=") { try skipDefault() }
      fields.append((name, type))
      skipSpace()
      if position == characters.count { break }
      guard take(",") else { throw unexpected("\",\" between fields") }
      skipSpace()
    }
    return fields
  }

  /// Passes over a default value: everything up to the next comma outside brackets and quotes.
  private mutating func skipDefault() throws(HoneError) {
    skipSpace()
    let start = position
    var depth = 0
    var quote: Character?
    while let character = current {
      if let open = quote {
        if character == "\\" { position += 1 } else if character == open { quote = nil }
      } else if character == "'" || character == "\"" {
        quote = character
      } else if "([{".contains(character) {
        depth += 1
      } else if ")]}".contains(character) {
        depth -= 1
      } else if character == ",", depth <= 0 {
        break
      }
      position += 1
    }
    position = min(position, characters.count)
    guard position > start, quote == nil, depth == 0 else {
      throw Self.failure(path, "A default value behind \"=\" is missing or not closed.")
    }
  }

  private mutating func parseName(_ what: String) throws(HoneError) -> String {
    skipSpace()
    guard let name = identifier() else { throw unexpected(what) }
    guard !Self.keywords.contains(name) else {
      throw Self.failure(path, "\"\(name)\" is a keyword of Python and cannot name a field.", part: name)
    }
    return name
  }

  private static let keywords: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass",
    "raise", "return", "try", "while", "with", "yield",
  ]

  private mutating func parseUnion(depth: Int) throws(HoneError) -> FieldType {
    guard depth < 32 else { throw Self.failure(path, "A type may be nested 32 levels at most.") }
    var members: [FieldType?] = [try parseSingle(depth: depth)]
    while take("|") { members.append(try parseSingle(depth: depth)) }
    return FieldType.joining(members)
  }

  /// One type; nil for `None`.
  private mutating func parseSingle(depth: Int) throws(HoneError) -> FieldType? {
    skipSpace()
    if current == "{" { return try jsonSchema() }
    let start = position
    var name = try typeName()
    // `typing.List` and the like mean the same without the module.
    while take(".") { name = try typeName() }
    switch name {
    case "None", "NoneType": return nil
    case "str", "string", "String": return .string
    case "int", "integer": return .int
    case "float", "number": return .float
    case "bool", "boolean": return .bool
    case "date": return .date
    case "datetime": return .datetime
    case "time": return .time
    case "Any", "any", "object": return .any
    case "list", "List", "set", "Set", "frozenset", "Sequence":
      let arguments = try typeArguments(depth: depth)
      guard arguments.count <= 1 else { throw Self.failure(path, "\(name)[…] takes one type.") }
      return .list(arguments.first ?? .any)
    case "dict", "Dict", "Mapping":
      let arguments = try typeArguments(depth: depth)
      guard arguments.isEmpty || arguments.count == 2 else {
        throw Self.failure(path, "\(name)[…] takes two types, of keys and of values.")
      }
      return arguments.isEmpty ? .dict(.string, .any) : .dict(arguments[0], arguments[1])
    case "tuple", "Tuple":
      skipSpace()
      return try tuple(depth: depth)
    case "Optional":
      let arguments = try typeArguments(depth: depth)
      guard arguments.count == 1 else { throw Self.failure(path, "Optional[…] takes one type.") }
      return FieldType.joining([arguments[0], nil])
    case "Union":
      guard take("[") else { throw unexpected("\"[\" behind Union") }
      var members: [FieldType?] = []
      repeat { members.append(try parseUnion(depth: depth + 1)) } while take(",")
      guard take("]") else { throw unexpected("\"]\"") }
      return FieldType.joining(members)
    case "Literal":
      return .literal(try literals())
    default:
      position = start
      throw Self.failure(
        path, "Unknown type \"\(name)\". Known types: \(Self.typeNames.joined(separator: ", ")), and A | B.",
        part: name,
        suggestion: nearest(to: name, among: Self.plainNames))
    }
  }

  static let plainNames = [
    "str", "int", "float", "bool", "date", "datetime", "time", "list", "dict", "tuple", "Optional", "Literal", "Any",
  ]
  private static let typeNames = [
    "str", "int", "float", "bool", "date", "datetime", "time", "list[…]", "dict[…, …]", "tuple[…]", "Optional[…]",
    "Literal[…]", "Any", "a JSON Schema {\"type\": …}",
  ]

  // MARK: JSON Schema

  /// A type as a JSON Schema, up to the brace that closes it.
  private mutating func jsonSchema() throws(HoneError) -> FieldType {
    guard let end = Self.endOfObject(characters, from: position) else { throw unexpected("a JSON Schema that ends") }
    let text = String(characters[position..<end])
    guard let schema = try? JSONReader.read(text) else { throw unexpected("a JSON Schema") }
    position = end
    return try SchemaReader.type(schema, path: path)
  }

  /// Where the object that begins at `start` ends: behind its last brace; nil where it is not closed.
  private static func endOfObject(_ characters: [Character], from start: Int) -> Int? {
    var depth = 0
    var isText = false
    var index = start
    while index < characters.count {
      switch characters[index] {
      case "\\" where isText: index += 1
      case "\"": isText.toggle()
      case "{" where !isText: depth += 1
      case "}" where !isText:
        depth -= 1
        if depth == 0 { return index + 1 }
      default: break
      }
      index += 1
    }
    return nil
  }

  /// The arrows of a signature; those within a JSON Schema are its texts'.
  private static func arrows(in text: String) -> [Range<String.Index>] {
    let arrows = text.ranges(of: "->")
    guard arrows.count > 1, text.contains("{") else { return arrows }
    let characters = Array(text)
    var hidden: [Range<Int>] = []
    var index = 0
    while index < characters.count {
      if characters[index] == "{", let end = endOfObject(characters, from: index) {
        hidden.append(index..<end)
        index = end
      } else {
        index += 1
      }
    }
    return arrows.filter { arrow in
      let place = text.distance(from: text.startIndex, to: arrow.lowerBound)
      return !hidden.contains { $0.contains(place) }
    }
  }

  private mutating func typeName() throws(HoneError) -> String {
    skipSpace()
    guard let name = identifier() else { throw unexpected("a type") }
    return name
  }

  /// An identifier as Python's grammar has it, if one stands here.
  private mutating func identifier() -> String? {
    let start = position
    while let character = current, isPart(character, first: position == start) { position += 1 }
    return position > start ? String(characters[start..<position]) : nil
  }

  private func isPart(_ character: Character, first: Bool) -> Bool {
    var isFirst = first
    for scalar in character.unicodeScalars {
      let fits = isFirst ? scalar.properties.isXIDStart || scalar == "_" : scalar.properties.isXIDContinue
      guard fits else { return false }
      isFirst = false
    }
    return true
  }

  private mutating func typeArguments(depth: Int) throws(HoneError) -> [FieldType] {
    guard take("[") else { return [] }
    var arguments: [FieldType] = []
    repeat { arguments.append(try parseUnion(depth: depth + 1)) } while take(",")
    guard take("]") else { throw unexpected("\"]\"") }
    return arguments
  }

  /// `tuple[int, str]`; `tuple[int, ...]` is a list.
  private mutating func tuple(depth: Int) throws(HoneError) -> FieldType {
    guard take("[") else { return .list(.any) }
    var elements: [FieldType] = []
    repeat {
      if take(".") {
        guard take("."), take("."), elements.count == 1, take("]") else { throw unexpected("\"...]\"") }
        return .list(elements[0])
      }
      elements.append(try parseUnion(depth: depth + 1))
    } while take(",")
    guard take("]") else { throw unexpected("\"]\"") }
    return .tuple(elements)
  }

  private mutating func literals() throws(HoneError) -> [JSONValue] {
    guard take("[") else { throw unexpected("\"[\" behind Literal") }
    var values: [JSONValue] = []
    repeat { values.append(try literal()) } while take(",")
    guard take("]") else { throw unexpected("\"]\" after the literals") }
    return values
  }

  private mutating func literal() throws(HoneError) -> JSONValue {
    skipSpace()
    if let quote = current, quote == "'" || quote == "\"" {
      position += 1
      var text = ""
      while let character = current, character != quote {
        position += 1
        guard character == "\\", let escape = current else {
          text.append(character)
          continue
        }
        position += 1
        switch escape {
        case "n": text.append("\n")
        case "t": text.append("\t")
        default: text.append(escape)
        }
      }
      guard current == quote else { throw unexpected("a closing quote") }
      position += 1
      return .string(text)
    }
    let start = position
    while let character = current, character != ",", character != "]", !character.isWhitespace { position += 1 }
    let word = String(characters[start..<position])
    switch word {
    case "True": return true
    case "False": return false
    case "None": return nil
    default:
      if let number = Int(word) { return .int(number) }
      if let number = Double(word), number.isFinite { return .double(number) }
      position = start
      throw unexpected("a literal: a quoted text, a number, True, False or None")
    }
  }
}
