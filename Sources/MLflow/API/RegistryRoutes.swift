import HTTPResponses
import HTTPTypes
import JSON

/// What clients and MLflow's page ask for that Hone does not keep: a model registry, evaluation data sets, scorers and
/// the like. Questions are answered with nothing; clients and the page go on without it.
enum RegistryRoutes {
  private static let nothing: APIRoute.Handler = { _, _ in [:] }

  private static let absent: APIRoute.Handler = { call, _ in
    let name = try call.text("name") ?? ""
    throw WebFailure.missing("There is no registered model or prompt '\(name)': Hone keeps no registry.")
  }

  private static let refused: APIRoute.Handler = { _, _ in
    throw WebFailure(
      .notImplemented, "NOT_IMPLEMENTED",
      "Hone keeps no registry of models, prompts or data sets. Log a model with a run: mlflow.*.load_model reads it by "
        + "models:/ID or runs:/RUN/NAME.")
  }

  static let all: [APIRoute] = [
    .get("/registered-models/search", nothing), .get("/model-versions/search", nothing),
    .search("/registered-models/search", nothing), .search("/model-versions/search", nothing),
    .get("/registered-models/get", absent), .get("/registered-models/alias", absent),
    .get("/model-versions/get", absent), .search("/registered-models/get-latest-versions", absent),
    .search("/datasets/search", nothing), .get("/scorers/list", nothing), .search("/issues/search", nothing),
    .search("/registered-models/create", refused), .search("/model-versions/create", refused),
    .search("/datasets/create", refused),
    // As a server says that has no gateway behind it.
    .get("/gateway-proxy") { _, _ in ["endpoints": []] },
    .get("/label-schemas/list", nothing), .get("/review-queues/list", nothing),
    .get("/server-info") { _, _ in
      [
        "store_type": "SqlStore", "workspaces_enabled": false, "trace_archival_enabled": false,
        "multipart_uploads_enabled": true, "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false, "presigned_upload_model_id_supported": false,
        "features_enabled": [:],
      ]
    },
  ]
}
