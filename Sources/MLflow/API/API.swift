import Failures
package import HTTPResponses
import HTTPTypes
package import Hummingbird
import JSON
import Platform
import Tracking

/// One route of MLflow's REST API.
struct APIRoute: Sendable {
  typealias Handler = @Sendable (APIRequest, TrackingStore) async throws -> JSONValue

  var method: HTTPRequest.Method
  /// Behind `/api/2.0/mlflow` and the other prefixes.
  var path: String
  /// Whether it only looks: no store is made for it.
  var isReading: Bool
  /// The answer as JSON text.
  var answer: @Sendable (APIRequest, TrackingStore) async throws -> [UInt8]

  init(
    method: HTTPRequest.Method, path: String, isReading: Bool? = nil,
    text: @escaping @Sendable (APIRequest, TrackingStore) async throws -> [UInt8]
  ) {
    self.method = method
    self.path = path
    self.isReading = isReading ?? (method == .get)
    answer = text
  }

  init(method: HTTPRequest.Method, path: String, isReading: Bool? = nil, answer: @escaping Handler) {
    self.init(
      method: method, path: path, isReading: isReading,
      text: { call, store in
        let value = try await answer(call, store)
        return await apart(where: value.isLarge(beyond: ComputationThreads.longText)) { value.encoded() }
      })
  }

  static func get(_ path: String, _ answer: @escaping Handler) -> APIRoute {
    APIRoute(method: .get, path: path, answer: answer)
  }

  static func post(_ path: String, _ answer: @escaping Handler) -> APIRoute {
    APIRoute(method: .post, path: path, answer: answer)
  }

  /// A question whose parameters are in the body.
  static func search(_ path: String, _ answer: @escaping Handler) -> APIRoute {
    APIRoute(method: .post, path: path, isReading: true, answer: answer)
  }

  static func patch(_ path: String, _ answer: @escaping Handler) -> APIRoute {
    APIRoute(method: .patch, path: path, answer: answer)
  }

  static func delete(_ path: String, _ answer: @escaping Handler) -> APIRoute {
    APIRoute(method: .delete, path: path, answer: answer)
  }
}

/// MLflow's REST API over a store, as its Python client and its page use it.
///
/// Each route stands under the clients' prefix and the page's, in both versions: which version a call came to be in
/// matters to nobody, except for the few paths that mean different things (`LegacyTraceRoutes`).
package enum API {
  static let version = "3.17.2"
  private static let prefixes = ["/api/2.0/mlflow", "/api/3.0/mlflow", "/ajax-api/2.0/mlflow", "/ajax-api/3.0/mlflow"]

  private static let routes: [APIRoute] =
    ExperimentRoutes.all + RunRoutes.all + MetricRoutes.all + ModelRoutes.all + TraceRoutes.all + AssessmentRoutes.all
    + ArtifactListRoutes.all + RegistryRoutes.all + MetricAnswers.routes + TraceFile.routes

  package static func addRoutes(to router: Router<BasicRequestContext>, backend: WebBackend) {
    for prefix in prefixes {
      for route in routes + (prefix.contains("2.0") ? LegacyTraceRoutes.all : TraceRoutes.current) {
        router.on(RouterPath(prefix + route.path), method: route.method) { request, context in
          let call = try await APIRequest(request, context)
          let store = route.isReading ? try await backend.store() : try await backend.madeStore()
          return Response.json(text: try await route.answer(call, store))
        }
      }
    }
    ArtifactRoutes.add(to: router, backend: backend)
    GraphAnswers.add(to: router, backend: backend)
    router.get("/version") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(byteBuffer: .init(string: version)))
    }
  }
}
