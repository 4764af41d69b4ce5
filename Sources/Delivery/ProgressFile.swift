package import Failures
import Foundation
package import JSON
import Platform

/// How far something outside has been told of the store, kept in a file of the home directory.
///
/// Whoever has it open holds a lock on it, so that of several processes on one store one does the telling. The file is
/// replaced whole, never written in place.
package final class ProgressFile: Sendable {
  private let path: String
  private let lock: Int32

  /// - Returns: nil where another process holds it.
  package init?(home: String, name: String) throws(HoneError) {
    let directory = home + "/outgoing"
    path = "\(directory)/\(name).json"
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw HoneError(
        .storeUnavailable, "The directory \(directory) cannot be made: \(error.localizedDescription)",
        remedy: "Make the home directory writable.")
    }
    lock = open("\(directory)/\(name).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else {
      throw HoneError(
        .storeUnavailable, "The lock in \(directory) cannot be opened.", remedy: "Look at its permissions.")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      return nil
    }
  }

  deinit { close(lock) }

  /// What was kept last; nil where nothing was, or where it cannot be read.
  package func read() -> JSONObject? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return (try? JSONReader.read(String(decoding: data, as: UTF8.self)))?.objectValue
  }

  package func keep(_ object: JSONObject) throws(HoneError) {
    do {
      try Data(JSONValue.object(object).encoded()).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw HoneError(
        .storeUnavailable, "\(path) cannot be written: \(error.localizedDescription)",
        remedy: "Free some space, or make the home directory writable.")
    }
  }
}
