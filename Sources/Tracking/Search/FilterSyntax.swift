import Failures

/// A comparison operator of the filter language.
enum FilterOperator: String, Sendable, CaseIterable {
  case equal = "="
  case notEqual = "!="
  case greater = ">"
  case greaterOrEqual = ">="
  case less = "<"
  case lessOrEqual = "<="
  case like = "LIKE"
  case notLike = "NOT LIKE"
  case ilike = "ILIKE"
  case notIlike = "NOT ILIKE"
  case rlike = "RLIKE"
  case notRlike = "NOT RLIKE"
  case isIn = "IN"
  case isNotIn = "NOT IN"
  case isNull = "IS NULL"
  case isNotNull = "IS NOT NULL"

  static let comparisons: [FilterOperator] = [.equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual]
}

/// What stands on the right of an operator.
enum FilterOperand: Sendable, Hashable {
  case none
  case number(Double)
  case string(String)
  case strings([String])
  /// A bare word (`true`, `NaN`), which only feedback takes.
  case word(String)

  /// The operand as it would be written, for messages.
  var excerpt: String {
    switch self {
    case .none: ""
    case .number(let value): value.description
    case .string(let text): "'\(shortened(text))'"
    case .strings(let texts): "(" + texts.prefix(5).map { "'\(shortened($0))'" }.joined(separator: ", ") + ")"
    case .word(let text): shortened(text)
    }
  }
}

/// What stands on the left of an operator: `entity.key`, or a key alone.
struct FilterField: Sendable, Hashable {
  var entity: String?
  var key: String
  /// Where it begins, in characters from 1.
  var position: Int

  var written: String { entity.map { "\($0).\(key)" } ?? key }
}

/// A parsed filter.
indirect enum FilterExpression: Sendable, Hashable {
  case comparison(FilterField, FilterOperator, FilterOperand, position: Int)
  case and([FilterExpression])
  case or([FilterExpression])
  case not(FilterExpression)
}

/// A mistake in a filter or sort order: where it is, what came, what is allowed.
func syntaxError(
  _ source: String, at position: Int, _ message: String, got: String? = nil, allowed: [String] = []
) -> HoneError {
  let suggestion = got.flatMap { nearest(to: $0, among: allowed) }
  var text = "\(source), at character \(position): \(message)"
  if !allowed.isEmpty { text += " Allowed: \(allowed.joined(separator: ", "))." }
  if let suggestion, suggestion != got { text += " Did you mean \"\(suggestion)\"?" }
  return HoneError(
    .invalidParams, text,
    problems: [
      Problem(
        path: source, message: "At character \(position): \(message)", got: got.map(shortened), allowed: allowed,
        suggestion: suggestion)
    ], details: ["position": String(position)])
}

/// One token of a filter.
struct FilterToken: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// Bare letters, digits, dots, dashes …: a key, an entity or a word of the language.
    case word
    /// In back ticks: always a key.
    case quotedKey
    /// In double quotes: a key on the left, a string on the right.
    case doubleQuoted
    /// In single quotes.
    case string
    case number(Double)
    /// An operator, a parenthesis or a comma.
    case symbol
    case end
  }
  var kind: Kind
  var text: String
  /// Where it begins, in characters from 1.
  var position: Int
  /// Whether nothing stands between it and the token before.
  var isAdjacent: Bool

  /// The token as a message names it.
  var shown: String { kind == .end ? "the end" : "\"\(shortened(text))\"" }
}

/// Cuts a filter into tokens.
struct FilterLexer {
  static let longest = 20_000

  private let source: String
  private let characters: [Unicode.Scalar]
  private var index = 0

