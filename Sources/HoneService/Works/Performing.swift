import Failures
import JSON
import Programs
import Synchronization

extension Service {
  /// Starts a job and answers for it: at once where the request is detached, else when it has ended.
  func perform(
    _ job: some Job, isDetached: Bool, in environment: CallEnvironment
  ) async throws(HoneError) -> JSONValue {
    let work = try works.start(job, store: try await store(), logger: logger)
    guard isDetached else { return try await work.attended(in: environment) }
    return ["runId": JSONValue(job.runID), "experimentId": .string(job.experimentID), "status": "RUNNING"]
  }

  /// Makes a program known by its id to `predict`; gives the id.
  func load(_ program: Program) -> String {
    let id = programID(program)
    loaded.withLock { $0[id] = program }
    return id
  }
}
