import JSON
import Schema
import Tracking

/// The artifacts of runs as MLflow's page and some clients list them.
enum ArtifactListRoutes {
  static let all: [APIRoute] = [
    .get("/artifacts/list") { call, store in
      let id = try call.runID()
      let path = try ArtifactPath(call.text("path") ?? "")
      var object: JSONObject = ["root_uri": .string(try await store.run(id).info.artifactURI)]
      let entries = try await ArtifactRoutes.entries(.run(id), path, store)
      object.appendUnlessEmpty("files", entries.map { MLflowFile($0, path: $0.path).jsonValue })
      return .object(object)
    }
  ]
}
