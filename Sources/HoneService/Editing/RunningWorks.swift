import Failures
import JSON
import Synchronization

/// The long works of one connection, so that they can be ended by their progress token or by the file they are about.
final class RunningWorks: Sendable {
  private struct Work {
    var token: JSONValue?
    var file: String?
    var cancel: @Sendable () -> Void
  }

  private struct State {
    var works: [Int: Work] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  /// Runs `body` such that `cancel` ends it.
  func run<Value: Sendable>(
    token: JSONValue?, file: String? = nil, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let number = state.withLock { state in
      state.next += 1
      state.works[state.next] = Work(token: token, file: file) { task.cancel() }
      return state.next
    }
    defer { state.withLock { _ = $0.works.removeValue(forKey: number) } }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  /// Ends the work that reports under that token; false if there is none.
  @discardableResult
  func cancel(token: JSONValue) -> Bool { cancel { $0.token == token } > 0 }

  /// Ends the works about that file, or all that are about one; tells how many.
  func cancel(file: String?) -> Int { cancel { file == nil ? $0.file != nil : $0.file == file } }

  private func cancel(where isMeant: (Work) -> Bool) -> Int {
    let works = state.withLock { $0.works.values.filter(isMeant) }
    for work in works { work.cancel() }
    return works.count
  }
}
