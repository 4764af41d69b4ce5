package import Failures
import Platform

/// Gets a file from the network. The room that owns the HTTP client implements it; this one only asks.
package protocol DatasetFetcher: Sendable {
  /// The body of the document at `url`, at most `maximumBytes`.
  func fetch(_ url: String, maximumBytes: Int) async throws(HoneError) -> [UInt8]
}

/// Downloads the data sets that are too large to embed, and makes sure they are the published ones.
package enum DatasetDownload {
  /// Puts GSM8K's official files into `<home>/datasets/gsm8k`, where `Dataset.load` finds them.
  ///
  /// A file that stands there is left alone. A download counts only if its SHA-256 is that of the
  /// published file; nothing else is written.
  /// - Returns: the directory.
  /// - Throws: `datasetInvalid` for other content than the published, `storeUnavailable` where the
  ///   directory cannot be written, and what the fetcher throws.
  @discardableResult
  package static func gsm8k(home: String, fetcher: some DatasetFetcher) async throws(HoneError) -> String {
    let directory = GSM8K.downloadDirectory(home: home)
    for file in [GSM8K.OfficialFile.train, .test] {
      let location = LocalFile.resolve(file.name, base: directory)
      if LocalFile.isRegularFile(location) { continue }
      let bytes = try await fetcher.fetch(file.url, maximumBytes: file.byteCount)
      let digest = GSM8K.hex(sha256: bytes)
      guard digest == file.sha256 else {
        throw HoneError(
          .datasetInvalid, "\(file.url) has other content than expected: SHA-256 \(digest), not \(file.sha256).",
          remedy: "Try again, or put the official file at \(location) by hand.")
      }
      do throws(LocalFile.Failure) {
        try LocalFile.makeDirectory(directory)
        try LocalFile.writeAtomically(bytes, to: location)
      } catch {
        throw HoneError(
          .storeUnavailable, "\(location) cannot be written: \(error.reason).",
          remedy: "Make the directory writable, or choose another home.")
      }
    }
    return directory
  }

  /// Whether none of the places where `Dataset.load` looks holds GSM8K's files.
  package static func lacksGSM8K(_ places: DatasetPlaces) -> Bool {
    !GSM8K.directories(in: places).contains { directory in
      LocalFile.isRegularFile(LocalFile.resolve(GSM8K.OfficialFile.train.name, base: directory))
        || LocalFile.isRegularFile(LocalFile.resolve(GSM8K.OfficialFile.test.name, base: directory))
    }
  }
}
