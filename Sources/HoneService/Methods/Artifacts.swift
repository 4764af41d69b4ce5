import Failures
import JSON
import Schema
import Tracking

extension Method {
  static let listArtifacts = Method(
    "listArtifacts", "Lists a run's files.",
    [
      Parameter("runId", required: true, Shape.string, "The run's id."),
      Parameter("path", Shape.string, "A directory among them; the top unless given."),
    ],
    result: Shape.object(["artifactUri": Shape.string, "files": Shape.array(Shape.anyObject)]),
    example: ["runId": "0123456789abcdef0123456789abcdef"],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.requiredString("runId")
    let path = fields.string("path") ?? ""
    try fields.check("listArtifacts")
    let store = try await service.store()
    let run = try await store.run(id ?? "")
    let files = try await store.listArtifacts(run: run.id, path: path)
    return [
      "artifactUri": .string(run.info.artifactURI),
      "files": .array(
        files.map { file in
          ["path": .string(file.path), "size": JSONValue(file.size), "isDirectory": .bool(file.isDirectory)]
        }),
    ]
  }

  static let getArtifact = Method(
    "getArtifact", "Reads a file of a run, or a part of it.",
    [
      Parameter("runId", Shape.string, "The run's id, with path."),
      Parameter("path", Shape.string, "The file's path among the run's files."),
      Parameter("artifactUri", Shape.string, "mlflow-artifacts:/{experiment}/{run}/artifacts/{file}, in place of both."),
      Parameter("offset", Shape.integer, "The first byte; 0 unless said."),
      Parameter("length", Shape.integer, "How many bytes at most; 8 MiB unless said, 32 MiB at most."),
    ],
    result: Shape.object([
      "text": Shape.string, "base64": Shape.string, "offset": Shape.integer, "length": Shape.integer,
      "totalSize": Shape.integer,
    ]),
    example: ["runId": "0123456789abcdef0123456789abcdef", "path": "best_model.json"],
    isForPages: true
  ) { service, fields, _ throws(HoneError) in
    let id = fields.string("runId")
    let path = fields.string("path")
    let uri = fields.string("artifactUri")
    let offset = fields.int("offset", in: 0...Int.max) ?? 0
    let length = fields.int("length", in: 1...(32 << 20)) ?? 8 << 20
    if (uri == nil) == (id == nil || path == nil) {
      fields.problems.add("artifactUri", "Give either artifactUri, or runId and path.")
    }
    try fields.check("getArtifact")
    let store = try await service.store()
    let (end, overflows) = offset.addingReportingOverflow(length)
    let range = offset..<(overflows ? Int.max : end)
    let content: ArtifactContent
    if let uri {
      content = try await store.readArtifact(uri: uri, range: range)
    } else {
      content = try await store.readArtifact(run: id ?? "", path: path ?? "", range: range)
    }
    var object: JSONObject = [
      "offset": .int(offset), "length": .int(content.bytes.count), "totalSize": .int(content.totalSize),
    ]
    if let text = String(validating: content.bytes, as: UTF8.self) {
      object["text"] = .string(text)
    } else {
      object["base64"] = .string(base64(content.bytes))
    }
    return .object(object)
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
