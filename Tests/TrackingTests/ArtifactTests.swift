import Failures
import Foundation
import JSON
import RowStorage
import Testing

@testable import Tracking

@Suite struct ArtifactTests {
  @Test func `Files are written, replaced, listed and read in parts`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      #expect(try await store.listArtifacts(run: run.id).isEmpty)
      #expect(!FileManager.default.fileExists(atPath: store.home + "/artifacts"))
      try await store.writeArtifact(run: run.id, path: "model/state.json", text: "old")
      try await store.writeArtifact(run: run.id, path: "model/state.json", text: "0123456789")
      try await store.writeArtifact(run: run.id, path: "Größe.txt", [])
      #expect(
        try await store.listArtifacts(run: run.id) == [
          ArtifactEntry(path: "Größe.txt", size: 0), ArtifactEntry(path: "model", size: nil),
        ])
      #expect(
        try await store.listArtifacts(run: run.id, path: "model/") == [
          ArtifactEntry(path: "model/state.json", size: 10)
        ])
      let part = try await store.readArtifact(run: run.id, path: "model/state.json", range: 3..<6)
      #expect(part.bytes == Array("345".utf8))
      #expect(part.totalSize == 10)
      #expect(try await store.readArtifact(run: run.id, path: "model/state.json", range: 8..<99).bytes.count == 2)
      #expect(try await store.readArtifact(run: run.id, path: "model/state.json", range: 50..<99).bytes.isEmpty)
      let whole = try await store.readArtifact(uri: run.info.artifactURI + "/model/state.json")
      #expect(whole.bytes == Array("0123456789".utf8))
      let path = store.home + "/artifacts/0/\(run.id)/artifacts/model"
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["state.json"])
      let mode = try FileManager.default.attributesOfItem(atPath: path + "/state.json")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test(arguments: [
    "../x", "a/../../x", "..", ".", "./a", "/etc/passwd", "//etc/passwd", "a//b", "a\\..\\b", "..\\x", "C:\\x", "C:/x",
    "file:///etc/passwd", "a\u{0}b", "a\nb", "%2e%2e/x", "..%2fx", "a%5cb", "%252e%252e/x", "a/./b", "a/..",
    String(repeating: "x", count: 201), String(repeating: "a/", count: 1200),
  ])
  func `Paths that could lead elsewhere are refused`(path: String) async throws {
    #expect(throws: HoneError.self) { try ArtifactPath(path) }
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let refusal = await failure { try await store.writeArtifact(run: run.id, path: path, text: "x") }
      #expect(refusal?.kind == .invalidParams)
      #expect(await failure { _ = try await store.readArtifact(run: run.id, path: path) }?.kind == .invalidParams)
      #expect(await failure { _ = try await store.listArtifacts(run: run.id, path: path) }?.kind == .invalidParams)
      let uri = run.info.artifactURI + "/" + path
      #expect(await failure { _ = try await store.readArtifact(uri: uri) }?.kind == .invalidParams)
    }
  }

  @Test(arguments: [
    "", "mlflow-artifacts:/", "mlflow-artifacts:/0", "mlflow-artifacts:/0/x/artifacts/a", "file:///etc/passwd",
    "mlflow-artifacts:/../00000000000000000000000000000000/artifacts/a",
    "mlflow-artifacts:/0/00000000000000000000000000000000/other/a", "mlflow-artifacts://host/0/x/artifacts/a",
    "mlflow-artifacts:/-1/00000000000000000000000000000000/artifacts/a",
  ])
  func `Foreign URIs are refused`(uri: String) {
    #expect(throws: HoneError.self) { try ArtifactReference(uri: uri) }
  }

  @Test func `A URI names a file, with or without an empty authority`() throws {
    let id = "0123456789abcdef0123456789abcdef"
    for start in ["mlflow-artifacts:/", "mlflow-artifacts:///"] {
      let reference = try ArtifactReference(uri: "\(start)3/\(id)/artifacts/a/b.json")
      #expect(reference.experimentID == "3")
      #expect(reference.owner == .run(id))
      #expect(reference.path.components == ["a", "b.json"])
    }
    #expect(try ArtifactReference(uri: "mlflow-artifacts:/3/\(id)/artifacts").path.components.isEmpty)
  }

  @Test func `Symbolic links are never followed`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.writeArtifact(run: run.id, path: "dir/a.txt", text: "mine")
      let root = store.home + "/artifacts/0/\(run.id)/artifacts"
      let outside = store.home + "/outside"
      try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
      try "secret".write(toFile: outside + "/secret.txt", atomically: true, encoding: .utf8)
      try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: outside)
      try FileManager.default.createSymbolicLink(atPath: root + "/file", withDestinationPath: outside + "/secret.txt")
      for path in ["link/secret.txt", "file"] {
        let error = await failure { _ = try await store.readArtifact(run: run.id, path: path) }
        #expect(error?.kind == .invalidParams)
      }
      #expect(await failure { try await store.writeArtifact(run: run.id, path: "link/new", text: "x") } != nil)
      #expect(!FileManager.default.fileExists(atPath: outside + "/new"))
      // Writing over a link replaces the link, not what it leads to.
      try await store.writeArtifact(run: run.id, path: "file", text: "plain")
      #expect(try String(contentsOfFile: outside + "/secret.txt", encoding: .utf8) == "secret")
      #expect(try await store.listArtifacts(run: run.id).map(\.path) == ["dir", "file"])
      #expect(await failure { _ = try await store.listArtifacts(run: run.id, path: "link") } != nil)
    }
  }

  @Test func `Missing files, directories and runs are told apart`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.writeArtifact(run: run.id, path: "dir/a", text: "")
      #expect(await failure { _ = try await store.readArtifact(run: run.id, path: "none") }?.kind == .notFound)
      #expect(await failure { _ = try await store.readArtifact(run: run.id, path: "no/ne") }?.kind == .notFound)
      #expect(await failure { _ = try await store.readArtifact(run: run.id, path: "dir") }?.kind == .invalidParams)
      #expect(await failure { _ = try await store.readArtifact(run: run.id, path: "") }?.kind == .invalidParams)
      for path in ["dir", "dir/a/b"] {
        let refusal = await failure { try await store.writeArtifact(run: run.id, path: path, text: "") }
        #expect(refusal?.kind == .invalidParams)
      }
      #expect(await failure { try await store.writeArtifact(run: "x", path: "a", text: "") }?.kind == .notFound)
      #expect(await failure { _ = try await store.listArtifacts(run: "x") }?.kind == .notFound)
    }
  }

  @Test func `A table is an artifact that the run's tag names once`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      for _ in 0..<2 {
        try await store.writeTable(
          run: run.id, path: "result_table.json",
          TableRows([["score": true, "example_question": "a"], ["score": 0.5]]))
      }
      try await store.writeTable(run: run.id, path: "trainset.json", TableRows([]))
      let content = try await store.readArtifact(run: run.id, path: "result_table.json")
      #expect(
        String(decoding: content.bytes, as: UTF8.self)
          == #"{"columns":["score","example_question"],"data":[[true,"a"],[0.5,null]]}"#)
      #expect(
        try await store.run(run.id).tags.value(of: "mlflow.loggedArtifacts")
          == #"[{"path":"result_table.json","type":"table"},{"path":"trainset.json","type":"table"}]"#)
    }
  }
}
