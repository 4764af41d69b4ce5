package import Failures
import GRDB

extension TrackingStore {
  /// The runs of some experiments that pass a filter, sorted, a page at a time.
  ///
  /// Runs without the value that is sorted by come last in either direction; ties are broken by the start,
  /// the latest first, then by the id.
  ///
  /// - Parameters:
  ///   - experimentIDs: nil means all experiments.
  ///   - filter: in MLflow's filter language and more; see `FilterParser`. Empty means every run.
  ///   - orderBy: such as `metrics.eval DESC`; then the latest first.
  ///   - maxResults: from 1 to 50,000.
  /// - Throws: `invalidParams` with the place of the mistake in a filter.
  package func searchRuns(
    experimentIDs: [String]? = nil, filter: String = "", orderBy: [String] = [], view: ViewType = .activeOnly,
    maxResults: Int = 1000, pageToken: String? = nil
  ) async throws(HoneError) -> Page<Run> {
    try checkPageSize(maxResults, 50_000)
    let fields = RunFields()
    var source: SQL = "FROM runs r WHERE " + (try FilterCompiler.condition(filter, fields: fields))
    switch view {
    case .activeOnly: source += " AND r.deleted_ms IS NULL"
    case .deletedOnly: source += " AND r.deleted_ms IS NOT NULL"
    case .all: break
    }
    if let experimentIDs { source += " AND r.experiment" + among(experimentIDs) }
    var keys: [Keyset.Key] = []
    for (index, item) in try checkedOrder(orderBy).enumerated() {
      let place = "orderBy[\(index)]"
      let (field, isDescending) = try FilterParser.parseOrder(item, source: place)
      if let rank = fields.rank(field) { keys.append(Keyset.Key(expression: rank, isDescending: false)) }
      keys.append(Keyset.Key(expression: try fields.sortKey(field, source: place), isDescending: isDescending))
    }
    keys.append(Keyset.Key(expression: "r.start_ms", isDescending: true, isAlwaysThere: true))
    keys.append(Keyset.Key(expression: "r.seq", isDescending: true, isAlwaysThere: true))
    let query = ["runs", filter, view.rawValue] + orderBy + ["in"] + (experimentIDs ?? ["all"])
    let keyset = Keyset(keys: keys, query: query.joined(separator: "\n"))
    let after = try keyset.values(pageToken)
    let rows = source
    return try await read { db in
      let (sequences, next) = try keyset.page(db, sequence: "r.seq", source: rows, limit: maxResults, after: after)
      return Page(items: try Self.runs(db, sequences), nextPageToken: next)
    }
  }
}

/// The condition that a number is one of the experiments' ids. What is no number names no experiment.
func among(_ ids: [String]) -> SQL {
  let numbers = ids.compactMap { Int64($0) }
  // Equality lets the index give the order, too.
  if numbers.count == 1 { return " = \(numbers[0])" }
  return " IN (SELECT value FROM json_each(\(jsonList(numbers))))"
}

/// - Throws: `invalidParams` for more than 20 keys.
func checkedOrder(_ orderBy: [String]) throws(HoneError) -> [String] {
  guard orderBy.count <= 20 else { throw invalid("orderBy", "There are more than 20 sort keys.") }
  return orderBy
}
