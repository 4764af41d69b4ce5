import Basics
import Delivery
package import Failures
import JSON
package import Logging
import NIOHTTP1
import Traces
package import Tracking

/// Sends every trace of a store to an OpenTelemetry collector (OTLP over HTTP, JSON).
///
/// The store itself is the queue: the exporter keeps only how far it has come, so that an outage of the collector, or
/// of this process, loses nothing and costs no memory. A collector that is new gets what is recorded from now on.
package final class TraceExporter: Sendable {
  private let sending: Sending
  private let work: Task<Void, Never>

  /// The most traces that go into one request.
  private static let batch = 64
  /// How many unfinished traces are looked at again.
  private static let pendingLimit = 10_000

  /// - Returns: nil where another process sends this store's traces to that collector.
  /// - Throws: `invalidParams` for a bad address; `storeUnavailable`.
  package static func start(
    to address: String, store: TrackingStore, version: String, logger: Logger
  ) async throws(HoneError) -> TraceExporter? {
    let sender = try HTTPSender(address)
    let name = "otlp-" + String(ContentDigest.of(sender.base).description.prefix(16))
    guard let progress = try ProgressFile(home: store.home, name: name) else {
      await sender.shutdown()
      return nil
    }
    if progress.read()?["after"]?.intValue == nil {
      try progress.keep(["collector": .string(sender.base), "after": .int(Int(try await store.lastTraceSequence()))])
    }
    return TraceExporter(
      Sending(store: store, sender: sender, logger: logger, version: version, progress: progress))
  }

  private init(_ sending: Sending) {
    self.sending = sending
    work = Task.detached { await sending.run() }
  }

  /// Sends what is recorded, as far as the collector takes it at once, and stops.
  package func stop() async {
    work.cancel()
    await work.value
    await sending.store.flush()
    var last = sending
    last.timeout = 2
    while (try? await last.step()) == true {}
    await sending.sender.shutdown()
  }

  /// The loop, apart from its task.
  private struct Sending: Sendable {
    let store: TrackingStore
    let sender: HTTPSender
    let logger: Logger
    let version: String
    let progress: ProgressFile
    /// How many seconds the collector has for one request.
    var timeout: Int64 = 30

    func run() async {
      var failures = 0
      while !Task.isCancelled {
        var pause = 0.5
        do throws(HoneError) {
          // What the collector has taken must be noted, so a step that has begun is ended.
          if try await finishing({ () async throws(HoneError) in try await step() }) { pause = 0 }
          if failures > 0 { logger.notice("The collector at \(sender.base) accepts traces again") }
          failures = 0
        } catch {
          if Task.isCancelled { return }
          if failures == 0 {
            logger.warning("Traces are kept for the collector: \(error.message)")
          }
          failures += 1
          pause = min(30, 0.5 * Double(1 << min(failures, 6)))
        }
        if pause > 0, (try? await Task.sleep(for: .seconds(pause))) == nil { return }
      }
    }

    /// Sends one batch.
    ///
    /// - Returns: whether there may be more.
    func step() async throws(HoneError) -> Bool {
      let kept = progress.read() ?? [:]
      let after = Int64(kept["after"]?.intValue ?? 0)
      let pending = (kept["pending"]?.arrayValue ?? []).compactMap { $0.intValue.map(Int64.init) }
      let fresh = try await store.traces(after: after, limit: batch)
      let known = try await store.traces(at: pending)
      var ended: [TrackingStore.RecordedTrace] = []
      var unfinished: [Int64] = []
      for trace in known + fresh {
        if trace.info.status == .inProgress { unfinished.append(trace.sequence) } else { ended.append(trace) }
      }
      try await SpanBatches(store: store).send(ended.map(\.info)) { batch throws(HoneError) in try await post(batch) }
      guard !fresh.isEmpty || unfinished != pending else { return false }
      try progress.keep([
        "collector": .string(sender.base), "after": .int(Int(fresh.last?.sequence ?? after)),
        "pending": .array(unfinished.suffix(pendingLimit).map { .int(Int($0)) }),
      ])
      return fresh.count == batch
    }

    private func post(_ group: SpanBatches.Batch) async throws(HoneError) {
      let body = OTLPSpans.request(group, version: version).encoded()
      let path = sender.base.hasSuffix("/v1/traces") ? "" : "/v1/traces"
      let reply = try await sender.send(.POST, path, body, timeout: timeout)
      if reply.isSuccess { return }
      let answer = String(decoding: reply.body.prefix(300), as: UTF8.self)
      if reply.isPassing || reply.status == 401 || reply.status == 403 || reply.status == 404 {
        throw HoneError(.storeUnavailable, "\(sender.base) answered \(reply.status): \(answer)")
      }
      // What it will never take must not hold up the rest.
      logger.error("The collector at \(sender.base) refused \(group.count) traces with \(reply.status): \(answer)")
    }

    private var batch: Int { TraceExporter.batch }
    private var pendingLimit: Int { TraceExporter.pendingLimit }
  }
}
