import Failures
import GRDB
import JSON

/// A sort order with its paging: each page begins behind the last row of the one before, by the row's own
/// sort values, so that rows that come or go between two pages neither repeat nor hide others.
struct Keyset: Sendable {
  struct Key: Sendable {
    /// An SQL expression, and whether large values come first. NULL comes last either way.
    var expression: SQL
    var isDescending: Bool
    /// That it is never NULL, so that an index in its order serves.
    var isAlwaysThere = false
  }

  private let keys: [Key]
  private let query: String

  /// - Parameters:
  ///   - keys: the last one must be unique and never NULL.
  ///   - query: names the query, so that a token of another one is refused.
  init(keys: [Key], query: String) {
    self.keys = keys
    self.query = query
  }

  /// The rows' numbers of a page, and the token of the next one.
  ///
  /// - Parameter source: the tables and the condition, `FROM … WHERE …`.
  func page(
    _ db: Database, sequence: SQL, source: SQL, limit: Int, after token: [DatabaseValue]?
  ) throws -> (sequences: [Int64], next: String?) {
    var columns: SQL = sequence + " AS seq"
    var order: [String] = []
    for (index, key) in keys.enumerated() {
      columns += ", " + key.expression + SQL(sql: " AS k\(index)")
      order.append("k\(index) \(key.isDescending ? "DESC" : "ASC")\(key.isAlwaysThere ? "" : " NULLS LAST")")
    }
    var statement: SQL = "SELECT * FROM (SELECT " + columns + " " + source + ")"
    if let token { statement += " WHERE " + after(token) }
    statement += SQL(sql: " ORDER BY \(order.joined(separator: ", "))") + " LIMIT \(limit + 1)"
    let rows = try SQLRequest<Row>(literal: statement).fetchAll(db)
    let sequences = rows.prefix(limit).map { $0[0] as Int64 }
    guard rows.count > limit, limit > 0 else { return (sequences, nil) }
    let last = rows[limit - 1]
    let values = keys.indices.map { index -> JSONValue in Self.json(last[index + 1]) }
    return (sequences, PageToken.token(values, query: query))
  }

  /// The sort values in a token; nil without one.
  func values(_ token: String?) throws(HoneError) -> [DatabaseValue]? {
    guard let values = try PageToken.values(token, count: keys.count, query: query) else { return nil }
    var result: [DatabaseValue] = []
    for value in values {
      guard let plain = Self.databaseValue(value) else {
        throw invalid("pageToken", "This is not a page token.", got: token)
      }
      result.append(plain)
    }
    return result
  }

  /// Behind the row with those values: greater in the first key, or equal there and behind in the rest.
  private func after(_ values: [DatabaseValue]) -> SQL {
    var condition: SQL = "0"
    for (index, key) in keys.enumerated().reversed() {
      let column = SQL(sql: "k\(index)")
      let value = values[index]
      let equal: SQL = column + " IS \(value)"
      let beyond: SQL =
        value.isNull
        ? "0"
        : key.isDescending
          ? "(" + column + " < \(value) OR " + column + " IS NULL)"
          : "(" + column + " > \(value) OR " + column + " IS NULL)"
      condition = "(" + beyond + " OR (" + equal + " AND " + condition + "))"
    }
    return condition
  }

  /// What texts are sorted by: their beginning, so that tokens stay small.
  static func text(_ expression: SQL) -> SQL { "substr(" + expression + ", 1, 200)" }

  private static func json(_ value: DatabaseValue) -> JSONValue {
    switch value.storage {
    case .null: .null
    case .int64(let number): .int(Int(number))
    // JSON has no infinity; a list of one text tells the two from strings.
    case .double(let number): number.isFinite ? .double(number) : [.string(number > 0 ? "inf" : "-inf")]
    case .string(let text): .string(text)
    case .blob(let data): [.string("x"), .string(hexText(data))]
    }
  }

  private static func databaseValue(_ value: JSONValue) -> DatabaseValue? {
    switch value {
    case .null: .null
    case .int(let number): Int64(number).databaseValue
    case .double(let number): number.databaseValue
    case .string(let text): text.databaseValue
    case .array(["inf"]): Double.infinity.databaseValue
    case .array(["-inf"]): (-Double.infinity).databaseValue
    case .array(let parts):
      parts.count == 2 && parts[0] == "x" ? parts[1].stringValue.flatMap(blob)?.databaseValue : nil
    default: nil
    }
  }
}