  static func tokens(_ text: String, source: String) throws(HoneError) -> [FilterToken] {
    guard text.utf8.count <= longest else {
      throw syntaxError(source, at: longest, "It is longer than \(longest) bytes.")
    }
    var lexer = FilterLexer(source: source, characters: Array(text.unicodeScalars))
    var tokens: [FilterToken] = []
    while true {
      let start = lexer.index
      lexer.skipSpace()
      var token = try lexer.next()
      token.isAdjacent = !tokens.isEmpty && lexer.startOfToken == start
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  private var startOfToken = 0

  private init(source: String, characters: [Unicode.Scalar]) {
    self.source = source
    self.characters = characters
  }

  private var current: Unicode.Scalar? { index < characters.count ? characters[index] : nil }
  private var following: Unicode.Scalar? { index + 1 < characters.count ? characters[index + 1] : nil }

  private mutating func skipSpace() {
    while let scalar = current, scalar.properties.isWhitespace { index += 1 }
  }

  private mutating func next() throws(HoneError) -> FilterToken {
    startOfToken = index
    guard let scalar = current else { return token(.end) }
    switch scalar {
    case "'": return token(.string, try quoted("'"))
    case "\"": return token(.doubleQuoted, try quoted("\""))
    case "`": return token(.quotedKey, try quoted("`"))
    case "(", ")", ",", "=":
      index += 1
      return token(.symbol)
    case "!", "<", ">":
      index += 1
      if current == "=" || (scalar == "<" && current == ">") { index += 1 }
      guard index - startOfToken == 2 || scalar != "!" else {
        throw syntaxError(source, at: startOfToken + 1, "Expected != here, got !.", got: "!")
      }
      return token(.symbol)
    case "0"..."9", ".", "+", "-":
      if let number = readNumber() { return number }
    default: break
    }
    while let scalar = current, Self.isWord(scalar) { index += 1 }
    guard index > startOfToken else {
      throw syntaxError(
        source, at: index + 1, "The character \"\(scalar)\" has no meaning here.", got: String(Character(scalar)))
    }
    return token(.word)
  }

  private func token(_ kind: FilterToken.Kind, _ text: String? = nil) -> FilterToken {
    FilterToken(kind: kind, text: text ?? slice(), position: startOfToken + 1, isAdjacent: false)
  }

  private func slice() -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: characters[startOfToken..<index])
    return String(view)
  }

  /// Letters of any script, digits and `_ - . : / @ $ #`.
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", ":", "/", "@", "$", "#": return true
      default: return false
      }
    }
    return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      || scalar.properties.generalCategory == .nonspacingMark
  }

  /// Text in quotes; the quote itself is written twice.
  private mutating func quoted(_ quote: Unicode.Scalar) throws(HoneError) -> String {
    index += 1
    var text = String.UnicodeScalarView()
    while let scalar = current {
      index += 1
      if scalar == quote {
        guard current == quote else { return String(text) }
        index += 1
      }
      text.append(scalar)
    }
    throw syntaxError(source, at: startOfToken + 1, "The quote \(quote) is not closed.", got: String(Character(quote)))
  }

  /// `[+-]digits[.digits][e[+-]digits]`, unless letters follow without a gap (`5th` is a word).
  private mutating func readNumber() -> FilterToken? {
    var end = index
    func digits() -> Int {
      var count = 0
      while end < characters.count, ("0"..."9").contains(characters[end]) {
        end += 1
        count += 1
      }
      return count
    }
    if characters[end] == "+" || characters[end] == "-" { end += 1 }
    var count = digits()
    if end < characters.count, characters[end] == "." {
      end += 1
      count += digits()
    }
    guard count > 0 else { return nil }
    if end < characters.count, characters[end] == "e" || characters[end] == "E" {
      let mark = end
      end += 1
      if end < characters.count, characters[end] == "+" || characters[end] == "-" { end += 1 }
      if digits() == 0 { end = mark }
    }
    guard end == characters.count || !Self.isWord(characters[end]) else { return nil }
    index = end
    guard let value = Double(slice()) else {
      index = startOfToken
      return nil
    }
    return token(.number(value))
  }
}
