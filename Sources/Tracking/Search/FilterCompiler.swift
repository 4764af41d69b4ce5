import Failures
import GRDB
import JSON
import RegularExpressions

/// What a field of a filter means in SQL.
struct FilterTarget {
  enum Kind {
    case text
    case number
    /// A JSON value: the text of a string, or of any other value; and a number where it is one.
    case feedback
    /// Something inside the spans, for which the function `hone_span` answers.
    case span(SpanPart)
  }

  /// The field in words, for messages.
  var name: String
  var kind: Kind
  /// The value as an SQL expression.
  var expression: SQL
  /// Puts a condition on the value into a condition on the row. A keyed value lies in another table.
  var scope: @Sendable (SQL) -> SQL = { $0 }
  var isKeyed = false
  /// Of which operators it takes the field leaves out some.
  var operators: [FilterOperator]
  /// What the value is multiplied by before it is compared with the column (seconds, for one).
  var factor: Double = 1

  var isNumber: Bool {
    if case .number = kind { true } else { false }
  }

  static let textOperators: [FilterOperator] = [
    .equal, .notEqual, .like, .notLike, .ilike, .notIlike, .isIn, .isNotIn, .isNull, .isNotNull,
  ]
  static let numberOperators: [FilterOperator] = FilterOperator.comparisons + [.isNull, .isNotNull]

  static func text(_ name: String, _ expression: SQL, operators: [FilterOperator] = textOperators) -> FilterTarget {
    FilterTarget(name: name, kind: .text, expression: expression, operators: operators)
  }

  static func number(_ name: String, _ expression: SQL, factor: Double = 1) -> FilterTarget {
    FilterTarget(name: name, kind: .number, expression: expression, operators: numberOperators, factor: factor)
  }
}

/// What there is to filter and to sort by in one kind of search.
protocol FilterFields: Sendable {
  /// - Throws: `invalidParams` if there is no such field.
  func target(_ field: FilterField, source: String) throws(HoneError) -> FilterTarget
  /// The sort keys of a field: an SQL expression, after a rank where the values have one.
  ///
  /// - Throws: `invalidParams` if there is no sorting by it.
  func sortKey(_ field: FilterField, source: String) throws(HoneError) -> SQL
}

/// Turns a parsed filter into an SQL condition. Whatever came from the filter's text is bound, never spliced.
struct FilterCompiler {
  let fields: any FilterFields
  let source: String

  /// The condition of a whole filter; always true for an empty one.
  static func condition(_ text: String, fields: any FilterFields) throws(HoneError) -> SQL {
    guard let expression = try FilterParser.parse(text) else { return "1" }
    return try FilterCompiler(fields: fields, source: "filter").condition(expression)
  }

  private func condition(_ expression: FilterExpression) throws(HoneError) -> SQL {
    switch expression {
    case .comparison(let field, let comparator, let operand, let position):
      return try comparison(field, comparator, operand, position)
    case .and(let parts): return try joined(parts, " AND ")
    case .or(let parts): return try joined(parts, " OR ")
    // A comparison with a missing value is not true, so its opposite is.
    case .not(let inner): return "((" + (try condition(inner)) + ") IS NOT TRUE)"
    }
  }

  private func joined(_ parts: [FilterExpression], _ word: String) throws(HoneError) -> SQL {
    var result: SQL = "("
    for (index, part) in parts.enumerated() {
      if index > 0 { result += SQL(sql: word) }
      result += try condition(part)
    }
    return result + ")"
  }

  private func comparison(
    _ field: FilterField, _ comparator: FilterOperator, _ operand: FilterOperand, _ position: Int
  ) throws(HoneError) -> SQL {
    let target = try fields.target(field, source: source)
    guard target.operators.contains(comparator) else {
      throw syntaxError(
        source, at: position, "\(target.name) cannot be compared by \(comparator.rawValue).", got: comparator.rawValue,
        allowed: target.operators.map(\.rawValue))
    }
    if case .span(let part) = target.kind {
      return try spanCondition(part, target, comparator, operand, position)
    }
    switch comparator {
    case .isNull: return target.isKeyed ? "NOT " + target.scope("1") : target.expression + " IS NULL"
    case .isNotNull: return target.isKeyed ? target.scope("1") : target.expression + " IS NOT NULL"
    default: break
    }
    switch target.kind {
    case .number:
      guard case .number(let value) = operand else {
        throw syntaxError(
          source, at: position, "\(target.name) is compared with a number, got \(operand.excerpt).",
          got: operand.excerpt)
      }
      return target.scope(numeric(target.expression, comparator, value * target.factor))
    case .feedback: return try feedback(target, comparator, operand, position)
    case .text, .span:
      return target.scope(try textual(target, target.expression, comparator, operand, position))
    }
  }

  private func numeric(_ expression: SQL, _ comparator: FilterOperator, _ value: Double) -> SQL {
    // NaN is stored as NULL: it equals nothing and differs from every number.
    comparator == .notEqual
      ? expression + " IS NOT \(value)" : expression + SQL(sql: " \(comparator.rawValue) ") + "\(value)"
  }

