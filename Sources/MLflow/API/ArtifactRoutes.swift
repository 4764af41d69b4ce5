import Failures
import Foundation
import HTTPResponses
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Schema
import Tracking

/// Artifacts by way of the server: `mlflow-artifacts:/{place}` is `/api/2.0/mlflow-artifacts/artifacts/{place}`.
///
/// A place is taken apart into the run (or logged model, or trace) and a relative path, and checked; it never becomes
/// the path of a file as it stands.
enum ArtifactRoutes {
  private static let prefixes = ["/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"]
  /// The largest file taken.
  private static let limit = 64 << 30

  static func add(to router: Router<BasicRequestContext>, backend: WebBackend) {
    for prefix in prefixes {
      router.get(RouterPath(prefix + "/artifacts")) { request, _ in try await list(request, backend.store()) }
      router.get(RouterPath(prefix + "/artifacts/**")) { request, _ in
        let reference = try await reference(request, after: prefix + "/artifacts/", backend)
        return try await ArtifactAnswer.file(
          reference.owner, reference.path, request, backend.store())
      }
      router.put(RouterPath(prefix + "/artifacts/**")) { request, _ in
        let reference = try await reference(request, after: prefix + "/artifacts/", backend)
        try await write(request, to: backend.madeStore().beginArtifact(reference.owner, path: reference.path))
        return Response.json([:])
      }
      router.delete(RouterPath(prefix + "/artifacts/**")) { request, _ in
        let reference = try await reference(request, after: prefix + "/artifacts/", backend)
        try await backend.madeStore().deleteArtifact(reference.owner, path: reference.path)
        return Response.json([:])
      }
      addMultipart(to: router, prefix + "/mpu", backend)
    }
    addViews(to: router, backend)
  }

  /// A file of a run or a logged model by the owner's id, as MLflow's page asks for it.
  private static func addViews(to router: Router<BasicRequestContext>, _ backend: WebBackend) {
    for path in ["/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"] {
      router.get(RouterPath(path)) { request, _ in
        let call = APIRequest(APIRequest.object(query: request.uri.query ?? ""))
        return try await ArtifactAnswer.file(
          .run(call.runID()), ArtifactPath(call.requiredText("path")), request, backend.store())
      }
    }
    router.get("/ajax-api/2.0/mlflow/logged-models/:model/artifacts/files") { request, context in
      let call = APIRequest(APIRequest.object(query: request.uri.query ?? ""), parameters: context.parameters)
      return try await ArtifactAnswer.file(
        .model(call.part("model")), ArtifactPath(call.requiredText("artifact_file_path")), request, backend.store())
    }
    router.post("/ajax-api/2.0/mlflow/upload-artifact") { request, _ in
      let call = APIRequest(APIRequest.object(query: request.uri.query ?? ""))
      let path = try ArtifactPath(call.requiredText("path"))
      try await write(
        request, to: backend.madeStore().beginArtifact(.run(call.requiredText("run_uuid", "run_id")), path: path))
      return Response.json([:])
    }
  }

  /// The artifact that the address names, whose owner exists where it says.
  private static func reference(
    _ request: Request, after prefix: String, _ backend: WebBackend
  ) async throws -> ArtifactReference {
    guard request.uri.path.hasPrefix(prefix),
      let place = request.uri.path.dropFirst(prefix.count).removingPercentEncoding
    else { throw WebFailure.invalid("The address names no artifact.") }
    let reference = try ArtifactReference(place: place)
    try await backend.store().check(reference)
    return reference
  }

  private static func list(_ request: Request, _ store: TrackingStore) async throws -> Response {
    let call = APIRequest(APIRequest.object(query: request.uri.query ?? ""))
    let place = try call.text("path") ?? ""
    var object = JSONObject()
    guard !place.isEmpty else { return .json(.object(object)) }
    let reference = try ArtifactReference(place: place)
    try await store.check(reference)
    let own = reference.path.description
    object.appendUnlessEmpty(
      "files",
      try await entries(reference.owner, reference.path, store).map { entry in
        MLflowFile(entry, path: own.isEmpty ? entry.path : String(entry.path.dropFirst(own.count + 1))).jsonValue
      })
    return .json(.object(object))
  }

  /// What lies there. A file has nothing in it: by that clients know it from a directory.
  static func entries(
    _ owner: ArtifactOwner, _ path: ArtifactPath, _ store: TrackingStore
  ) async throws(HoneError) -> [ArtifactEntry] {
    do throws(HoneError) {
      return try await store.listArtifacts(owner, path: path)
    } catch {
      guard error.kind == .invalidParams else { throw error }
      return []
    }
  }

