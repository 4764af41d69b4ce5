import Basics
import Failures
import HTTPResponses
import HTTPTypes
import JSON
import Tracking

/// `traces/metrics`: the figures and charts of MLflow's overview of traces.
enum MetricAnswers {
  static let routes: [APIRoute] = [
    .search("/traces/metrics") { call, store in
      let rows = try await store.metricRows(query(call))
      let interval = try call.int("time_interval_seconds", in: 1...31_536_000)
      let dimensions = try call.texts("dimensions")
      let metric = try call.requiredText("metric_name")
      let aggregations = try call.list("aggregations").map(Aggregation.init)
      var groups: [[String]: [Double]] = [:]
      for row in rows {
        var key = row.dimensions
        if let interval { key.insert(bucket(row.time, interval), at: 0) }
        groups[key, default: []].append(row.value)
      }
      let names = (interval == nil ? [] : ["time_bucket"]) + dimensions
      let points = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, values -> JSONValue in
        let sorted = values.sorted()
        return [
          "metric_name": .string(metric), "dimensions": .object(JSONObject(zip(names, key.map(JSONValue.string)))),
          "values": .object(JSONObject(aggregations.map { ($0.name, .double($0.value(of: sorted))) })),
        ]
      }
      var object = JSONObject()
      object.appendUnlessEmpty("data_points", points)
      return .object(object)
    },
    .search("/traces/calculate-filter-correlation") { _, _ in
      throw WebFailure(.notImplemented, "NOT_IMPLEMENTED", "Hone does not correlate filters.")
    },
  ]

  private static func query(_ call: APIRequest) throws -> TraceMetricsQuery {
    let subject: TraceMetricsQuery.Subject =
      switch try call.text("view_type") {
      case "SPANS"?: .spans
      case "ASSESSMENTS"?: .assessments
      default: .traces
      }
    // Filters name what they are about; those on traces are the store's own without that word. Those on what is counted
    // choose among it.
    var filters: [String] = []
    var conditions: [TraceMetricsQuery.Condition] = []
    for filter in try call.texts("filters").map(\.trimmed) {
      if let found = filter.wholeMatch(of: /(span|assessment)\.(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')/),
        found.1 == (subject == .spans ? "span" : "assessment"), subject != .traces
      {
        conditions.append(.init(part: String(found.2), value: String(found.3 ?? found.4 ?? "")))
        continue
      }
      let kinds = ["metadata.", "tag.", "tags.", "status"]
      let isOfTrace = kinds.contains { filter.hasPrefix("trace.\($0)") }
      filters.append(isOfTrace ? String(filter.dropFirst("trace.".count)) : filter)
    }
    return TraceMetricsQuery(
      subject: subject, metric: try call.requiredText("metric_name"), dimensions: try call.texts("dimensions"),
      experimentIDs: try call.texts("experiment_ids"), filters: filters, conditions: conditions,
      start: try call.int("start_time_ms"), end: try call.int("end_time_ms"))
  }

  /// The beginning of the interval that a time lies in.
  private static func bucket(_ milliseconds: Int, _ interval: Int) -> String {
    let length = interval * 1000
    return rfc3339(milliseconds: milliseconds / length * length)
  }

  private enum Aggregation {
    case count, sum, average, least, most
    case percentile(Double)

    init(_ value: JSONValue) throws {
      switch value["aggregation_type"]?.stringValue {
      case "COUNT"?: self = .count
      case "SUM"?: self = .sum
      case "AVG"?: self = .average
      case "MIN"?: self = .least
      case "MAX"?: self = .most
      case "PERCENTILE"?: self = .percentile(min(100, max(0, value["percentile_value"]?.doubleValue ?? 50)))
      case let other: throw WebFailure.invalid("aggregations: There is no aggregation \(other ?? "without a type").")
      }
    }

    var name: String {
      switch self {
      case .count: "COUNT"
      case .sum: "SUM"
      case .average: "AVG"
      case .least: "MIN"
      case .most: "MAX"
      case .percentile(let share): "P\(share)"
      }
    }

    /// - Parameter sorted: at least one value.
    func value(of sorted: [Double]) -> Double {
      switch self {
      case .count: return Double(sorted.count)
      case .sum: return sorted.reduce(0, +)
      case .average: return sorted.reduce(0, +) / Double(sorted.count)
      case .least: return sorted.first ?? 0
      case .most: return sorted.last ?? 0
      case .percentile(let share):
        let place = share / 100 * Double(sorted.count - 1)
        let (low, high) = (Int(place), min(Int(place) + 1, sorted.count - 1))
        return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
      }
    }
  }
}
