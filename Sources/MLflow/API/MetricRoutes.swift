import Failures
import HTTPResponses
import JSON
import Schema
import Tracking

/// The points of metrics.
enum MetricRoutes {
  static let all: [APIRoute] = [
    .get("/metrics/get-history") { call, store in
      let page = try await store.metricHistory(
        run: call.runID(), key: call.requiredText("metric_key"), order: .timestamp,
        maxResults: call.int("max_results", in: 1...25_000) ?? 25_000, pageToken: call.pageToken())
      var object = JSONObject()
      object.appendUnlessEmpty("metrics", page.items.map { MLflowPoint($0).jsonValue })
      object.appendToken(page.nextPageToken)
      return .object(object)
    },
    .get("/metrics/get-history-bulk") { call, store in
      let key = try call.requiredText("metric_key")
      let limit = try call.int("max_results", in: 1...25_000) ?? 25_000
      var metrics: [JSONValue] = []
      for run in try runIDs(call, name: "run_id") where metrics.count < limit {
        let page = try await store.metricHistory(
          run: run, key: key, order: .timestamp, maxResults: limit - metrics.count)
        metrics += page.items.map { MLflowPoint($0, run: run).jsonValue }
      }
      var object = JSONObject()
      object.appendUnlessEmpty("metrics", metrics)
      return .object(object)
    },
    .get("/metrics/get-history-bulk-interval") { call, store in
      let key = try call.requiredText("metric_key")
      let limit = try call.int("max_results", in: 1...2500) ?? 2500
      let (first, last) = (try call.int("start_step") ?? Int.min, try call.int("end_step") ?? Int.max)
      guard first <= last else { throw WebFailure.invalid("end_step: It should not be less than start_step.") }
      var metrics: [JSONValue] = []
      for run in try runIDs(call, name: "run_ids") {
        var points: [MetricPoint] = []
        var token: String?
        repeat {
          let page = try await store.metricHistory(run: run, key: key, pageToken: token)
          points += page.items.filter { first <= $0.step && $0.step <= last }
          token = page.nextPageToken
        } while token != nil && points.count < 1_000_000
        metrics += sample(points, limit).map { MLflowPoint($0, run: run).jsonValue }
      }
      var object = JSONObject()
      object.appendUnlessEmpty("metrics", metrics)
      return .object(object)
    },
  ]

  private static func runIDs(_ call: APIRequest, name: String) throws -> [String] {
    let ids = try call.texts(name)
    guard !ids.isEmpty, ids.count <= 100 else {
      throw WebFailure.invalid("\(name): Expected 1 to 100 runs, got \(ids.count).")
    }
    return ids
  }

  /// Evenly chosen points, the first and the last among them.
  private static func sample(_ points: [MetricPoint], _ limit: Int) -> [MetricPoint] {
    guard points.count > limit, limit > 1 else { return points.count > limit ? Array(points.suffix(1)) : points }
    return (0..<limit).map { points[$0 * (points.count - 1) / (limit - 1)] }
  }
}
