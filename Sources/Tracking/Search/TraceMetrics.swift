package import Failures
import Foundation
import GRDB
import JSON
import Traces

/// A question about many traces at once: how many, how long, how many tokens, by name or status and over time.
package struct TraceMetricsQuery: Sendable {
  package enum Subject: Sendable { case traces, spans, assessments }

  /// What a span or an assessment has to be to count.
  package struct Condition: Sendable {
    /// `name`, `type` or, of spans, `status`.
    package var part: String
    package var value: String

    package init(part: String, value: String) {
      self.part = part
      self.value = value
    }
  }

  package var subject: Subject
  /// `trace_count`, `latency`, `input_tokens` … ; see `TrackingStore.metricRows`.
  package var metric: String
  /// `trace_name`, `trace_status`, `span_name`, `assessment_name` … .
  package var dimensions: [String]
  package var experimentIDs: [String]
  /// Filters of traces, all of which have to pass; see `FilterParser`.
  package var filters: [String]
  /// Of the spans or assessments themselves.
  package var conditions: [Condition]
  /// Milliseconds since 1970.
  package var start: Int?
  package var end: Int?

  package init(
    subject: Subject, metric: String, dimensions: [String] = [], experimentIDs: [String], filters: [String] = [],
    conditions: [Condition] = [], start: Int? = nil, end: Int? = nil
  ) {
    self.subject = subject
    self.metric = metric
    self.dimensions = dimensions
    self.experimentIDs = experimentIDs
    self.filters = filters
    self.conditions = conditions
    self.start = start
    self.end = end
  }
}

/// One trace, span or assessment as a metric counts it.
package struct TraceMetricRow: Sendable {
  /// Milliseconds since 1970.
  package var time: Int
  /// One value a dimension of the query.
  package var dimensions: [String]
  package var value: Double
}

extension TrackingStore {
  /// Of how many traces the spans are looked into, the latest first.
  private static let mostTracesOpened = 1000

  /// What a metric is made from, to be grouped and aggregated.
  ///
  /// - Throws: `invalidParams` for an unknown metric or dimension, or a mistake in a filter.
  package func metricRows(_ query: TraceMetricsQuery) async throws(HoneError) -> [TraceMetricRow] {
    var source: SQL = "FROM traces t WHERE t.experiment" + among(query.experimentIDs)
    if let start = query.start { source += " AND t.start_ns >= \(Self.nanoseconds(start))" }
    if let end = query.end { source += " AND t.start_ns <= \(Self.nanoseconds(end))" }
    for filter in query.filters {
      source += " AND " + (try FilterCompiler.condition(filter, fields: TraceFields()))
    }
    let rows = source
    switch query.subject {
    case .traces:
      let value = try Self.column(query.metric, Self.traceMetrics)
      let dimensions = try query.dimensions.map { name throws(HoneError) in try Self.column(name, Self.traceDimensions)
      }
      return try await fetch(columns: dimensions, value: value, rows)
    case .assessments:
      let value = try Self.column(query.metric, Self.assessmentMetrics)
      let dimensions = try query.dimensions.map { name throws(HoneError) in
        try Self.column(name, Self.assessmentDimensions)
      }
      var joined: SQL =
        "FROM assessments a JOIN (SELECT t.id, t.start_ns " + rows + ") t ON t.id = a.trace WHERE a.valid"
      for condition in query.conditions { joined += " AND " + (try Self.condition(condition)) }
      return try await fetch(columns: dimensions, value: value, joined)
    case .spans: return try await spanRows(query, rows)
    }
  }

  private static func nanoseconds(_ milliseconds: Int) -> Int { min(max(0, milliseconds), 1 << 42) * 1_000_000 }

  private static let traceMetrics: [String: SQL] = [
    "trace_count": "1.0", "latency": "t.duration_ns / 1e6", "input_tokens": "nullif(t.input_tokens, 0)",
    "output_tokens": "nullif(t.output_tokens, 0)", "total_tokens": "nullif(t.input_tokens + t.output_tokens, 0)",
    "cache_read_input_tokens": "NULL", "cache_creation_input_tokens": "NULL", "session_count": "NULL",
  ]
  private static let traceDimensions: [String: SQL] = [
    "trace_name": "t.name", "trace_status": "CASE t.status WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' ELSE 'IN_PROGRESS' END",
  ]
  private static let assessmentMetrics: [String: SQL] = [
    "assessment_count": "1.0",
    "assessment_value": "ifnull(a.number, CASE a.value WHEN 'true' THEN 1 WHEN 'false' THEN 0 END)",
  ]
  private static let assessmentDimensions: [String: SQL] = [
    "assessment_name": "a.name", "assessment_value": "ifnull(a.value, 'null')",
  ]