  private func textual(
    _ target: FilterTarget, _ expression: SQL, _ comparator: FilterOperator, _ operand: FilterOperand, _ position: Int
  ) throws(HoneError) -> SQL {
    if case .strings(let texts) = operand {
      let list = JSONValue.array(texts.map(JSONValue.string)).text()
      return expression + SQL(sql: " \(comparator.rawValue) ") + "(SELECT value FROM json_each(\(list)))"
    }
    guard case .string(let text) = operand else {
      throw syntaxError(
        source, at: position, "\(target.name) is compared with a string in quotes, got \(operand.excerpt).",
        got: operand.excerpt)
    }
    switch comparator {
    case .like: return expression + " GLOB \(globPattern(like: text))"
    case .notLike: return expression + " NOT GLOB \(globPattern(like: text))"
    // SQLite's own LIKE folds ASCII and nothing else.
    case .ilike: return expression + " LIKE \(text)"
    case .notIlike: return expression + " NOT LIKE \(text)"
    case .rlike, .notRlike:
      try checkPattern(text, position)
      return SQL(sql: comparator == .rlike ? "" : "NOT ") + "hone_rlike(" + expression + ", \(text))"
    default: return expression + SQL(sql: " \(comparator.rawValue) ") + "\(text)"
    }
  }

  private func feedback(
    _ target: FilterTarget, _ comparator: FilterOperator, _ operand: FilterOperand, _ position: Int
  ) throws(HoneError) -> SQL {
    switch operand {
    case .number(let value): return target.scope(numeric("a.number", comparator, value) + " AND a.number IS NOT NULL")
    case .word(let word) where ["true", "false"].contains(word.lowercased()):
      return target.scope(
        try textual(target, target.expression, comparator, .string(word.lowercased()), position))
    default:
      if [.greater, .greaterOrEqual, .less, .lessOrEqual].contains(comparator) {
        throw syntaxError(
          source, at: position, "\(target.name) is ordered against a number, got \(operand.excerpt).",
          got: operand.excerpt)
      }
      return target.scope(try textual(target, target.expression, comparator, operand, position))
    }
  }

  private func spanCondition(
    _ part: SpanPart, _ target: FilterTarget, _ comparator: FilterOperator, _ operand: FilterOperand, _ position: Int
  ) throws(HoneError) -> SQL {
    let test: JSONValue
    switch operand {
    case .string(let text):
      if comparator == .rlike || comparator == .notRlike { try checkPattern(text, position) }
      if [.greater, .greaterOrEqual, .less, .lessOrEqual].contains(comparator) {
        throw syntaxError(source, at: position, "\(target.name) is ordered against a number.", got: operand.excerpt)
      }
      test = .string(text)
    case .strings(let texts): test = .array(texts.map(JSONValue.string))
    case .none: test = .null
    case .number(let value) where part.isAttribute: test = .double(value)
    case .word(let word) where part.isAttribute && ["true", "false"].contains(word): test = .bool(word == "true")
    default:
      throw syntaxError(
        source, at: position, "\(target.name) is compared with a string in quotes, got \(operand.excerpt).",
        got: operand.excerpt)
    }
    let question = JSONValue.array([
      .string(part.name), JSONValue(part.key), .string(comparator.rawValue), test,
    ]).text()
    let whole: SQL = """
      EXISTS (SELECT 1 FROM span_chunks c WHERE c.id >= t.seq << 20 AND c.id < (t.seq + 1) << 20
        AND hone_span(c.payload, \(question)))
      """
    guard SpanTest(question)?.needed.fragments.isEmpty == false else { return whole }
    // A trace whose filters are still to be made (see `fillSpanFilters`) is read.
    return """
      (EXISTS (SELECT 1 FROM span_filters f WHERE f.id >= t.seq << 20 AND f.id < (t.seq + 1) << 20
          AND hone_may(f.filter, \(question))
          AND EXISTS (SELECT 1 FROM span_chunks c WHERE c.id = f.id AND hone_span(c.payload, \(question))))
        OR (NOT EXISTS (SELECT 1 FROM span_filters f WHERE f.id >= t.seq << 20 AND f.id < (t.seq + 1) << 20)
          AND \(whole)))
      """
  }

  private func checkPattern(_ text: String, _ position: Int) throws(HoneError) {
    do throws(RegularExpression.SyntaxError) {
      _ = try PatternCache.compiled(text)
    } catch {
      throw syntaxError(
        source, at: position, "The pattern is not a valid regular expression: \(error.message).", got: text)
    }
  }
}

/// A LIKE pattern as one of GLOB, which is case-sensitive whatever a pragma says.
func globPattern(like pattern: String) -> String {
  var result = ""
  for scalar in pattern.unicodeScalars {
    switch scalar {
    case "%": result += "*"
    case "_": result += "?"
    case "*", "?", "[": result += "[\(scalar)]"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
