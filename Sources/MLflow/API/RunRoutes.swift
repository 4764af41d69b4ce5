import Failures
import HTTPResponses
import HTTPTypes
import JSON
import Platform
import Tracking

/// Runs, and what is logged to them.
enum RunRoutes {
  static let all: [APIRoute] = [
    APIRoute(method: .post, path: "/runs/create", text: create),
    APIRoute(method: .get, path: "/runs/get", text: { call, store in text(try await store.run(call.runID())) }),
    .post("/runs/update") { call, store in
      var status: RunStatus?
      if let word = try call.text("status").flatMap(unlessEmpty) {
        status = RunStatus(rawValue: word)
        guard status != nil else {
          throw WebFailure.invalid(
            "status: Expected one of \(RunStatus.allCases.map(\.rawValue).joined(separator: ", ")), got \(word).")
        }
      }
      let info = try await store.updateRun(
        call.runID(), status: status, endTime: call.int("end_time"), name: call.text("run_name").flatMap(unlessEmpty))
      return ["run_info": info.apiJSON]
    },
    APIRoute(method: .post, path: "/runs/search", isReading: true, text: search),
    .post("/runs/delete") { call, store in
      try await store.deleteRun(call.runID())
      return [:]
    },
    .post("/runs/restore") { call, store in
      try await store.restoreRun(call.runID())
      return [:]
    },
    .post("/runs/log-metric") { call, store in
      try await log([.object(call.object)], place: "metric", call, store)
      return [:]
    },
    .post("/runs/log-parameter") { call, store in
      try await store.log(
        run: call.runID(), params: [KeyValue(call.requiredText("key"), call.text("value") ?? "")])
      return [:]
    },
    .post("/runs/log-batch") { call, store in
      let points = try call.list("metrics")
      let (params, tags) = (try call.pairs("params"), try call.pairs("tags"))
      for (name, count, limit) in [
        ("metrics", points.count, 1000), ("params", params.count, 100), ("tags", tags.count, 100),
      ]
      where count > limit {
        throw WebFailure.invalid("A batch can contain at most \(limit) \(name); this one has \(count).")
      }
      guard points.count + params.count + tags.count <= 1000 else {
        throw WebFailure.invalid("A batch can contain at most 1000 metrics, params and tags together.")
      }
      var values: [String: String] = [:]
      for param in params {
        if let other = values.updateValue(param.value, forKey: param.key), other != param.value {
          throw WebFailure.invalid("The parameter '\(param.key)' appears twice in the batch, with different values.")
        }
      }
      try await log(points, place: "metrics", params: params, tags: tags, call, store)
      return [:]
    },
    .post("/runs/set-tag") { call, store in
      try await store.setTag(run: call.runID(), call.requiredText("key"), call.text("value") ?? "")
      return [:]
    },
    .post("/runs/delete-tag") { call, store in
      try await store.deleteTag(run: call.runID(), call.requiredText("key"))
      return [:]
    },
    .post("/runs/log-inputs") { call, store in
      let inputs = try call.list("datasets").enumerated().map { index, entry in try input(entry, index) }
      let run = try call.runID()
      if !inputs.isEmpty { try await store.logInputs(run: run, inputs) }
      return [:]
    },
    .post("/runs/outputs") { call, store in
      let outputs = try call.list("models").map { entry in
        let model = APIRequest(entry.objectValue ?? [:])
        return ModelOutput(modelID: try model.requiredText("model_id"), step: try model.int("step") ?? 0)
      }
      try await store.logOutputs(run: call.runID(), outputs)
      return [:]
    },
    // MLflow 2's note of a model among the run's files; its content is a tag there, and here.
    .post("/runs/log-model") { call, store in
      let run = try call.runID()
      let entry = try JSONReader.read(call.requiredText("model_json"))
      let known = try await store.run(run).tags.value(of: "mlflow.log-model.history")
      let history = known.flatMap { try? JSONReader.read($0) }?.arrayValue ?? []
      try await store.setTag(run: run, "mlflow.log-model.history", JSONValue.array(history + [entry]).text())
      return [:]
    },
  ]

  @Sendable private static func create(_ call: APIRequest, _ store: TrackingStore) async throws -> [UInt8] {
    var new = NewRun(
      experimentID: try call.text("experiment_id") ?? "0", name: try call.text("run_name").flatMap(unlessEmpty),
      startTime: try call.int("start_time"), tags: try call.pairs("tags"))
    new.user = try call.text("user_id").flatMap(unlessEmpty)
    // Whoever copies runs may bring the children first.
    new.needsParent = false
    return text(try await store.createRun(new))
  }

