package import JSON

extension Dataset {
  /// The rows' columns and types as a column specification in MLflow's form:
  /// `{"mlflow_colspec": [{"type": "string", "name": "question", "required": true}, …]}`.
  ///
  /// Types are `string`, `long`, `double`, `boolean`, `array` (with `items`), `object` (with
  /// `properties`), and `any` where rows differ or only null stands. Columns stand in the order in
  /// which they first occur; one that some row lacks or has null in is not required.
  package var schema: JSONObject {
    var columns = ColumnTable()
    for row in rows { columns.add(row) }
    return ["mlflow_colspec": .array(columns.specifications(rowCount: rows.count, depth: 0))]
  }
}

/// The values of each column, gathered row by row.
private struct ColumnTable {
  private var names: [String] = []
  private var columns: [String: [JSONValue]] = [:]

  mutating func add(_ row: JSONObject) {
    for (name, value) in row {
      if columns[name] == nil { names.append(name) }
      columns[name, default: []].append(value)
    }
  }

  func specifications(rowCount: Int, depth: Int) -> [JSONValue] {
    names.map { name in
      let present = (columns[name] ?? []).filter { !$0.isNull }
      var specification = columnType(of: present, depth: depth)
      specification["name"] = .string(name)
      specification["required"] = .bool(present.count == rowCount)
      return .object(specification)
    }
  }

  func properties(rowCount: Int, depth: Int) -> JSONObject {
    var result = JSONObject()
    for name in names {
      let present = (columns[name] ?? []).filter { !$0.isNull }
      var specification = columnType(of: present, depth: depth)
      specification["required"] = .bool(present.count == rowCount)
      result.append(name, .object(specification))
    }
    return result
  }
}

/// The one type that all values share, or `any`.
private func columnType(of values: [JSONValue], depth: Int) -> JSONObject {
  var names: Set<String> = []
  for value in values {
    switch value {
    case .null: break
    case .bool: names.insert("boolean")
    case .int: names.insert("long")
    case .double, .number: names.insert("double")
    case .string: names.insert("string")
    case .array: names.insert("array")
    case .object: names.insert("object")
    }
  }
  if names == ["long", "double"] { return ["type": "double"] }
  guard names.count == 1, let name = names.first, depth < 8 else { return ["type": "any"] }
  switch name {
  case "array":
    let elements = values.flatMap { $0.arrayValue ?? [] }
    return ["type": "array", "items": .object(columnType(of: elements.filter { !$0.isNull }, depth: depth + 1))]
  case "object":
    var table = ColumnTable()
    for value in values { if let object = value.objectValue { table.add(object) } }
    return ["type": "object", "properties": .object(table.properties(rowCount: values.count, depth: depth + 1))]
  default:
    return ["type": .string(name)]
  }
}
