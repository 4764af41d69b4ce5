import HTTPResponses
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /rpc`: the service's methods for the page, as JSON-RPC 2.0.
enum CallRoute {
  private static let limit = 16 << 20

  static func add(to router: Router<BasicRequestContext>, backend: WebBackend) {
    router.post("/rpc") { request, _ in
      guard request.mediaType == "application/json" else {
        throw WebFailure(.unsupportedMediaType, "BAD_REQUEST", "Send JSON-RPC as application/json.")
      }
      guard let answer = await backend.call(try await request.bytes(upTo: limit)) else {
        return Response(status: .noContent)
      }
      return Response(
        status: .ok, headers: [.contentType: "application/json"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer)))
    }
  }
}
