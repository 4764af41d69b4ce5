import Failures
package import Jobs
import Synchronization

/// The long requests of one connection, so that they can be ended by their progress token or by the file they are about.
package final class CancellableRequests: Sendable {
  private struct Entry {
    var token: ProgressToken?
    var file: String?
    var cancel: @Sendable () -> Void
  }

  private struct State {
    var entries: [Int: Entry] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Runs `body` such that `cancel` ends it.
  package func run<Value: Sendable>(
    token: ProgressToken?, file: String? = nil, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let number = state.withLock { state in
      state.next += 1
      state.entries[state.next] = Entry(token: token, file: file) { task.cancel() }
      return state.next
    }
    defer { state.withLock { _ = $0.entries.removeValue(forKey: number) } }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Ends the request that reports under that token; false if there is none.
  @discardableResult
  package func cancel(token: ProgressToken) -> Bool { cancel { $0.token == token } > 0 }

  /// Ends the requests about that file, or all that are about one; tells how many.
  package func cancel(file: String?) -> Int { cancel { file == nil ? $0.file != nil : $0.file == file } }

  private func cancel(where isMeant: (Entry) -> Bool) -> Int {
    let entries = state.withLock { $0.entries.values.filter(isMeant) }
    for entry in entries { entry.cancel() }
    return entries.count
  }
}
