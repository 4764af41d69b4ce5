import Failures
import HTTPResponses
import HTTPTypes
import JSON
import Tracking

/// Experiments.
enum ExperimentRoutes {
  static let all: [APIRoute] = [
    .post("/experiments/create") { call, store in
      let name = try call.requiredText("name")
      let tags = try call.pairs("tags")
      // Where artifacts lie is for this server to say: a client's own place could be any file or address.
      if let place = try call.text("artifact_location"), !place.isEmpty, !place.hasPrefix("mlflow-artifacts:") {
        throw WebFailure.invalid("artifact_location: Artifacts are kept by this server; leave the location out.")
      }
      if let known = try await store.findExperiment(named: name) {
        throw WebFailure(
          .badRequest, "RESOURCE_ALREADY_EXISTS",
          "Experiment '\(known.name)' already exists\(known.lifecycle == .deleted ? " in deleted state" : "").")
      }
      return ["experiment_id": .string(try await store.createExperiment(name: name, tags: tags).id)]
    },
    .get("/experiments/get") { call, store in
      ["experiment": try await store.experiment(id: call.requiredText("experiment_id")).apiJSON]
    },
    .get("/experiments/get-by-name") { call, store in
      let name = try call.requiredText("experiment_name")
      guard let found = try await store.findExperiment(named: name) else {
        throw WebFailure.missing("Could not find experiment with name '\(name)'")
      }
      return ["experiment": found.apiJSON]
    },
    .search("/experiments/search", search),
    .get("/experiments/search", search),
    .post("/experiments/update") { call, store in
      let id = try call.requiredText("experiment_id")
      if let name = try call.text("new_name") { try await store.renameExperiment(id, to: name) }
      return [:]
    },
    .post("/experiments/delete") { call, store in
      try await store.setLifecycle(.deleted, ofExperiment: call.requiredText("experiment_id"))
      return [:]
    },
    .post("/experiments/restore") { call, store in
      try await store.setLifecycle(.active, ofExperiment: call.requiredText("experiment_id"))
      return [:]
    },
    .post("/experiments/set-experiment-tag") { call, store in
      try await store.setExperimentTag(
        call.requiredText("experiment_id"), key: call.requiredText("key"), value: call.text("value") ?? "")
      return [:]
    },
    .post("/experiments/delete-experiment-tag") { call, store in
      try await store.deleteExperimentTag(call.requiredText("experiment_id"), key: call.requiredText("key"))
      return [:]
    },
    .search("/experiments/search-datasets") { call, store in
      let found = try await store.datasetsUsed(experimentIDs: call.texts("experiment_ids"))
      var object = JSONObject()
      object.appendUnlessEmpty(
        "dataset_summaries",
        found.map { entry in
          [
            "experiment_id": .string(entry.experimentID), "name": .string(entry.name),
            "digest": .string(entry.digest), "context": .string(entry.context),
          ]
        })
      return .object(object)
    },
  ]

  private static let search: APIRoute.Handler = { call, store in
    let page = try await store.searchExperiments(
      filter: call.text("filter") ?? "", orderBy: call.texts("order_by"), view: call.view("view_type"),
      maxResults: call.int("max_results", in: 1...50_000) ?? 1000, pageToken: call.pageToken())
    var object = JSONObject()
    object.appendUnlessEmpty("experiments", page.items.map(\.apiJSON))
    object.appendToken(page.nextPageToken)
    return .object(object)
  }
}
