import Failures

/// Parses filters: MLflow's language, widened by OR, NOT, parentheses, and the negated LIKEs.
///
///     filter     := [ disjunct ]
///     disjunct   := conjunct { OR conjunct }
///     conjunct   := term { AND term }
///     term       := NOT term | "(" disjunct ")" | comparison
///     comparison := field operator value | field [NOT] IN "(" string { "," string } ")" | field IS [NOT] NULL
///     field      := [ entity "." ] key          key bare (dots and dashes too), `…` or "…"
///     value      := number | 'string' | "string"     a quote inside is doubled
///
/// Which fields there are, and which operators each takes, is not decided here but by `FilterFields`.
struct FilterParser {
  /// How deep parentheses and NOTs nest, and how many comparisons a filter has, at most.
  static let deepest = 50
  static let mostComparisons = 200

  private let source: String
  private let tokens: [FilterToken]
  private var index = 0
  private var comparisons = 0

  /// The expression of a filter; nil for an empty one.
  ///
  /// - Throws: `invalidParams` with the place of the mistake.
  static func parse(_ text: String, source: String = "filter") throws(HoneError) -> FilterExpression? {
    var parser = FilterParser(source: source, tokens: try FilterLexer.tokens(text, source: source))
    if parser.current.kind == .end { return nil }
    let expression = try parser.disjunct(depth: 0)
    guard parser.current.kind == .end else {
      throw parser.unexpected("AND, OR or the end")
    }
    return expression
  }

  /// A sort key with its direction, `field [ASC|DESC]`, one an item.
  static func parseOrder(_ text: String, source: String) throws(HoneError) -> (field: FilterField, descending: Bool) {
    var parser = FilterParser(source: source, tokens: try FilterLexer.tokens(text, source: source))
    let field = try parser.field()
    var descending = false
    if parser.takeWord("DESC") { descending = true } else { _ = parser.takeWord("ASC") }
    guard parser.current.kind == .end else { throw parser.unexpected("ASC, DESC or the end (one key an item)") }
    return (field, descending)
  }

  private init(source: String, tokens: [FilterToken]) {
    self.source = source
    self.tokens = tokens
  }

  private var current: FilterToken { tokens[index] }

  private mutating func advance() -> FilterToken {
    defer { if index < tokens.count - 1 { index += 1 } }
    return tokens[index]
  }

  private func isWord(_ word: String, _ token: FilterToken) -> Bool {
    token.kind == .word && token.text.utf8.count == word.utf8.count && token.text.uppercased() == word
  }

  private mutating func takeWord(_ word: String) -> Bool {
    guard isWord(word, current) else { return false }
    index += 1
    return true
  }

  private mutating func takeSymbol(_ symbol: String) -> Bool {
    guard current.kind == .symbol, current.text == symbol else { return false }
    index += 1
    return true
  }

  private func unexpected(_ expected: String) -> HoneError {
    syntaxError(
      source, at: current.position, "Expected \(expected), got \(current.shown).",
      got: current.kind == .end ? nil : current.text)
  }

