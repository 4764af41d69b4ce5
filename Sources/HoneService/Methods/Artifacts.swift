import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listArtifacts = Method(
    "listArtifacts", "Lists a run's files.", takes: ListArtifactsRequest.self,
    result: Shape.object(["artifactUri": Shape.string, "files": Shape.array(Shape.anyObject)]),
    example: ["runId": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let run = try await store.run(request.runId)
    let files = try await store.listArtifacts(run: run.id, path: request.path)
    return [
      "artifactUri": .string(run.info.artifactURI),
      "files": .array(
        files.map { file in
          ["path": .string(file.path), "size": JSONValue(file.size), "isDirectory": .bool(file.isDirectory)]
        }),
    ]
  }

  static let getArtifact = Method(
    "getArtifact", "Reads a file of a run, or a part of it.", takes: GetArtifactRequest.self,
    result: Shape.object([
      "text": Shape.string, "base64": Shape.string, "offset": Shape.integer, "length": Shape.integer,
      "totalSize": Shape.integer,
    ]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "path": "best_model.json"],
    isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let (end, overflows) = request.offset.addingReportingOverflow(request.length)
    let range = request.offset..<(overflows ? Int.max : end)
    let content: ArtifactContent
    if let uri = request.artifactUri {
      content = try await store.readArtifact(uri: uri, range: range)
    } else {
      content = try await store.readArtifact(run: request.runId ?? "", path: request.path ?? "", range: range)
    }
    var object: JSONObject = [
      "offset": .int(request.offset), "length": .int(content.bytes.count), "totalSize": .int(content.totalSize),
    ]
    if let text = String(validating: content.bytes, as: UTF8.self) {
      object["text"] = .string(text)
    } else {
      object["base64"] = .string(base64(content.bytes))
    }
    return .object(object)
  }
}

struct ListArtifactsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId), Member("path", \.path, "A directory among them; the top unless given."),
  ]
  var runId = ""
  var path = ""
}

struct GetArtifactRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("runId", \.runId, "The run's id, with path."),
    Member("path", \.path, "The file's path among the run's files."),
    Member("artifactUri", \.artifactUri, "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}, in place of both."),
    Member("offset", \.offset, in: 0...Int.max, "The first byte."),
    Member("length", \.length, in: 1...(32 << 20), "How many bytes at most."),
  ]
  var runId: String?
  var path: String?
  var artifactUri: String?
  var offset = 0
  var length = 8 << 20

  mutating func settle(_ fields: FieldReader) {
    if (artifactUri == nil) == (runId == nil || path == nil) {
      fields.problems.add("artifactUri", "Give either artifactUri, or runId and path.")
    }
  }
}

/// Bytes in base 64 (RFC 4648), padded.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var bits = group.reduce(0) { $0 << 8 | Int($1) }
    bits <<= 8 * (3 - group.count)
    for index in 0..<4 {
      text.append(index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}
