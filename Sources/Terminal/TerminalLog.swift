package import Logging
import Platform

/// Writes log messages to standard error, each with its time, level and origin.
package struct TerminalLog: LogHandler {
  private let label: String
  package var logLevel = Logger.Level.info
  package var metadata: Logger.Metadata = [:]

  package init(label: String) { self.label = label }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let facts = all.map { " \($0.key)=\($0.value)" }.joined().visibleLine
    let error = event.error.map { ": \($0)" } ?? ""
    TerminalOutput.errors.paragraph(
      "\(Self.now) \(event.level.rawValue) \(label):\(facts) [\(event.source)] \(event.message)\(error)")
  }

  private static var now: String {
    var seconds = time(nil)
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return "?" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let start = buffer.baseAddress, strftime(start, buffer.count, "%Y-%m-%dT%H:%M:%S%z", &parts) > 0 else {
        return "?"
      }
      return String(cString: start)
    }
  }
}
