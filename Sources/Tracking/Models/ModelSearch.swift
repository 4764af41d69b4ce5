package import Failures
import GRDB

/// What logged models can be filtered and sorted by. In SQL a model is `l`.
struct ModelFields: FilterFields {
  private static let attributes = ["attribute", "attributes", "attr"]
  private static let names = [
    "name", "model_id", "model_type", "status", "source_run_id", "creation_timestamp", "last_updated_timestamp",
  ]

  func target(_ field: FilterField, source: String) throws(HoneError) -> FilterTarget {
    let key = field.key
    switch field.entity?.lowercased() {
    case "metric", "metrics":
      return FilterTarget(
        name: "The metric \"\(shortened(key))\"", kind: .number, expression: "m.value",
        scope: { "EXISTS (SELECT 1 FROM model_metrics m WHERE m.model = l.seq AND m.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.numberOperators)
    case "param", "params", "parameter", "parameters":
      return FilterTarget(
        name: "The parameter \"\(shortened(key))\"", kind: .text, expression: "p.value",
        scope: { "EXISTS (SELECT 1 FROM model_params p WHERE p.model = l.seq AND p.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.textOperators)
    case "tag", "tags":
      return FilterTarget(
        name: "The tag \"\(shortened(key))\"", kind: .text, expression: "g.value",
        scope: { "EXISTS (SELECT 1 FROM model_tags g WHERE g.model = l.seq AND g.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.textOperators)
    case nil, "attribute", "attributes", "attr": return try attribute(field, source)
    default:
      throw syntaxError(
        source, at: field.position, "There is no kind of field \"\(shortened(field.entity ?? ""))\".",
        got: field.entity,
        allowed: ["metrics", "params", "tags", "attributes"])
    }
  }

  private func attribute(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    switch field.key.lowercased() {
    case "name": return .text("name", "l.name")
    case "model_id": return .text("model_id", "l.id")
    case "model_type": return .text("model_type", "l.type")
    case "status": return .text("status", "l.status")
    case "source_run_id": return .text("source_run_id", "l.run_id")
    case "creation_timestamp", "creation_time": return .number(field.key, "l.created_ms")
    case "last_updated_timestamp": return .number(field.key, "l.updated_ms")
    default:
      throw syntaxError(
        source, at: field.position, "A logged model has no attribute \"\(shortened(field.key))\".", got: field.key,
        allowed: Self.names)
    }
  }

  func sortKey(_ field: FilterField, source: String) throws(HoneError) -> SQL {
    let key = field.key
    switch field.entity?.lowercased() {
    case "metric", "metrics":
      return "(SELECT max(m.value) FROM model_metrics m WHERE m.model = l.seq AND m.key = \(key))"
    case "param", "params":
      return "(SELECT substr(p.value, 1, 200) FROM model_params p WHERE p.model = l.seq AND p.key = \(key))"
    case "tag", "tags":
      return "(SELECT substr(g.value, 1, 200) FROM model_tags g WHERE g.model = l.seq AND g.key = \(key))"
    default:
      let target = try attribute(field, source)
      return target.isNumber ? target.expression : Keyset.text(target.expression)
    }
  }
}

extension TrackingStore {
  /// The logged models of some experiments that pass a filter, sorted, a page at a time.
  ///
  /// - Throws: `invalidParams` with the place of the mistake in a filter.
  package func searchModels(
    experimentIDs: [String], filter: String = "", orderBy: [String] = [], maxResults: Int = 100,
    pageToken: String? = nil
  ) async throws(HoneError) -> Page<LoggedModel> {
    try checkPageSize(maxResults, 10_000)
    let fields = ModelFields()
    var source: SQL = "FROM models l WHERE NOT l.deleted AND l.experiment" + among(experimentIDs)
    source += " AND " + (try FilterCompiler.condition(filter, fields: fields))
    var keys = try Keyset.keys(orderBy, fields)
    keys.append(Keyset.Key(expression: "l.created_ms", isDescending: true, isAlwaysThere: true))
    keys.append(Keyset.Key(expression: "l.seq", isDescending: true, isAlwaysThere: true))
    let query = ["models", filter] + orderBy + ["in"] + experimentIDs
    let keyset = Keyset(keys: keys, query: query.joined(separator: "\n"))
    let after = try keyset.values(pageToken)
    let rows = source
    return try await read { db in
      let (sequences, next) = try keyset.page(db, sequence: "l.seq", source: rows, limit: maxResults, after: after)
      return Page(items: try Self.models(db, sequences), nextPageToken: next)
    }
  }
}

extension Keyset {
  /// The keys that a list of `field [ASC|DESC]` stands for.
  static func keys(_ orderBy: [String], _ fields: some FilterFields) throws(HoneError) -> [Key] {
    var keys: [Key] = []
    for (index, item) in try checkedOrder(orderBy).enumerated() {
      let place = "orderBy[\(index)]"
      let (field, isDescending) = try FilterParser.parseOrder(item, source: place)
      keys.append(Key(expression: try fields.sortKey(field, source: place), isDescending: isDescending))
    }
    return keys
  }
}
