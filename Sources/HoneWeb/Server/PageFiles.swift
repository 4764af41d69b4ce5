import Basics
import HTTPResponses
import HTTPTypes
import Hummingbird
import NIOCore
import WebAssets

/// The page's files, which are part of the command itself.
enum PageFiles {
  private struct File: Sendable {
    var body: ByteBuffer
    var contentType: String
    var tag: String
  }

  private static let files: [String: File] = {
    var files: [String: File] = [:]
    var index = 0
    while let asset = web_asset_at(index)?.pointee, let path = asset.path {
      let name = String(cString: path)
      let bytes = UnsafeBufferPointer(start: asset.bytes, count: asset.count)
      files[name] = File(
        body: ByteBuffer(bytes: bytes), contentType: ContentType.ofFile(named: name), tag: entityTag(bytes))
      index += 1
    }
    return files
  }()

  static func addRoutes(to router: Router<BasicRequestContext>) {
    router.get("/") { request, _ in try answer(request, "index.html") }
    router.get("**") { request, _ in
      let path = String(request.uri.path.drop { $0 == "/" })
      if files[path] != nil { return try answer(request, path) }
      // The page has addresses of its own, such as /runs/ID, which only it knows.
      guard isPlaceOfPage(request, path) else { throw HTTPError(.notFound) }
      return try answer(request, "index.html")
    }
  }

  /// Whether somebody looks at an address, rather than ask for data or a file.
  private static func isPlaceOfPage(_ request: Request, _ path: String) -> Bool {
    let first = path.prefix { $0 != "/" }
    let isData = ["api", "ajax-api", "v1", "rpc", "get-artifact", "graphql"].contains(String(first))
    return !isData && request.headers[.accept]?.contains("text/html") == true
  }

  private static func answer(_ request: Request, _ path: String) throws -> Response {
    guard let file = files[path] else { throw HTTPError(.notFound) }
    // Asked again each time and answered without the body: a new version of the command shows at once.
    let headers: HTTPFields = [.contentType: file.contentType, .eTag: file.tag, .cacheControl: "no-cache"]
    if request.headers[.ifNoneMatch]?.contains(file.tag) == true {
      return Response(status: .notModified, headers: headers)
    }
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.body))
  }

  private static func entityTag(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    "\"" + String(fnv1a(bytes), radix: 16) + "\""
  }
}
