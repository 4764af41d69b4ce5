package import Failures
import GRDB
import JSON

/// An entry of a directory of artifacts.
package struct ArtifactEntry: Sendable, Hashable {
  /// From the run's artifact directory.
  package var path: String
  /// In bytes; nil for a directory.
  package var size: Int?
  package var isDirectory: Bool { size == nil }
}

/// An artifact's bytes, or a part of them, and how many there are in all.
package struct ArtifactContent: Sendable {
  package var bytes: [UInt8]
  package var totalSize: Int
}

/// Files of runs: `artifacts/{experiment}/{run}/artifacts/{path}` below the home directory.
extension TrackingStore {
  /// Writes a file of a run, whole or not at all; one of that path is replaced.
  ///
  /// - Throws: `invalidParams` for a bad path or a deleted run; `notFound`; `storeUnavailable`.
  package func writeArtifact(run id: String, path: String, _ bytes: [UInt8]) async throws(HoneError) {
    let path = try ArtifactPath(path)
    guard let name = path.components.last else { throw invalid("path", "The path is empty.") }
    if let refusal { throw refusal }
    let directory = try await artifactDirectory(.run(id), forWriting: true) + path.components.dropLast()
    let files = artifactFiles
    try await onThread { () throws(HoneError) in
      try files.write(bytes, directory: directory, name: name)
    }
  }

  /// Writes text as a file of a run.
  package func writeArtifact(run id: String, path: String, text: String) async throws(HoneError) {
    try await writeArtifact(run: id, path: path, Array(text.utf8))
  }

  /// A file of a run, or the bytes of it that lie in `range`.
  ///
  /// - Throws: `notFound`; `invalidParams` for a bad path, a directory or a link.
  package func readArtifact(
    run id: String, path: String, range: Range<Int>? = nil
  ) async throws(HoneError) -> ArtifactContent {
    try await readArtifact(.run(id), path: ArtifactPath(path), range: range)
  }

  /// The file that a `mlflow-artifacts:/…` URI names.
  ///
  /// - Throws: as `readArtifact(run:path:range:)`; `invalidParams` for another URI.
  package func readArtifact(uri: String, range: Range<Int>? = nil) async throws(HoneError) -> ArtifactContent {
    let reference = try ArtifactReference(uri: uri)
    let directory = [reference.experimentID] + reference.owner.directory
    return try await readFile(directory, reference.path, range)
  }

  /// A file of a run, a logged model or a trace, or a part of it.
  ///
  /// - Throws: as `readArtifact(run:path:range:)`.
  package func readArtifact(
    _ owner: ArtifactOwner, path: ArtifactPath, range: Range<Int>? = nil
  ) async throws(HoneError) -> ArtifactContent {
    try await readFile(artifactDirectory(owner, forWriting: false), path, range)
  }

  private func readFile(
    _ owner: [String], _ path: ArtifactPath, _ range: Range<Int>?
  ) async throws(HoneError) -> ArtifactContent {
    guard let name = path.components.last else { throw invalid("path", "The path is empty.") }
    if let range, range.lowerBound < 0 { throw invalid("range", "A range begins at 0 or later.") }
    let files = artifactFiles
    let directory = owner + path.components.dropLast()
    return try await onThread { () throws(HoneError) in
      guard let (file, size) = try files.file(directory: directory, name: name) else {
        throw notFound("artifact", path.description)
      }
      let part = (range ?? 0..<size).clamped(to: 0..<size)
      let bytes = try files.read(file, offset: part.lowerBound, count: part.count)
      return ArtifactContent(bytes: bytes, totalSize: size)
    }
  }

  /// What a directory of a run's artifacts has in it, by name; nothing where it does not exist.
  ///
  /// - Throws: `notFound` for an unknown run; `invalidParams` for a bad path or a file's.
  package func listArtifacts(run id: String, path: String = "") async throws(HoneError) -> [ArtifactEntry] {
    try await listArtifacts(.run(id), path: ArtifactPath(path))
  }

  /// What a directory of a run's, a logged model's or a trace's artifacts has in it.
  ///
  /// - Throws: as `listArtifacts(run:path:)`.
  package func listArtifacts(_ owner: ArtifactOwner, path: ArtifactPath) async throws(HoneError) -> [ArtifactEntry] {
    let names = try await artifactDirectory(owner, forWriting: false) + path.components
    let files = artifactFiles
    return try await onThread { () throws(HoneError) in
      guard let directory = try files.directory(names, making: false) else {
        return []
      }
      return try files.list(directory).map { entry in
        ArtifactEntry(path: (path.components + [entry.name]).joined(separator: "/"), size: entry.size)
      }
    }
  }

  var artifactFiles: ArtifactFiles { ArtifactFiles(root: home + "/artifacts") }
}
