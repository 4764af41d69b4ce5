import Dispatch
import Failures

/// Runs blocking work on a thread of its own, so that it keeps no thread of the concurrency pool.
func onThread<T: Sendable>(_ work: @escaping @Sendable () throws(HoneError) -> T) async throws(HoneError) -> T {
  let result: Result<T, HoneError> = await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      do throws(HoneError) {
        continuation.resume(returning: .success(try work()))
      } catch {
        continuation.resume(returning: .failure(error))
      }
    }
  }
  return try result.get()
}
