package import JSON
import RowStorage

extension Dataset {
  /// The rows' columns and types as a column specification in MLflow's form:
  /// `{"mlflow_colspec": [{"type": "string", "name": "question", "required": true}, …]}`.
  ///
  /// Types are `string`, `long`, `double`, `boolean`, `array` (with `items`), `object` (with
  /// `properties`), and `any` where rows differ or only null stands. Columns stand in the order in
  /// which they first occur; one that some row lacks or has null in is not required.
  package var schema: JSONObject {
    var columns = ColumnTable()
    for row in rows { columns.add(row, depth: 0) }
    return ["mlflow_colspec": .array(columns.specifications(rowCount: rows.count))]
  }
}

/// The columns of rows, gathered row by row.
private struct ColumnTable {
  private var names: [String] = []
  private var columns: [String: Column] = [:]

  mutating func add(_ row: JSONObject, depth: Int) {
    for (name, value) in row {
      if columns[name] == nil { names.append(name) }
      columns[name, default: Column()].add(value, depth: depth)
    }
  }

  func specifications(rowCount: Int) -> [JSONValue] {
    names.map { name in
      var specification = columns[name]?.type ?? [:]
      specification["name"] = .string(name)
      specification["required"] = .bool(columns[name]?.present == rowCount)
      return .object(specification)
    }
  }

  func properties(rowCount: Int) -> JSONObject {
    var result = JSONObject()
    for name in names {
      var specification = columns[name]?.type ?? [:]
      specification["required"] = .bool(columns[name]?.present == rowCount)
      result.append(name, .object(specification))
    }
    return result
  }
}

/// What the values of a column are.
private struct Column {
  /// Values that are not null.
  private(set) var present = 0
  private var kinds: Set<Kind> = []
  /// The elements of arrays, as one column; none or one.
  private var elements: [Column] = []
  private var members: [ColumnTable] = []
  /// Whether it is nested too deep to be described.
  private var isTooDeep = false

  private enum Kind: String { case boolean, long, double, string, array, object }

  private static let deepest = 8

  mutating func add(_ value: JSONValue, depth: Int) {
    guard let kind = Self.kind(of: value) else { return }
    present += 1
    kinds.insert(kind)
    isTooDeep = depth >= Self.deepest
    guard !isTooDeep else { return }
    switch value {
    case .array(let values):
      if elements.isEmpty { elements = [Column()] }
      for value in values { elements[0].add(value, depth: depth + 1) }
    case .object(let object):
      if members.isEmpty { members = [ColumnTable()] }
      members[0].add(object, depth: depth + 1)
    default: break
    }
  }

  private static func kind(of value: JSONValue) -> Kind? {
    switch value {
    case .null: nil
    case .bool: .boolean
    case .int: .long
    case .double, .number: .double
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }

  /// The one type that all values share, or `any`.
  var type: JSONObject {
    if kinds == [.long, .double] { return ["type": "double"] }
    guard kinds.count == 1, let kind = kinds.first, !isTooDeep else { return ["type": "any"] }
    switch kind {
    case .array: return elements.first.map { ["type": "array", "items": .object($0.type)] } ?? ["type": "any"]
    case .object:
      return members.first.map { ["type": "object", "properties": .object($0.properties(rowCount: present))] }
        ?? ["type": "any"]
    default: return ["type": .string(kind.rawValue)]
    }
  }
}
