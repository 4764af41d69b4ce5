import Basics
package import Failures
import Platform

/// Files that come as numbered parts, in any order and several at once, and are put together at the end.
extension TrackingStore {
  private static let uploads = ".uploads"
  private static let mostParts = 10_000

  /// Begins an upload.
  ///
  /// - Returns: its id.
  package func beginMultipartUpload(parts: Int) async throws(HoneError) -> String {
    guard (1...Self.mostParts).contains(parts) else {
      throw invalid("num_parts", "Expected 1 to \(Self.mostParts) parts, got \(parts).")
    }
    let id = randomRunID()
    let files = artifactFiles
    try await onThread { () throws(HoneError) in _ = try files.directory([Self.uploads, id], making: true) }
    return id
  }

  /// Begins to write a part of an upload.
  ///
  /// - Throws: `notFound` for an unknown upload; `invalidParams` for a number out of range.
  package func beginPart(_ number: Int, ofUpload id: String) async throws(HoneError) -> ArtifactUpload {
    guard (1...Self.mostParts).contains(number) else {
      throw invalid("part_number", "Expected a number from 1 to \(Self.mostParts), got \(number).")
    }
    let files = artifactFiles
    return try await onThread { () throws(HoneError) in
      guard isRunID(id), let directory = try files.directory([Self.uploads, id], making: false) else {
        throw notFound("upload", id)
      }
      return try ArtifactUpload(directory: directory, name: Self.name(ofPart: number))
    }
  }

  /// Puts the parts with those numbers together, in that order, and forgets the upload.
  ///
  /// - Throws: `notFound` for an unknown upload or a part that has not come; as `beginArtifact`.
  package func finishMultipartUpload(
    _ id: String, parts: [Int], owner: ArtifactOwner, path: ArtifactPath
  ) async throws(HoneError) {
    guard isRunID(id) else { throw notFound("upload", id) }
    let upload = try await beginArtifact(owner, path: path)
    let files = artifactFiles
    try await onThread { () throws(HoneError) in
      for number in parts {
        let found = try files.file(directory: [Self.uploads, id], name: Self.name(ofPart: number))
        guard let found else { throw notFound("part \(number) of the upload", id) }
        var offset = 0
        while offset < found.size {
          let piece = try files.read(found.file, offset: offset, count: min(4 << 20, found.size - offset))
          try upload.append(piece)
          offset += piece.count
          guard !piece.isEmpty else { break }
        }
      }
      try upload.finish()
      try Self.remove(id, files)
    }
  }

  /// Forgets an upload and its parts.
  package func abortMultipartUpload(_ id: String) async throws(HoneError) {
    guard isRunID(id) else { throw notFound("upload", id) }
    let files = artifactFiles
    try await onThread { () throws(HoneError) in try Self.remove(id, files) }
  }

  private static func remove(_ id: String, _ files: ArtifactFiles) throws(HoneError) {
    guard let directory = try files.directory([uploads], making: false) else { return }
    _ = try files.remove(id, from: directory, depth: 0)
  }

  private static func name(ofPart number: Int) -> String { "part-\(number)" }
}

extension ArtifactUpload {
  /// Appends a piece.
  package func append(_ bytes: [UInt8]) throws(HoneError) {
    var failure: HoneError?
    bytes.withUnsafeBytes { buffer in
      do throws(HoneError) { try append(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
