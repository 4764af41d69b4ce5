import Basics
import Delivery
package import Failures
package import JSON
package import Logging
import Schema
import Synchronization
import Traces
package import Tracking

/// An MLflow server as the place where runs live, with the local store as the buffer: everything that is tracked
/// is written here first and brought there in the background, in order, so that an outage of the server loses
/// nothing; what others have there is fetched when it is asked for.
package final class MLflowMirror: Sendable {
  private let runs: RunUpload
  private let traces: TraceUpload
  private let download: RunDownload
  private let lock: ProgressFile
  private let work = Mutex<Task<Void, Never>?>(nil)

  /// Every how many seconds runs under way are looked at, and every how many rounds all the others are.
  private static let pause = 1.0
  private static let sweep = 60
  /// How many traces are brought together.
  private static let batch = 20

  /// - Throws: `invalidParams` for a bad address, or where another process mirrors this store there.
  package static func start(
    to address: String, store: TrackingStore, version: String, logger: Logger
  ) async throws(HoneError) -> MLflowMirror {
    let api = try MLflowAPI(address)
    let name = "mlflow-" + String(ContentDigest.of(api.sender.base).description.prefix(16))
    guard let lock = try ProgressFile(home: store.home, name: name) else {
      throw HoneError(
        .invalidParams, "Another process already keeps \(store.home) at \(api.sender.base).",
        remedy: "Use that service, or give this one another home directory.")
    }
    let state = try MirrorState(path: "\(store.home)/outgoing/\(name).sqlite")
    let mirror = MLflowMirror(
      RunUpload(store: store, api: api, state: state, logger: logger), version: version, lock: lock)
    mirror.work.withLock { $0 = Task.detached { await mirror.run() } }
    return mirror
  }

  private init(_ runs: RunUpload, version: String, lock: ProgressFile) {
    self.runs = runs
    self.lock = lock
    traces = TraceUpload(runs: runs, version: version)
    download = RunDownload(store: runs.store, api: runs.api, state: runs.state, logger: runs.logger)
  }

  /// Brings what is left, as far as the server takes it at once, and stops. The rest is brought at the next start.
  package func stop() async {
    let task = work.withLock { $0 }
    task?.cancel()
    await task?.value
    await runs.store.flush()
    do throws(HoneError) {
      try await step(everything: true)
    } catch {
      runs.logger.warning("What was tracked last is kept in \(runs.store.home): \(error.message)")
    }
    runs.state.close()
    await runs.api.sender.shutdown()
  }

  // MARK: Out

  private func run() async {
    var round = 0
    var failures = 0
    while !Task.isCancelled {
      do throws(HoneError) {
        try await step(everything: round % Self.sweep == 0)
        if failures > 0 { runs.logger.notice("\(runs.api.sender.base) accepts what is tracked again") }
        failures = 0
        round += 1
      } catch {
        if Task.isCancelled { return }
        if failures == 0 { runs.logger.warning("What is tracked is kept here for now: \(error.message)") }
        failures += 1
      }
      let pause = failures == 0 ? Self.pause : min(30, Double(1 << min(failures, 5)))
      if (try? await Task.sleep(for: .seconds(pause))) == nil { return }
    }
  }

  /// Brings what has changed: runs before their traces.
  private func step(everything: Bool) async throws(HoneError) {
    // Runs under way, however old; then the newest, or all.
    for filter in everything ? [""] : ["attributes.status = 'RUNNING'", ""] {
      var token: String?
      repeat {
        let page = try await runs.store.searchRuns(filter: filter, view: .all, maxResults: 500, pageToken: token)
        token = everything ? page.nextPageToken : nil
        for run in page.items {
          let isDue = everything ? true : try mayHaveChanged(run.info)
          if isDue { _ = try await runs.send(run.id) }
        }
      } while token != nil
    }
    try await sendTraces()
  }

  /// Whether a run is worth a look between two sweeps: it goes on, has just ended, or was never brought whole.
  private func mayHaveChanged(_ run: RunInfo) throws(HoneError) -> Bool {
    guard run.status.isFinal, let end = run.endTime, end < wallClock() / 1_000_000 - 10_000 else { return true }
    return try runs.state.counterpart(of: run.id)?.fingerprint.isEmpty ?? true
  }

  private func sendTraces() async throws(HoneError) {
    var place = try runs.state.place("traces") ?? 0
    while true {
      let recorded = try await runs.store.traces(after: place, limit: Self.batch)
      guard let last = recorded.last else { return }
      if Task.isCancelled { return }
      // What the server has taken is noted, so a batch that has begun is ended.
      try await finishing { [traces, runs] () async throws(HoneError) in
        try await traces.send(recorded.map(\.info))
        try runs.state.keepPlace("traces", last.sequence)
      }
      place = last.sequence
    }
  }

  // MARK: In

  /// Fetches what a call may ask for and the store may lack. An outage leaves the call with what is here.
  package func fetch(for method: String, _ params: JSONObject) async {
    let named = NamedThings(.object(params))
    do throws(HoneError) {
      switch method {
      case "listExperiments": try await download.experiments()
      case "listRuns": try await download.runs(experiment: named.experiment)
      case "getTrace":
        if let id = named.traceID, try await !hasTrace(id) { try await download.trace(id) }
      default:
        for id in try wanted(named) { try await download.run(id) }
      }
    } catch {
      runs.logger.warning("\(method) is answered from the local store: \(error.message)")
    }
  }

  private func hasTrace(_ text: String) async throws(HoneError) -> Bool {
    guard let id = TraceID(text) else { return true }
    do throws(HoneError) {
      _ = try await runs.store.trace(id)
      return true
    } catch {
      if error.kind == .notFound { return false }
      throw error
    }
  }

  /// Ids of runs that the store does not have, or has from the server.
  private func wanted(_ named: NamedThings) throws(HoneError) -> [String] {
    var wanted: [String] = []
    for id in named.runs where isRunID(id) {
      if let known = try runs.state.counterpart(of: id), !known.isForeign { continue }
      wanted.append(id)
    }
    return wanted
  }
}

/// What a request names that may be on the server only.
private struct NamedThings: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("experiment", \.experiment), Member("traceId", \.traceID), Member("runId", \.runID), Member("run", \.run),
    Member("artifactUri", \.artifactURI), Member("program", \.program),
  ]
  var experiment: String?
  var traceID: String?
  var runID: String?
  var run: String?
  var artifactURI: String?
  /// A run's id, or an object that names one.
  var program = JSONValue.null

  private struct Program: ForeignRecord {
    static let members: [Member<Self>] = [Member("run", \.run), Member("artifactUri", \.artifactURI)]
    var run: String?
    var artifactURI: String?
  }

  var runs: [String] {
    let referred = Program(program)
    let places = [artifactURI, referred.artifactURI].compactMap(\.self)
    return [runID, run, referred.run, program.stringValue].compactMap(\.self)
      // mlflow-artifacts:/EXPERIMENT/RUN/artifacts/…
      + places.flatMap { $0.split(separator: "/").dropFirst(2).prefix(1).map(String.init) }
  }
}
