import Failures
import Logging
import Tracking

/// The store of a running service: runs whose process died are marked when it opens and from time to time, and the
/// leases of its own runs are renewed, as long as it is open.
struct OpenStore: Sendable {
  let store: TrackingStore
  private let renewal: Task<Void, Never>
  private let filling: Task<Void, Never>
  private let opened = ContinuousClock.now

  init(home: String, durability: Durability, logger: Logger) async throws(HoneError) {
    let store = try Self.open(home, durability, logger)
    self.store = store
    renewal = Task.detached {
      while (try? await Task.sleep(for: .seconds(20))) != nil {
        do throws(HoneError) {
          _ = try await store.renewLeases()
          if !store.isReadOnly { try await Self.markDead(store, logger) }
        } catch {
          logger.warning("Leases of runs cannot be renewed: \(error.message)")
        }
      }
    }
    filling = Task.detached(priority: .background) { await Self.fillSpanFilters(store, logger) }
    guard !store.isReadOnly else { return }
    do throws(HoneError) {
      try await Self.markDead(store, logger)
    } catch {
      logger.warning("Runs that died cannot be marked: \(error.message)")
    }
  }

  /// The store; where it is there and cannot be written to, for reading alone, so that what is in it can be looked at.
  private static func open(
    _ home: String, _ durability: Durability, _ logger: Logger
  ) throws(HoneError) -> TrackingStore {
    do throws(HoneError) {
      return try TrackingStore.open(home: home, durability: durability)
    } catch {
      guard let store = try? TrackingStore.open(home: home, readOnly: true, reason: error) else { throw error }
      logger.warning("The store is open for reading only: \(error.message)")
      return store
    }
  }

  /// How long one that can only be read is kept before it is tried again to open it for writing.
  private static let patience = Duration.seconds(3)

  /// Whether it might be possible by now to open it for writing.
  var isOutdated: Bool { store.isReadOnly && ContinuousClock.now - opened > Self.patience }

  /// Stops renewing leases; the files close with the last use of the store.
  func abandon() {
    renewal.cancel()
    filling.cancel()
  }

  func close() async {
    abandon()
    await store.close()
  }

  /// Lets searches pass over traces that an older Hone recorded: in small steps, once the store has been open for a while.
  private static func fillSpanFilters(_ store: TrackingStore, _ logger: Logger) async {
    guard !store.isReadOnly, (try? await Task.sleep(for: .seconds(2))) != nil else { return }
    do throws(HoneError) {
      while try await store.fillSpanFilters() != nil, (try? await Task.sleep(for: .milliseconds(20))) != nil {}
    } catch {
      if !Task.isCancelled { logger.warning("Older traces cannot be indexed for searches: \(error.message)") }
    }
  }

  /// Ends the runs, and the evaluations under them, whose process is gone.
  private static func markDead(_ store: TrackingStore, _ logger: Logger) async throws(HoneError) {
    let dead = try await store.endDeadRuns(tags: [
      KeyValue(HoneTag.status, RunOutcome.interrupted.rawValue),
      KeyValue(HoneTag.error, "The process that made this run is gone, or could not write how it ended."),
    ])
    for run in dead {
      logger.notice(
        "The run \(run.id) (\(run.name)) was interrupted. It goes on with: \(resumeCommand(run.id, home: store.home))"
      )
    }
  }
}