  /// Thousands of runs come in one answer: it is written straight into its text.
  @Sendable private static func search(_ call: APIRequest, _ store: TrackingStore) async throws -> [UInt8] {
    let page = try await store.searchRuns(
      experimentIDs: call.texts("experiment_ids"), filter: call.text("filter") ?? "", orderBy: call.texts("order_by"),
      view: call.view("run_view_type"), maxResults: call.int("max_results", in: 1...50_000) ?? 1000,
      pageToken: call.pageToken())
    return await apart(where: page.items.count > 500) { text(page) }
  }

  private static func text(_ page: Page<Run>) -> [UInt8] {
    var writer = JSONWriter()
    writer.write(raw: "{")
    if !page.items.isEmpty {
      writer.write(raw: "\"runs\":[")
      for (index, run) in page.items.enumerated() {
        if index > 0 { writer.write(raw: ",") }
        writer.write(run)
      }
      writer.write(raw: "]")
    }
    if let token = page.nextPageToken {
      if !page.items.isEmpty { writer.write(raw: ",") }
      writer.write(raw: "\"next_page_token\":")
      writer.write(text: token)
    }
    writer.write(raw: "}")
    return writer.bytes
  }

  private static func text(_ run: Run) -> [UInt8] {
    var writer = JSONWriter()
    writer.write(raw: "{\"run\":")
    writer.write(run)
    writer.write(raw: "}")
    return writer.bytes
  }

  static func unlessEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

  /// Logs points with whatever stands beside them, all or nothing; those on a model are kept with the model, too.
  private static func log(
    _ points: [JSONValue], place: String, params: [KeyValue] = [], tags: [KeyValue] = [], _ call: APIRequest,
    _ store: TrackingStore
  ) async throws {
    let run = try call.runID()
    var metrics: [MetricPoint] = []
    var onModels: [(modelID: String, metric: MetricPoint)] = []
    metrics.reserveCapacity(points.count)
    for (index, point) in points.enumerated() {
      guard let object = point.objectValue else {
        throw WebFailure.invalid("\(place)[\(index)]: Expected an object, got \(point.kindName).")
      }
      let metric = try metric(APIRequest(object))
      metrics.append(metric)
      if let model = object["model_id"]?.stringValue, !model.isEmpty { onModels.append((model, metric)) }
    }
    try await store.log(run: run, params: params, metrics: metrics, tags: tags)
    if !onModels.isEmpty { try await store.logModelMetrics(onModels, run: run) }
  }

  private static func metric(_ point: APIRequest) throws -> MetricPoint {
    let key = try point.requiredText("key")
    guard let timestamp = try point.int("timestamp") else {
      throw WebFailure.invalid("Missing value for required parameter 'timestamp'.")
    }
    let value: Double
    switch point.value("value") {
    case let given?:
      guard let number = given.numberFromText else {
        throw WebFailure.invalid("The value of the metric '\(key)' should be a number, got \(given.excerpt).")
      }
      value = number
    // protobuf leaves out what is zero.
    case nil: value = 0
    }
    return MetricPoint(key, value, step: try point.int("step") ?? 0, timestamp: timestamp)
  }

  private static func input(_ entry: JSONValue, _ index: Int) throws -> DatasetInput {
    guard let object = entry["dataset"]?.objectValue else {
      throw WebFailure.invalid("datasets[\(index)]: Expected an object with a dataset.")
    }
    let dataset = APIRequest(object)
    var tags = try APIRequest(entry.objectValue ?? [:]).pairs("tags")
    let context = tags.value(of: "mlflow.data.context") ?? ""
    tags.removeAll { $0.key == "mlflow.data.context" }
    let texts = ["schema": 1_048_575, "source": 65_535, "profile": 16_777_215]
    for (name, limit) in texts where try dataset.text(name)?.utf8.count ?? 0 > limit {
      throw WebFailure.invalid("datasets[\(index)].\(name): It is longer than \(limit) bytes.")
    }
    return DatasetInput(
      name: try dataset.requiredText("name"), digest: try dataset.requiredText("digest"),
      sourceType: try dataset.text("source_type") ?? "", source: try dataset.text("source") ?? "",
      schema: try dataset.text("schema"), profile: try dataset.text("profile"), context: context, tags: tags)
  }
}
