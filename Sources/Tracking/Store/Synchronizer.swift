import Dispatch
import Failures
import Platform
import Synchronization

/// Brings what is committed to the disk, beside the writer: what is committed meanwhile shares the next trip.
///
/// Commits go to SQLite's write-ahead log, which it reads as far as it is whole; synchronizing that file makes every
/// commit before survive a power cut. The writer goes on at once, so that only those wait for the disk who have to.
final class Synchronizer: Sendable {
  private struct State {
    var waiting: [@Sendable (HoneError?) -> Void] = []
    var isRunning = false
    var log: OpenFile?
  }

  /// The database's path.
  private let path: String
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "hone.synchronizer")

  init(path: String) { self.path = path }

  /// Tells when everything that is committed by now is on the disk, or why it is not.
  func whenSynchronized(_ settle: [@Sendable (HoneError?) -> Void]) {
    let mustStart = state.withLock { state in
      state.waiting += settle
      defer { state.isRunning = true }
      return !state.isRunning
    }
    if mustStart { queue.async { self.run() } }
  }

  private func run() {
    while true {
      let settle = state.withLock { state in
        defer { state.waiting = [] }
        if state.waiting.isEmpty { state.isRunning = false }
        return state.waiting
      }
      if settle.isEmpty { return }
      let error = synchronize()
      for settle in settle { settle(error) }
    }
  }

  private func synchronize() -> HoneError? {
    let known = state.withLock { $0.log }
    let log: OpenFile
    if let known {
      log = known
    } else {
      let descriptor = System.open(path + "-wal", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return systemFailure("open \(path)-wal") }
      log = OpenFile(descriptor)
      state.withLock { $0.log = log }
      // The log's own name must be there to find it by.
      if let slash = path.lastIndex(of: "/") { synchronizeDirectory(String(path[..<slash])) }
    }
    #if os(macOS)
      // The drive's own memory included.
      if fcntl(log.descriptor, F_FULLFSYNC) == 0 { return nil }
    #endif
    return fdatasync(log.descriptor) == 0 ? nil : systemFailure("bring \(path)-wal to the disk")
  }
}
