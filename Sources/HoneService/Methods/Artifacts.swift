import Failures
import Foundation
import Jobs
import JSON
package import Schema
import Tracking

extension Method {
  static let listArtifacts = Method(
    "listArtifacts", "Lists a run's files.", takes: ListArtifactsRequest.self, gives: ListArtifactsResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef"], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let run = try await store.run(request.runId)
    let files = try await store.listArtifacts(run: run.id, path: request.path)
    return ListArtifactsResult(run.info.artifactURI, files)
  }

  static let getArtifact = Method(
    "getArtifact", "Reads a file of a run, or a part of it.", takes: GetArtifactRequest.self,
    gives: GetArtifactResult.self,
    example: ["runId": "0123456789abcdef0123456789abcdef", "path": "best_model.json"], isReading: true, isForPages: true
  ) { service, request, _ throws(HoneError) in
    let store = try await service.store()
    let (end, overflows) = request.offset.addingReportingOverflow(request.length)
    let range = request.offset..<(overflows ? Int.max : end)
    if let uri = request.artifactUri {
      return GetArtifactResult(try await store.readArtifact(uri: uri, range: range), offset: request.offset)
    }
    return GetArtifactResult(
      try await store.readArtifact(run: request.runId ?? "", path: request.path ?? "", range: range),
      offset: request.offset)
  }
}

struct ListArtifactsRequest: SchemaObject {
  static let members: [Member<Self>] = [
    .runID(\.runId), Member("path", \.path, "A directory among them; the top by default."),
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

/// A run's files.
package struct ListArtifactsResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("artifactUri", \.artifactURI, isAlwaysWritten: true, "Where they are."),
    Member("files", \.files, isAlwaysWritten: true, "Files and directories."),
  ]

  package struct File: ResultObject {
    package static let members: [Member<Self>] = [
      Member("path", \.path, isAlwaysWritten: true, "The path among the run's files."),
      Member("size", \.size, isAlwaysWritten: true, "Bytes; null for a directory."),
      Member("isDirectory", \.isDirectory, isAlwaysWritten: true, "Whether it is a directory."),
    ]
    package var path = ""
    package var size: Int?
    package var isDirectory = false

    package init() {}
  }

  package var artifactURI = ""
  package var files: [File] = []

  package init() {}

  init(_ uri: String, _ files: [ArtifactEntry]) {
    artifactURI = uri
    self.files = files.map { file in
      var shown = File()
      shown.path = file.path
      shown.size = file.size
      shown.isDirectory = file.isDirectory
      return shown
    }
  }
}

/// A part of a file.
package struct GetArtifactResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("offset", \.offset, isAlwaysWritten: true, "The first byte."),
    Member("length", \.length, isAlwaysWritten: true, "How many bytes."),
    Member("totalSize", \.totalSize, isAlwaysWritten: true, "Bytes of the whole file."),
    Member("text", \.text, "The bytes as text, where they are UTF-8."),
    Member("base64", \.base64, "The bytes in base 64, where they are not."),
  ]
  package var offset = 0
  package var length = 0
  package var totalSize = 0
  package var text: String?
  package var base64: String?

  package init() {}

  init(_ content: ArtifactContent, offset: Int) {
    self.offset = offset
    length = content.bytes.count
    totalSize = content.totalSize
    text = String(validating: content.bytes, as: UTF8.self)
    if text == nil { base64 = Data(content.bytes).base64EncodedString() }
  }
}
