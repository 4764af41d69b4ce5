package import Failures
import Platform

/// The bytes of a regular file of at most 64 MiB; nil if it cannot be read.
package func readFile(_ path: String) -> [UInt8]? { try? LocalFile.read(path, maximumBytes: 64 << 20) }

/// Writes a file whole, under another name first, so that nobody sees half of it.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws(HoneError) {
  do throws(LocalFile.Failure) {
    try LocalFile.writeAtomically(bytes, to: path)
  } catch {
    throw HoneError(
      .storeUnavailable, "\(path) cannot be written: \(error.reason).",
      remedy: "Check that the directory exists and may be written to.")
  }
}
