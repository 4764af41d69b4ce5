import Failures
import HTTPResponses
import HTTPTypes
import Hummingbird
import JSON
import Tracking

/// `POST /graphql`: the two queries that MLflow's page makes. The query's text is not looked at; each operation has one
/// answer, which holds every field that the page asks for.
enum GraphAnswers {
  static func add(to router: Router<BasicRequestContext>, backend: WebBackend) {
    router.post("/graphql") { request, context in
      let call = try await APIRequest(request, context)
      let input = call.object["variables"]?.objectValue?.first?.value ?? [:]
      let store = try await backend.store()
      switch try call.text("operationName") {
      case "MlflowGetExperimentQuery"?:
        let id = input["experimentId"]?.stringValue ?? ""
        return try await answer("mlflowGetExperiment", "MlflowGetExperimentResponse", "experiment") {
          experiment(try await store.experiment(id: id))
        }
      case "GetRun"?:
        let id = input["runId"]?.stringValue ?? ""
        return try await answer("mlflowGetRun", "MlflowGetRunResponse", "run") {
          let found = try await store.run(id)
          return run(found, of: try await store.experiment(id: found.info.experimentID))
        }
      default:
        throw WebFailure(
          .notImplemented, "NOT_IMPLEMENTED", "Hone answers only the GraphQL queries that MLflow's page makes.")
      }
    }
  }

  private static func answer(
    _ field: String, _ type: String, _ member: String, _ body: () async throws -> JSONValue
  ) async throws -> Response {
    var object: JSONObject = ["apiError": nil, member: nil, "__typename": .string(type)]
    do {
      object[member] = try await body()
    } catch let error as HoneError where error.kind == .notFound {
      object["apiError"] = [
        "code": "RESOURCE_DOES_NOT_EXIST", "message": .string(error.message), "helpUrl": nil, "__typename": "ApiError",
      ]
    }
    return .json(["data": [field: .object(object)]])
  }

  private static func pairs(_ pairs: [KeyValue], _ type: String) -> JSONValue {
    .array(pairs.map { ["key": .string($0.key), "value": .string($0.value), "__typename": .string(type)] })
  }

  private static func experiment(_ experiment: Experiment) -> JSONValue {
    [
      "artifactLocation": .string(experiment.artifactLocation), "creationTime": .string("\(experiment.created)"),
      "effectiveTraceArchivalRetention": nil, "experimentId": .string(experiment.id),
      "lastUpdateTime": .string("\(experiment.updated)"), "lifecycleStage": .string(experiment.lifecycle.rawValue),
      "name": .string(experiment.name), "tags": pairs(experiment.tags, "MlflowExperimentTag"),
      "__typename": "MlflowExperiment",
    ]
  }

  private static func run(_ run: Run, of owner: Experiment) -> JSONValue {
    let info: JSONValue = [
      "runName": .string(run.info.name), "status": .string(run.info.status.rawValue), "runUuid": .string(run.id),
      "experimentId": .string(run.info.experimentID), "artifactUri": .string(run.info.artifactURI),
      "endTime": run.info.endTime.map { .string("\($0)") } ?? nil,
      "lifecycleStage": .string(run.info.lifecycle.rawValue), "startTime": .string("\(run.info.startTime)"),
      "userId": .string(run.info.user), "__typename": "MlflowRunInfo",
    ]
    let metrics = run.metrics.map { metric -> JSONValue in
      [
        "key": .string(metric.key), "value": metric.value.isFinite ? .double(metric.value) : nil,
        "step": .string("\(metric.step)"), "timestamp": .string("\(metric.timestamp)"),
        "__typename": "MlflowMetricExtension",
      ]
    }
    let inputs = run.inputs.map { input -> JSONValue in
      [
        "dataset": [
          "digest": .string(input.digest), "name": .string(input.name), "profile": JSONValue(input.profile),
          "schema": JSONValue(input.schema), "source": .string(input.source), "sourceType": .string(input.sourceType),
          "__typename": "MlflowDataset",
        ],
        "tags": pairs(
          input.tags + (input.context.isEmpty ? [] : [KeyValue("mlflow.data.context", input.context)]), "MlflowInputTag"
        ),
        "__typename": "MlflowDatasetInput",
      ]
    }
    let outputs = run.outputs.map { output -> JSONValue in
      ["modelId": .string(output.modelID), "step": .string("\(output.step)"), "__typename": "MlflowModelOutput"]
    }
    return [
      "info": info, "experiment": experiment(owner), "modelVersions": [],
      "data": [
        "metrics": .array(metrics), "params": pairs(run.params, "MlflowParam"), "tags": pairs(run.tags, "MlflowRunTag"),
        "__typename": "MlflowRunData",
      ],
      "inputs": ["datasetInputs": .array(inputs), "modelInputs": [], "__typename": "MlflowRunInputs"],
      "outputs": ["modelOutputs": .array(outputs), "__typename": "MlflowRunOutputs"],
      "__typename": "MlflowRunExtension",
    ]
  }
}
