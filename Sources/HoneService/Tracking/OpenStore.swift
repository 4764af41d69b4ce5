import Failures
import Logging
import Tracking

/// The store of a running service: runs whose process died are marked when it opens, and the leases of its own runs are
/// renewed as long as it is open.
struct OpenStore: Sendable {
  let store: TrackingStore
  private let renewal: Task<Void, Never>

  init(home: String, logger: Logger) async throws(HoneError) {
    let store = try TrackingStore.open(home: home)
    self.store = store
    renewal = Task.detached {
      while (try? await Task.sleep(for: .seconds(20))) != nil {
        do throws(HoneError) {
          _ = try await store.renewLeases()
        } catch {
          logger.warning("Leases of runs cannot be renewed: \(error.message)")
        }
      }
    }
    do throws(HoneError) {
      try await Self.markDead(store, logger)
    } catch {
      logger.warning("Runs that died cannot be marked: \(error.message)")
    }
  }

  func close() async {
    renewal.cancel()
    await store.close()
  }

  /// Ends the runs, and the evaluations under them, whose process is gone.
  private static func markDead(_ store: TrackingStore, _ logger: Logger) async throws(HoneError) {
    let dead = try await store.endDeadRuns(tags: [
      KeyValue(HoneTag.status, RunOutcome.interrupted.word),
      KeyValue(HoneTag.error, "The process that made this run is gone."),
    ])
    for run in dead {
      logger.notice(
        "The run \(run.id) (\(run.name)) was interrupted: its process is gone. It goes on with: \(resumeCommand(run.id, home: store.home))"
      )
    }
  }
}
