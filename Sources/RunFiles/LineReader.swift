import Failures
import Foundation

/// The lines of a file, one after the other, without holding the whole of it.
final class LineReader {
  private let path: String
  private let handle: FileHandle
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  /// The longest line taken.
  private static let maximumLine = 1 << 30

  /// - Throws: `notFound`.
  init(_ path: String) throws(HoneError) {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw HoneError(.notFound, "There is no file \(path) that can be read.", remedy: "Look at the path.")
    }
    self.path = path
    self.handle = handle
  }

  deinit { try? handle.close() }

  /// The next line without its end; nil after the last.
  func next() throws(HoneError) -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return Array(buffer[start..<end])
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return Array(buffer[start...])
      }
      buffer.removeSubrange(..<start)
      start = 0
      searched = buffer.count
      guard buffer.count <= Self.maximumLine else {
        throw HoneError(.invalidParams, "\(path) has a line of more than 1 GiB.")
      }
      do {
        guard let data = try handle.read(upToCount: 1 << 20), !data.isEmpty else {
          isAtEnd = true
          continue
        }
        buffer.append(contentsOf: data)
      } catch {
        throw HoneError(.storeUnavailable, "\(path) cannot be read: \(error.localizedDescription)")
      }
    }
  }
}