  private static func condition(_ condition: TraceMetricsQuery.Condition) throws(HoneError) -> SQL {
    switch (condition.part, condition.value) {
    case ("name", _): return "a.name = \(condition.value)"
    case ("type", "feedback"): return "a.kind = \(StoredAssessment.Kind.feedback.rawValue)"
    case ("type", "expectation"): return "a.kind = \(StoredAssessment.Kind.expectation.rawValue)"
    default:
      throw invalid(
        "filters", "Assessments have no such dimension.",
        got: "assessment.\(condition.part) = \(condition.value)",
        allowed: ["assessment.name", "assessment.type = 'feedback'", "assessment.type = 'expectation'"])
    }
  }

  private static func column(_ name: String, _ known: [String: SQL]) throws(HoneError) -> SQL {
    guard let column = known[name] else {
      throw invalid(
        "metric_name", "There is no such metric or dimension here.", got: name, allowed: known.keys.sorted())
    }
    return column
  }

  private func fetch(columns: [SQL], value: SQL, _ source: SQL) async throws(HoneError) -> [TraceMetricRow] {
    var statement: SQL = "SELECT * FROM (SELECT t.start_ns / 1000000, " + value + " AS value"
    for column in columns { statement += ", " + column }
    statement += " " + source + ") WHERE value IS NOT NULL"
    let request = SQLRequest<Row>(literal: statement)
    let count = columns.count
    return try await read { db in
      var result: [TraceMetricRow] = []
      let cursor = try request.fetchCursor(db)
      while let row = try cursor.next() {
        result.append(
          TraceMetricRow(
            time: row[0], dimensions: (0..<count).map { row[2 + $0] as String? ?? "" }, value: row[1]))
      }
      return result
    }
  }

  private func spanRows(_ query: TraceMetricsQuery, _ source: SQL) async throws(HoneError) -> [TraceMetricRow] {
    let statement: SQL = "SELECT t.id " + source + " ORDER BY t.start_ns DESC LIMIT \(Self.mostTracesOpened)"
    let request = SQLRequest<Data>(literal: statement)
    return try await read { [texts] db in
      var result: [TraceMetricRow] = []
      for id in try request.fetchAll(db) {
        guard let traceID = TraceID(data: id), let trace = try Self.traceRow(db, traceID) else { continue }
        for span in try Self.allSpans(db, trace, texts) {
          guard try query.conditions.allSatisfy({ try Self.dimension("span_\($0.part)", span) == $0.value }),
            let value = try Self.value(of: query.metric, span)
          else { continue }
          let dimensions = try query.dimensions.map { try Self.dimension($0, span) }
          guard !dimensions.contains(nil) else { continue }
          result.append(
            TraceMetricRow(time: span.start / 1_000_000, dimensions: dimensions.compactMap(\.self), value: value))
        }
      }
      return result
    }
  }

  private static func value(of metric: String, _ span: Span) throws -> Double? {
    switch metric {
    case "span_count": return 1
    case "latency": return Double(span.end - span.start) / 1e6
    case "input_cost", "output_cost", "total_cost":
      return span.attributes["mlflow.llm.cost"]?[metric]?.doubleValue
        ?? (metric == "total_cost" ? span.attributes["cost"]?.doubleValue : nil)
    default:
      throw invalid(
        "metric_name", "There is no such metric of spans.", got: metric,
        allowed: ["span_count", "latency", "input_cost", "output_cost", "total_cost"])
    }
  }

  private static func dimension(_ name: String, _ span: Span) throws -> String? {
    switch name {
    case "span_name": return span.name
    case "span_type": return span.kind.rawValue
    case "span_status": return span.status.word
    case "span_model_name": return (span.attributes["mlflow.llm.model"] ?? span.attributes["model"])?.stringValue
    case "span_model_provider": return span.attributes["mlflow.llm.provider"]?.stringValue
    default:
      throw invalid(
        "dimensions", "Spans have no such dimension.", got: name,
        allowed: ["span_name", "span_type", "span_status", "span_model_name", "span_model_provider"])
    }
  }
}
