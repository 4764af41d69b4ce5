import Failures
import HTTPResponses
import JSON
import Schema
import Tracking

/// Logged models, as far as they accompany runs and traces.
enum ModelRoutes {
  static let all: [APIRoute] = [
    .post("/logged-models") { call, store in
      let model = try await store.createModel(
        experimentID: call.text("experiment_id") ?? "0",
        name: call.text("name").flatMap(RunRoutes.unlessEmpty) ?? "model",
        type: call.text("model_type") ?? "", runID: call.text("source_run_id").flatMap(RunRoutes.unlessEmpty),
        params: call.pairs("params"), tags: call.pairs("tags"))
      return ["model": model.apiJSON]
    },
    .search("/logged-models/search") { call, store in
      let order = try call.list("order_by").map { entry in
        let key = APIRequest(entry.objectValue ?? [:])
        let isAscending = try key.bool("ascending") ?? true
        return try key.requiredText("field_name") + (isAscending ? " ASC" : " DESC")
      }
      let page = try await store.searchModels(
        experimentIDs: call.texts("experiment_ids"), filter: call.text("filter") ?? "", orderBy: order,
        maxResults: call.int("max_results", in: 1...10_000) ?? 100, pageToken: call.pageToken())
      var object = JSONObject()
      object.appendUnlessEmpty("models", page.items.map(\.apiJSON))
      object.appendToken(page.nextPageToken)
      return .object(object)
    },
    .get("/logged-models/:model") { call, store in ["model": try await store.model(call.part("model")).apiJSON] },
    .patch("/logged-models/:model") { call, store in
      let word = try call.requiredText("status")
      guard let status = LoggedModel.Status(rawValue: word) else {
        throw WebFailure.invalid(
          "status: Expected one of \(LoggedModel.Status.allCases.map(\.rawValue).joined(separator: ", ")), got \(word)."
        )
      }
      return ["model": try await store.updateModel(call.part("model"), status: status).apiJSON]
    },
    .delete("/logged-models/:model") { call, store in
      try await store.deleteModel(call.part("model"))
      return [:]
    },
    .patch("/logged-models/:model/tags") { call, store in
      ["model": try await store.updateModel(call.part("model"), tags: call.pairs("tags")).apiJSON]
    },
    .delete("/logged-models/:model/tags/:key") { call, store in
      try await store.updateModel(call.part("model"), removedTag: call.part("key"))
      return [:]
    },
    .post("/logged-models/:model/params") { call, store in
      try await store.updateModel(call.part("model"), params: call.pairs("params"))
      return [:]
    },
    .get("/logged-models/:model/artifacts/directories") { call, store in
      let id = try call.part("model")
      let path = try ArtifactPath(call.text("artifact_directory_path") ?? "")
      let entries = try await ArtifactRoutes.entries(.model(id), path, store)
      var object: JSONObject = ["root_uri": .string(try await store.model(id).artifactURI)]
      object.appendUnlessEmpty("files", entries.map { MLflowFile($0, path: $0.path).jsonValue })
      return .object(object)
    },
  ]
}
