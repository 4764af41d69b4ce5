package import Failures
import GRDB

/// What experiments can be filtered and sorted by. In SQL an experiment is `e`.
struct ExperimentFields: FilterFields {
  private static let names = ["name", "experiment_id", "creation_time", "last_update_time"]

  func target(_ field: FilterField, source: String) throws(HoneError) -> FilterTarget {
    switch field.entity?.lowercased() {
    case "tag", "tags":
      let key = field.key
      return FilterTarget(
        name: "The tag \"\(shortened(key))\"", kind: .text, expression: "g.value",
        scope: {
          "EXISTS (SELECT 1 FROM experiment_tags g WHERE g.experiment = e.id AND g.key = \(key) AND " + $0 + ")"
        },
        isKeyed: true, operators: FilterTarget.textOperators)
    case nil, "attribute", "attributes", "attr", "experiment": return try attribute(field, source)
    default:
      throw syntaxError(
        source, at: field.position, "There is no kind of field \"\(shortened(field.entity ?? ""))\".",
        got: field.entity,
        allowed: ["tags", "attributes"])
    }
  }

  private func attribute(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    switch field.key.lowercased() {
    case "name": return .text("name", "e.name")
    case "experiment_id": return .text("experiment_id", "CAST(e.id AS TEXT)")
    case "creation_time", "created": return .number(field.key, "e.created_ms")
    case "last_update_time": return .number(field.key, "e.updated_ms")
    default:
      throw syntaxError(
        source, at: field.position, "An experiment has no attribute \"\(shortened(field.key))\".", got: field.key,
        allowed: Self.names)
    }
  }

  func sortKey(_ field: FilterField, source: String) throws(HoneError) -> SQL {
    if field.key.lowercased() == "experiment_id" { return "e.id" }
    if ["tag", "tags"].contains(field.entity?.lowercased()) {
      return
        "(SELECT substr(g.value, 1, 200) FROM experiment_tags g WHERE g.experiment = e.id AND g.key = \(field.key))"
    }
    let target = try attribute(field, source)
    return target.isNumber ? target.expression : Keyset.text(target.expression)
  }
}

extension TrackingStore {
  /// The experiments that pass a filter, sorted, a page at a time; the newest first unless sorted otherwise.
  ///
  /// - Throws: `invalidParams` with the place of the mistake in a filter.
  package func searchExperiments(
    filter: String = "", orderBy: [String] = [], view: ViewType = .activeOnly, maxResults: Int = 1000,
    pageToken: String? = nil
  ) async throws(HoneError) -> Page<Experiment> {
    try checkPageSize(maxResults, 50_000)
    let fields = ExperimentFields()
    var source: SQL = "FROM experiments e WHERE " + (try FilterCompiler.condition(filter, fields: fields))
    switch view {
    case .activeOnly: source += " AND e.deleted = 0"
    case .deletedOnly: source += " AND e.deleted = 1"
    case .all: break
    }
    var keys = try Keyset.keys(orderBy, fields)
    keys.append(Keyset.Key(expression: "e.updated_ms", isDescending: true, isAlwaysThere: true))
    keys.append(Keyset.Key(expression: "e.id", isDescending: true, isAlwaysThere: true))
    let keyset = Keyset(
      keys: keys, query: (["experiments", filter, view.rawValue] + orderBy).joined(separator: "\n"))
    let after = try keyset.values(pageToken)
    let rows = source
    return try await read { db in
      let (ids, next) = try keyset.page(db, sequence: "e.id", source: rows, limit: maxResults, after: after)
      let found = try Self.experiments(
        db, where: "id IN (SELECT value FROM json_each(\(jsonList(ids))))", limit: max(1, ids.count))
      let byID = Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
      return Page(items: ids.compactMap { byID[String($0)] }, nextPageToken: next)
    }
  }

  /// The data sets that runs of some experiments used: name, digest and context, each once.
  package func datasetsUsed(
    experimentIDs: [String]
  ) async throws(HoneError) -> [(experimentID: String, name: String, digest: String, context: String)] {
    try await read { db in
      let rows = try SQLRequest<Row>(
        literal: """
          SELECT DISTINCT d.experiment, d.name, d.digest, i.context FROM datasets d JOIN inputs i ON i.dataset = d.id
          WHERE d.experiment\(among(experimentIDs)) ORDER BY d.experiment, d.name, d.digest, i.context LIMIT 1000
          """
      ).fetchAll(db)
      return rows.map { (String($0[0] as Int), $0[1], $0[2], $0[3]) }
    }
  }
}
