import Failures
import GRDB

/// The embedded tracking store: experiments, runs, evaluation rows, artifacts, traces and model answers.
///
/// One directory, the home, holds all of it: `hone.sqlite` and, from the first artifact on,
/// `artifacts/`. Several processes may have one home open at once. Every write goes through one queue
/// that commits in groups, in the order of the calls; a call that writes returns when its transaction is
/// committed, except `record(_:)` and `keepSoon(_:for:)`, which return when the thing is queued. Reads run on
/// connections of their own and see whatever any process has committed.
///
/// - `open(home:readOnly:)`, `flush()`, `close()`
/// - Experiments: `experiment(named:)`, `createExperiment`, `experiments`
/// - Runs: `createRun`, `updateRun`, `log…`, `run`, `searchRuns`, `metricHistory`
/// - Works that can be done again: `beginRun`, `reopenRun`, `endRun`, `logTrial`, `requestStop`
/// - Evaluation rows: `logResults`, `results`
/// - Artifacts: `writeArtifact`, `readArtifact`, `listArtifacts`
/// - Traces: `record`, `trace`, `spans`, `searchTraces`, `addAssessment`
/// - Answers: `answer(for:)`, `keep(_:for:)`, `bill(run:)`
package final class TrackingStore: Sendable {
  /// The directory that holds the store, as it was given.
  package let home: String
  package let isReadOnly: Bool
  /// Whether it is an empty one that stands in for a store that is not there (see `standIn`).
  package let isStandIn: Bool
  /// What writes are refused with, where the store is open for reading only.
  let refusal: HoneError?
  let pool: any DatabaseWriter
  let writer: Writer
  let lookups: Lookups
  let texts: SharedTexts
  let traceTally = TraceTally()
  let heldLeases = HeldLeases()
  let queuedAnswers = QueuedAnswers()

  init(
    home: String, isReadOnly: Bool, readOnlyReason: HoneError?, durability: Durability, pool: any DatabaseWriter,
    lookups: Lookups, texts: SharedTexts, isStandIn: Bool = false
  ) {
    self.home = home
    self.isReadOnly = isReadOnly
    self.isStandIn = isStandIn
    self.pool = pool
    self.lookups = lookups
    self.texts = texts
    let refusal =
      readOnlyReason
      ?? HoneError(
        .storeUnavailable, "The tracking store is open for reading only.", remedy: "Open it for writing.")
    self.refusal = isReadOnly ? refusal : nil
    writer = Writer(pool: pool, refusal: self.refusal, durability: durability)
  }

  /// Returns when everything that was queued before is committed, or has failed.
  package func flush() async {
    await writer.flush()
  }

  /// Commits what is queued, then closes the files. Writes and reads fail afterwards.
  package func close() async {
    await writer.close()
    lookups.close()
    texts.close()
    // The readers go first: the last connection empties the write-ahead log and removes it, which one that
    // only reads cannot. A read still under way keeps its connection; the log then stays, unharmed.
    (pool as? DatabasePool)?.releaseMemory()
    try? pool.close()
  }

  /// Runs `body` in a read transaction, away from the writer.
  ///
  /// A cancelled task reads all the same: what it had done by then is still to be tracked.
  func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(HoneError) -> T {
    let result: Result<T, HoneError> = await withCheckedContinuation { continuation in
      pool.asyncRead { access in
        do {
          continuation.resume(returning: .success(try body(access.get())))
        } catch {
          continuation.resume(returning: .failure(storeError(error)))
        }
      }
    }
    return try located(result).get()
  }

  /// The same, except that it ends when the task is cancelled: for questions over much that nobody waits for any more.
  func search<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(HoneError) -> T {
    do {
      return try await pool.read(body)
    } catch {
      if Task.isCancelled { throw HoneError(.cancelled, "The request was cancelled.") }
      throw located(storeError(error))
    }
  }

  /// Runs `body` on the writer, within a transaction shared with its neighbours; returns after the commit.
  ///
  /// `body` may be run twice (see `Writer`), so it must have no effect but on the database.
  ///
  /// - Parameter isPaid: whether it is to survive a power cut from the return on.
  func write<T: Sendable>(
    isPaid: Bool = false, _ body: @escaping @Sendable (Database) throws -> T
  ) async throws(HoneError) -> T {
    do throws(HoneError) {
      return try await writer.perform(isPaid: isPaid, body)
    } catch {
      throw located(error)
    }
  }

  private func located<T>(_ result: Result<T, HoneError>) -> Result<T, HoneError> { result.mapError(located) }

  /// Says in which store something was not found: another one may have been meant.
  private func located(_ error: HoneError) -> HoneError {
    guard error.kind == .notFound, error.details["home"] == nil else { return error }
    var error = error
    if isStandIn {
      error.message += " There is no store at \(place) yet."
      error.remedy = Self.missingRemedy
    } else {
      error.remedy = [error.remedy, "The store is \(place)."].compactMap(\.self).joined(separator: " ")
    }
    error.details["home"] = place
    return error
  }
}
