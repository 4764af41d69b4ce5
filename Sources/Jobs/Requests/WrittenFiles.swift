import Basics
package import Failures
import Platform
import Synchronization

/// The files that one caller has had written, as they were then: these it may overwrite, and no others.
package final class WrittenFiles: Sendable {
  private let contents = Mutex<[String: ContentDigest]>([:])

  package init() {}

  /// Writes a file where nothing stands, or what this wrote and nobody has changed since.
  package func write(_ bytes: [UInt8], to path: String) throws(HoneError) {
    let known = contents.withLock { $0[path] }
    if let known, let there = readFile(path), ContentDigest.of(there) == known {
      try writeFile(path, bytes)
    } else {
      do throws(LocalFile.Failure) {
        try LocalFile.writeNew(bytes, to: path)
      } catch {
        throw HoneError(
          .invalidParams, "path: \(path) cannot be written: \(error.reason).",
          remedy:
            "Choose a name that is free in a directory that exists; only files that were saved in this session are "
            + "overwritten.",
          problems: [Problem(path: "path", message: "It cannot be written: \(error.reason).", got: path)])
      }
    }
    contents.withLock { $0[path] = ContentDigest.of(bytes) }
  }
}
