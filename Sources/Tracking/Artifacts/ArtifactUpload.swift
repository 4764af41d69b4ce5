package import Failures
import Platform
import Synchronization

/// A file that comes in pieces: written under another name, and put into its place when it is whole.
package final class ArtifactUpload: Sendable {
  private struct State {
    var size = 0
    var isOver = false
  }

  private let directory: OpenFile
  private let file: OpenFile
  private let temporary: String
  private let name: String
  private let state = Mutex(State())

  init(directory: OpenFile, name: String) throws(HoneError) {
    self.directory = directory
    self.name = name
    temporary = ".\(getpid())-\(UInt64.random(in: 0 ... .max)).part"
    let descriptor = openat(
      directory.descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw systemFailure("write the artifact \"\(shortened(name))\"") }
    file = OpenFile(descriptor)
  }

  deinit { discard() }

  /// How many bytes have been written.
  package var size: Int { state.withLock { $0.size } }

  /// Appends a piece. Blocks while the disk takes it.
  package func append(_ bytes: UnsafeRawBufferPointer) throws(HoneError) {
    var written = 0
    while written < bytes.count {
      let count = System.write(
        file.descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]).baseAddress, bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw systemFailure("write the artifact \"\(shortened(name))\"") }
      written += count
    }
    state.withLock { $0.size += written }
  }

  /// Brings the file to the disk and to its place, where a reader sees the old or the new content, whole.
  package func finish() throws(HoneError) {
    guard fdatasync(file.descriptor) == 0 else { throw systemFailure("write the artifact \"\(shortened(name))\"") }
    guard renameat(directory.descriptor, temporary, directory.descriptor, name) == 0 else {
      if errno == EISDIR || errno == EEXIST || errno == ENOTEMPTY {
        throw invalid("path", "\"\(shortened(name))\" is a directory.", got: name)
      }
      throw systemFailure("write the artifact \"\(shortened(name))\"")
    }
    _ = fsync(directory.descriptor)
    state.withLock { $0.isOver = true }
  }

  /// Forgets what was written, unless it is finished.
  package func discard() {
    let mustRemove = state.withLock { state in
      defer { state.isOver = true }
      return !state.isOver
    }
    if mustRemove { unlinkat(directory.descriptor, temporary, 0) }
  }
}

extension TrackingStore {
  /// Begins to write a file, whose pieces follow; one of that path is replaced when it is finished.
  ///
  /// - Throws: `invalidParams` for a bad path or a deleted run; `notFound`; `storeUnavailable`.
  package func beginArtifact(_ owner: ArtifactOwner, path: ArtifactPath) async throws(HoneError) -> ArtifactUpload {
    guard let name = path.components.last else { throw invalid("path", "The path is empty.") }
    if let refusal { throw refusal }
    let names = try await artifactDirectory(owner, forWriting: true) + path.components.dropLast()
    let files = artifactFiles
    return try await onThread { () throws(HoneError) in
      guard let directory = try files.directory(names, making: true) else {
        throw HoneError(.storeUnavailable, "A directory of artifacts vanished while it was written to.")
      }
      return try ArtifactUpload(directory: directory, name: name)
    }
  }

  /// Removes a file, or a directory with all that is in it; an empty path means all artifacts of the owner.
  ///
  /// - Throws: `notFound`; `invalidParams` for a bad path or a link.
  package func deleteArtifact(_ owner: ArtifactOwner, path: ArtifactPath) async throws(HoneError) {
    if let refusal { throw refusal }
    let all = try await artifactDirectory(owner, forWriting: true) + path.components
    let (names, name) = (Array(all.dropLast()), all[all.count - 1])
    let files = artifactFiles
    try await onThread { () throws(HoneError) in
      guard let directory = try files.directory(names, making: false) else {
        throw notFound("artifact", path.description)
      }
      guard try files.remove(name, from: directory, depth: 0) else { throw notFound("artifact", path.description) }
    }
  }
}
