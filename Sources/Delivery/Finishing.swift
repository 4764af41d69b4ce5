package import Failures

/// Runs `body` to its end although the task is cancelled meanwhile; only if it takes more than a second longer, it is
/// cancelled as well. For requests whose effect on the other side must be noted on this one.
package func finishing<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(HoneError) -> Value
) async throws(HoneError) -> Value {
  let task = Task.detached { () async -> Result<Value, HoneError> in
    do throws(HoneError) {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
  let result = await withTaskCancellationHandler {
    await task.value
  } onCancel: {
    Task.detached {
      try? await Task.sleep(for: .seconds(1))
      task.cancel()
    }
  }
  return try result.get()
}
