import Basics
import JSON
import Failures
import LanguageModels
import Traces
import Tracking

/// Where the contents of examples first stood, so that evaluations which say no row's number line up by content.
struct ContentPlaces {
  private var places: [ContentDigest: Int] = [:]

  /// The content's place, a new one for what is new.
  mutating func place(of content: ContentDigest) -> Int {
    if let known = places[content] { return known }
    places[content] = places.count
    return places.count - 1
  }
}

extension TrackingStore {
  /// How the examples of an evaluation came out: as Hone keeps it, else from the table that MLflow's clients log.
  ///
  /// - Parameter after: the row behind which they begin; of a table its place, since its rows have no numbers; first -1.
  /// - Returns: at most `limit` of them, and the row behind which more follow; nil at the end.
  func evaluationRows(
    of id: String, after: Int, limit: Int, _ places: inout ContentPlaces
  ) async throws(HoneError) -> (rows: [EvaluationRow], next: Int?) {
    let kept = try await results(run: id, after: after, limit: limit + 1)
    if kept.count > limit { return (Array(kept.prefix(limit)), kept[limit - 1].index) }
    guard kept.isEmpty, try await listArtifacts(run: id).contains(where: { $0.path == "result_table.json" }) else {
      return (kept, nil)
    }
    let content = try await readArtifact(run: id, path: "result_table.json", range: 0..<(64 << 20))
    guard let table = try? JSONReader.read(content.bytes),
      let columns = table["columns"]?.arrayValue?.map({ $0.stringValue ?? "" }), let data = table["data"]?.arrayValue
    else { return ([], nil) }
    let first = after + 1
    let rows = data.dropFirst(first).prefix(limit).map { Self.evaluationRow($0.arrayValue ?? [], columns, &places) }
    return (rows, first + rows.count < data.count ? after + rows.count : nil)
  }

  private static func evaluationRow(
    _ values: [JSONValue], _ columns: [String], _ places: inout ContentPlaces
  ) -> EvaluationRow {
    var example = JSONObject()
    var row = EvaluationRow(index: 0, score: nil)
    for (column, value) in zip(columns, values) {
      switch column {
      case "score": row.score = value.boolValue.map { $0 ? 1 : 0 } ?? value.doubleValue
      case "trace_id": row.traceID = value.stringValue.flatMap { TraceID($0) }
      default: if column.hasPrefix("example_"), !value.isNull { example[column] = value }
      }
    }
    row.failed = row.score == nil
    let digest = ContentDigest.of(JSONValue.object(example).encoded())
    row.exampleDigest = digest
    row.index = places.place(of: digest)
    return row
  }
}
