import Basics
package import JSON
import Schema
package import Traces
package import Tracking

/// Runs as lines of JSON, for moving them from one store to another.
///
/// The first line is `{"hone": "runs", "version": 1}`. Then, each on a line of its own: `{"experiment": …}` before its
/// runs, `{"run": …}` with its parameters, every point of its metrics, tags, data sets and evaluation rows, parents
/// before children; after each run its `{"artifact": …}` and `{"trace": …}` lines; last `{"end": {"runs": N}}`.
enum RunLines {
  static let version = 1
  static let header = FileLine(hone: "runs", version: version)
}

extension JSONObject {
  /// Texts by name as pairs, other members left out.
  package var pairs: [KeyValue] {
    compactMap { key, value in value.stringValue.map { KeyValue(key, $0) } }
  }
}

extension MetricPoint {
  /// `[key, value, step, timestamp]`; what JSON has no number for is text.
  package var line: JSONValue {
    [.string(key), JSONValue(numberOrText: value), .int(step), .int(timestamp)]
  }

  package init?(line: JSONValue) {
    guard let key = line[0]?.stringValue, let step = line[2]?.intValue, let timestamp = line[3]?.intValue,
      let value = line[1]?.numberFromText
    else { return nil }
    self.init(key, value, step: step, timestamp: timestamp)
  }
}

extension DatasetInput {
  init(_ record: RunRecord.Input) {
    self.init(
      name: record.name, digest: record.digest, sourceType: record.sourceType, source: record.source,
      schema: record.schema, profile: record.profile, context: record.context)
  }
}

extension EvaluationRow {
  package var line: JSONValue {
    [
      .int(index), JSONValue(score), .bool(failed), JSONValue(errorKind), JSONValue(errorMessage),
      JSONValue(traceID?.description), JSONValue(exampleDigest?.description), raw ?? .null,
      outputs.map(JSONValue.object) ?? .null, JSONValue(feedback),
    ]
  }

  package init?(line: JSONValue) {
    guard let index = line[0]?.intValue, let failed = line[2]?.boolValue else { return nil }
    self.init(
      index: index, score: line[1]?.doubleValue, failed: failed, errorKind: line[3]?.stringValue,
      errorMessage: line[4]?.stringValue, traceID: line[5]?.stringValue.flatMap { TraceID($0) },
      exampleDigest: line[6]?.stringValue.flatMap { ContentDigest($0) },
      raw: line[7] == .null ? Optional.none : line[7], outputs: line[8]?.objectValue, feedback: line[9]?.stringValue)
  }
}

extension Span {
  init?(_ record: SpanRecord) {
    guard let id = SpanID(record.id) else { return nil }
    self.init(
      id: id, parent: record.parentID.flatMap { SpanID($0) }, name: record.name, kind: SpanKind(rawValue: record.type),
      start: record.startTimeNs, end: record.endTimeNs, inputs: SpanPayload(line: record.inputs),
      outputs: SpanPayload(line: record.outputs), attributes: record.attributes ?? [:],
      events: (record.events ?? []).map { SpanEvent(name: $0.name, time: $0.timeNs, attributes: $0.attributes) },
      status: TraceStatus(word: record.status, message: record.statusMessage))
  }
}

extension SpanPayload {
  package init(line: JSONValue?) { self = line.flatMap { $0.isNull ? nil : .json($0) } ?? .none }
}

extension TraceStatus {
  package init(word: String?, message: String?) {
    self =
      switch word {
      case "ERROR": .error(message ?? "")
      case "IN_PROGRESS": .inProgress
      default: .ok
      }
  }
}