  private static func write(_ request: Request, to upload: ArtifactUpload) async throws {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Request.tooLarge(limit)
    }
    for try await buffer in request.body {
      guard upload.size + buffer.readableBytes <= limit else { throw Request.tooLarge(limit) }
      try upload.append(Array(buffer.readableBytesView))
    }
    try upload.finish()
  }

  // MARK: Multipart

  private static func addMultipart(to router: Router<BasicRequestContext>, _ prefix: String, _ backend: WebBackend) {
    router.post(RouterPath(prefix + "/create/**")) { request, context in
      _ = try await reference(request, after: prefix + "/create/", backend)
      let call = try await APIRequest(request, context)
      let count = try call.int("num_parts", in: 1...10_000) ?? 1
      let id = try await backend.madeStore().beginMultipartUpload(parts: count)
      let authority = request.head.authority ?? ""
      // Parts are sent without the client's own credentials, so they are told to bring them.
      var headers = JSONObject()
      if let authorization = request.headers[.authorization] { headers["Authorization"] = .string(authorization) }
      let parts = (1...count).map { number -> JSONValue in
        [
          "url": .string("http://\(authority)\(prefix)/part/\(id)/\(number)"), "part_number": .int(number),
          "headers": .object(headers),
        ]
      }
      return Response.json(["upload_id": .string(id), "credentials": .array(parts)])
    }
    router.put(RouterPath(prefix + "/part/:upload/:number")) { request, context in
      let call = APIRequest([:], parameters: context.parameters)
      guard let number = Int(try call.part("number")) else { throw WebFailure.invalid("The part has no number.") }
      let upload = try await backend.madeStore().beginPart(number, ofUpload: call.part("upload"))
      try await write(request, to: upload)
      var response = Response.json([:])
      response.headers[.eTag] = "\"part-\(number)\""
      return response
    }
    router.post(RouterPath(prefix + "/complete/**")) { request, context in
      let (reference, call) = try await multipart(request, context, after: prefix + "/complete/", backend)
      let parts = try call.list("parts").map { part in
        try APIRequest(part.objectValue ?? [:]).int("part_number") ?? 0
      }
      try await backend.madeStore().finishMultipartUpload(
        call.requiredText("upload_id"), parts: parts, owner: reference.owner, path: reference.path)
      return Response.json([:])
    }
    router.post(RouterPath(prefix + "/abort/**")) { request, context in
      let (_, call) = try await multipart(request, context, after: prefix + "/abort/", backend)
      try await backend.madeStore().abortMultipartUpload(call.requiredText("upload_id"))
      return Response.json([:])
    }
  }

  /// The file that a call about parts means: the address names its directory, the body the file itself.
  private static func multipart(
    _ request: Request, _ context: BasicRequestContext, after prefix: String, _ backend: WebBackend
  ) async throws -> (ArtifactReference, APIRequest) {
    var reference = try await reference(request, after: prefix, backend)
    let call = try await APIRequest(request, context)
    let name = try call.requiredText("path").split(separator: "/").last.map(String.init) ?? ""
    reference.path = try ArtifactPath((reference.path.components + [name]).joined(separator: "/"))
    return (reference, call)
  }
}

/// A file of the store as an HTTP answer.
enum ArtifactAnswer {
  private static let piece = 1 << 20

  /// The file, or the part of it that the `Range` header asks for, to be saved and never to be shown: what clients log
  /// is foreign, and must not run as a page of this server.
  static func file(
    _ owner: ArtifactOwner, _ path: ArtifactPath, _ request: Request, _ store: TrackingStore
  ) async throws -> Response {
    let size = try await store.readArtifact(owner, path: path, range: 0..<0).totalSize
    let name = path.components.last ?? "artifact"
    var headers: HTTPFields = [
      .contentType: "application/octet-stream", .acceptRanges: "bytes", .contentDisposition: disposition(name),
    ]
    // A sandboxed document has no origin, runs nothing and loads nothing, whatever a browser makes of it.
    headers[.contentSecurityPolicy] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    var range = 0..<size
    var status = HTTPResponse.Status.ok
    if let text = request.headers[.range] {
      guard let part = part(text, size) else {
        return Response(status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(size)"])
      }
      range = part
      status = .partialContent
      headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    }
    let wanted = range
    if wanted.count <= piece {
      let bytes = try await store.readArtifact(owner, path: path, range: wanted).bytes
      return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
    let body = ResponseBody(contentLength: wanted.count) { writer in
      var offset = wanted.lowerBound
      while offset < wanted.upperBound {
        let end = min(offset + piece, wanted.upperBound)
        let bytes = try await store.readArtifact(owner, path: path, range: offset..<end).bytes
        guard bytes.count == end - offset else { throw HoneError(.storeUnavailable, "The file shrank as it was read.") }
        try await writer.write(ByteBuffer(bytes: bytes))
        offset = end
      }
      try await writer.finish(nil)
    }
    return Response(status: status, headers: headers, body: body)
  }

  /// `bytes=a-b`, `bytes=a-` or `bytes=-n`; nil if nothing of the file lies there.
  private static func part(_ text: String, _ size: Int) -> Range<Int>? {
    guard text.hasPrefix("bytes=") else { return 0..<size }
    let ends = text.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    if ends[0].isEmpty {
      guard let count = Int(ends[1]), count > 0, size > 0 else { return nil }
      return max(0, size - count)..<size
    }
    guard let first = Int(ends[0]), first >= 0, first < size else { return nil }
    guard !ends[1].isEmpty else { return first..<size }
    guard let last = Int(ends[1]), last >= first else { return nil }
    return first..<min(last, size - 1) + 1
  }

  /// The file's name in letters that no header can be broken by, and as it is.
  private static func disposition(_ name: String) -> String {
    let plain = String(
      name.unicodeScalars.map { scalar in
        let isPlain = scalar.isASCII && scalar.value >= 0x20 && scalar != "\"" && scalar != "\\" && scalar.value != 0x7F
        return isPlain ? Character(scalar) : "_"
      })
    let encoded = name.utf8.map { byte -> String in
      let isUnreserved =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
      if isUnreserved { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.utf8.count == 1 ? "0" : "") + digits
    }
    return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encoded.joined())"
  }
}
