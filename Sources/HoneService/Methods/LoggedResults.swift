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
  func evaluationRows(
    of id: String, limit: Int, _ places: inout ContentPlaces
  ) async throws(HoneError) -> [EvaluationRow] {
    let kept = try await results(run: id, maxResults: limit).items
    guard kept.isEmpty, try await listArtifacts(run: id).contains(where: { $0.path == "result_table.json" }) else {
      return kept
    }
    let content = try await readArtifact(run: id, path: "result_table.json", range: 0..<(64 << 20))
    guard let table = try? JSONReader.read(content.bytes),
      let columns = table["columns"]?.arrayValue?.map({ $0.stringValue ?? "" }), let data = table["data"]?.arrayValue
    else { return [] }
    return data.prefix(limit).map { Self.evaluationRow($0.arrayValue ?? [], columns, &places) }
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