  private mutating func disjunct(depth: Int) throws(HoneError) -> FilterExpression {
    guard depth <= Self.deepest else {
      throw syntaxError(source, at: current.position, "It is nested deeper than \(Self.deepest) levels.")
    }
    var parts = [try conjunct(depth: depth)]
    while takeWord("OR") { parts.append(try conjunct(depth: depth)) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func conjunct(depth: Int) throws(HoneError) -> FilterExpression {
    var parts = [try term(depth: depth)]
    while takeWord("AND") { parts.append(try term(depth: depth)) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func term(depth: Int) throws(HoneError) -> FilterExpression {
    var depth = depth
    var isNegated = false
    while takeWord("NOT") {
      isNegated.toggle()
      depth += 1
      guard depth <= Self.deepest else {
        throw syntaxError(source, at: current.position, "It is nested deeper than \(Self.deepest) levels.")
      }
    }
    let inner: FilterExpression
    if takeSymbol("(") {
      inner = try disjunct(depth: depth + 1)
      guard takeSymbol(")") else { throw unexpected("AND, OR or )") }
    } else {
      inner = try comparison()
    }
    return isNegated ? .not(inner) : inner
  }

  private mutating func comparison() throws(HoneError) -> FilterExpression {
    comparisons += 1
    guard comparisons <= Self.mostComparisons else {
      throw syntaxError(source, at: current.position, "It has more than \(Self.mostComparisons) comparisons.")
    }
    let field = try field()
    let position = current.position
    let comparator = try comparator()
    let operand: FilterOperand =
      switch comparator {
      case .isNull, .isNotNull: .none
      case .isIn, .isNotIn: .strings(try list())
      default: try value()
      }
    return .comparison(field, comparator, operand, position: position)
  }

  /// `key`, `entity.key`, or `entity.` with a quoted key right behind.
  private mutating func field() throws(HoneError) -> FilterField {
    let token = current
    switch token.kind {
    case .quotedKey, .doubleQuoted:
      index += 1
      return FilterField(entity: nil, key: token.text, position: token.position)
    case .word where !["AND", "OR", "NOT", "IN", "IS", "LIKE"].contains(token.text.uppercased()):
      index += 1
    default:
      throw unexpected("the name of a field")
    }
    guard let dot = token.text.firstIndex(of: ".") else {
      return FilterField(entity: nil, key: token.text, position: token.position)
    }
    let entity = String(token.text[..<dot])
    var key = String(token.text[token.text.index(after: dot)...])
    // `metrics.`…``, and `span.attributes.`…``.
    if key.isEmpty || key.hasSuffix("."), current.isAdjacent,
      current.kind == .quotedKey || current.kind == .doubleQuoted
    {
      key += advance().text
    }
    guard !key.isEmpty, !entity.isEmpty else {
      throw syntaxError(source, at: token.position, "Expected a name on both sides of the dot.", got: token.text)
    }
    return FilterField(entity: entity, key: key, position: token.position)
  }

  private mutating func comparator() throws(HoneError) -> FilterOperator {
    let token = current
    if token.kind == .symbol {
      let text = token.text == "<>" ? "!=" : token.text
      if let comparator = FilterOperator.comparisons.first(where: { $0.rawValue == text }) {
        index += 1
        return comparator
      }
    }
    let isNegated = takeWord("NOT")
    if takeWord("IN") { return isNegated ? .isNotIn : .isIn }
    if takeWord("LIKE") { return isNegated ? .notLike : .like }
    if takeWord("ILIKE") { return isNegated ? .notIlike : .ilike }
    if takeWord("RLIKE") { return isNegated ? .notRlike : .rlike }
    if !isNegated, takeWord("IS") {
      let isNot = takeWord("NOT")
      guard takeWord("NULL") else { throw unexpected(isNot ? "NULL" : "NULL or NOT NULL") }
      return isNot ? .isNotNull : .isNull
    }
    throw syntaxError(
      source, at: current.position, "Expected an operator, got \(current.shown).",
      got: current.kind == .end ? nil : current.text, allowed: FilterOperator.allCases.map(\.rawValue))
  }

  private mutating func value() throws(HoneError) -> FilterOperand {
    let token = current
    switch token.kind {
    case .number(let value):
      index += 1
      return .number(value)
    case .string, .doubleQuoted:
      index += 1
      return .string(token.text)
    case .word:
      index += 1
      return .word(token.text)
    case .quotedKey:
      throw syntaxError(
        source, at: token.position, "Back ticks quote keys; single quotes quote values.", got: token.text)
    default:
      throw unexpected("a number or a string in quotes")
    }
  }

  private mutating func list() throws(HoneError) -> [String] {
    guard takeSymbol("(") else { throw unexpected("( and a list of strings in quotes") }
    var texts: [String] = []
    repeat {
      guard current.kind == .string || current.kind == .doubleQuoted else { throw unexpected("a string in quotes") }
      texts.append(advance().text)
    } while takeSymbol(",")
    guard takeSymbol(")") else { throw unexpected(", or )") }
    return texts
  }
}
