import Datasets
package import Evaluation
package import Failures
import JSON
package import LanguageModels
import Platform
import Programs
package import Tracking

/// What a request of `compile` or `evaluate` asks for, read and checked: everything that has to be known to do it.
package protocol Job<Output>: Sendable {
  /// What came of the work.
  associatedtype Found: Sendable
  /// What is answered and kept.
  associatedtype Output: JobResult

  /// The method that asks for it.
  static var method: String { get }
  var terms: JobTerms { get }
  /// The model that the program runs on.
  var model: ModelClient { get }
  /// Whether the work itself is tracked as a run, and under which name unless one is given.
  var isTracked: Bool { get }
  var defaultRunName: String? { get }
  /// Whether executions are traced, and whether evaluations are runs of their own.
  var tracesExecutions: Bool { get }
  var tracksEvaluations: Bool { get }

  /// Writes down what the run is about. Done again when the run is taken up, where it changes nothing.
  func describe(_ run: TrackedRun) async throws(HoneError)
  /// Who keeps the run's record while the work goes on.
  func recorder(_ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace) -> (any EventSink)?
  /// Does the work.
  func perform(_ session: EngineSession, _ run: OpenRun) async -> Found
  /// Looks up what the result tells of other runs.
  func lookUp(_ found: Found, _ run: TrackedRun, _ notes: JobNotes) async throws(HoneError)
  /// What of it is there, and what ended it before its time.
  func stopped(_ found: Found) -> HoneError?
  func output(_ found: Found, _ run: OpenRun, _ notes: JobNotes, _ workspace: Workspace) -> Output
  /// Whether there is nothing to return but the error.
  func isEmpty(_ found: Found, _ run: OpenRun, _ notes: JobNotes) -> Bool
  /// Writes down what came of it; gives what belongs to the run's end.
  func keep(
    _ found: Found, _ output: Output, _ run: TrackedRun, _ notes: JobNotes
  ) async throws(HoneError) -> (metrics: [MetricPoint], tags: [KeyValue])
}

/// How a job is to be done, whatever it is.
package struct JobTerms: Sendable {
  /// The client that takes part in executions, if one can.
  var callbacks: Callbacks?
  /// What makes vectors of texts, if the request names it.
  var vectorizer: ModelClient?
  var tracking: RunSetup
  var autolog: Autolog
  var concurrency: Int
  var budget: Budget
  var maxErrors: Int?
  package var isDetached: Bool
  var warnings: [String]
  /// The request in the form that is kept with the run: whole in itself, so that nothing outside can change what doing
  /// it again means, and without secrets, of which a request only has the names.
  var kept: JSONObject
  /// The data sets that belong to it, by the names of their members.
  var keptData: [(member: String, dataset: Dataset)]
}

/// A run that is there.
package struct TrackedRun: Sendable {
  let id: String
  let store: TrackingStore
}

extension Job {
  package func lookUp(_ found: Found, _ run: TrackedRun, _ notes: JobNotes) async throws(HoneError) {}

  /// The run to make; nil where it is not tracked.
  var newRun: NewRun? {
    guard isTracked else { return nil }
    return NewRun(
      name: terms.tracking.runName ?? defaultRunName, user: Environment.value("USER"), sourceName: "hone",
      sourceType: "LOCAL",
      tags: terms.tracking.tagValues + modelTags(model.configuration)
        + [KeyValue(HoneTag.kind, Self.method), KeyValue("mlflow.autologging", "hone")])
  }

  /// How many run at once may change when a run goes on, so the first one stays.
  func logConcurrency(_ run: TrackedRun) async throws(HoneError) {
    guard try await run.store.run(run.id).params.value(of: "concurrency") == nil else { return }
    try await run.store.log(run: run.id, params: [KeyValue("concurrency", "\(terms.concurrency)")])
  }
}
