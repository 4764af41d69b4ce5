package import Failures
import GRDB

extension TrackingStore {
  /// The traces that pass a filter, sorted, a page at a time; no span is read unless the filter asks for one.
  ///
  /// - Parameters:
  ///   - experimentIDs: nil means all experiments.
  ///   - runID: only the traces that this run caused.
  ///   - filter: in MLflow's filter language and more; see `FilterParser`. Empty means every trace.
  ///   - orderBy: such as `execution_time DESC`; then the latest first.
  ///   - maxResults: from 1 to 10,000.
  /// - Throws: `invalidParams` with the place of the mistake in a filter.
  package func searchTraces(
    experimentIDs: [String]? = nil, runID: String? = nil, filter: String = "", orderBy: [String] = [],
    maxResults: Int = 100, pageToken: String? = nil
  ) async throws(HoneError) -> Page<TraceInfo> {
    try checkPageSize(maxResults, 10_000)
    let fields = TraceFields()
    // The cheap conditions stand first, so that spans are decoded for as few traces as possible.
    var source: SQL = "FROM traces t WHERE 1"
    if let runID { source += " AND t.run_id = \(runID)" }
    if let experimentIDs { source += " AND t.experiment" + among(experimentIDs) }
    source += " AND " + (try FilterCompiler.condition(filter, fields: fields))
    var keys: [Keyset.Key] = []
    for (index, item) in try checkedOrder(orderBy).enumerated() {
      let place = "orderBy[\(index)]"
      let (field, isDescending) = try FilterParser.parseOrder(item, source: place)
      keys.append(Keyset.Key(expression: try fields.sortKey(field, source: place), isDescending: isDescending))
    }
    keys.append(Keyset.Key(expression: "t.start_ns", isDescending: true, isAlwaysThere: true))
    keys.append(Keyset.Key(expression: "t.id", isDescending: false, isAlwaysThere: true))
    let query = ["traces", filter, runID ?? "-"] + orderBy + ["in"] + (experimentIDs ?? ["all"])
    let keyset = Keyset(keys: keys, query: query.joined(separator: "\n"))
    let after = try keyset.values(pageToken)
    let rows = source
    return try await search { db in
      let (sequences, next) = try keyset.page(db, sequence: "t.seq", source: rows, limit: maxResults, after: after)
      return Page(items: try Self.traceInfos(db, sequences), nextPageToken: next)
    }
  }
}
