import Failures
import JSON
package import LanguageModels
import Tracking

/// The run of a job, made anew or taken up again, and what it has paid and may spend.
package struct OpenRun: Sendable {
  /// Nil where nothing is tracked.
  package let id: String?
  package let experimentID: String
  let account: RunAccount
  let store: TrackingStore

  var tracked: TrackedRun? { id.map { TrackedRun(id: $0, store: store) } }

  /// Makes a run, with the request to do it again by; none, but the experiment, if it is not tracked.
  static func begin(_ job: some Job, _ store: TrackingStore) async throws(HoneError) -> OpenRun {
    let experiment = try await store.experiment(named: job.terms.tracking.experiment)
    var id: String?
    if var new = job.newRun {
      new.experimentID = experiment.id
      let (params, rowSets) = try await job.terms.keptParams(in: store)
      id = try await store.beginRun(new, method: type(of: job).method, params: params, rowSets: rowSets).id
    }
    return OpenRun(
      id: id, experimentID: experiment.id, account: RunAccount(runID: id, budget: job.terms.budget), store: store)
  }

  /// Takes up a run: what it paid before counts, and its answers are met again.
  static func reopen(
    _ run: RunInfo, params: JSONObject, budget: Budget, _ store: TrackingStore
  ) async throws(HoneError) -> OpenRun {
    let kept = try await store.reopenRun(
      run.id, params: params,
      droppingTags: [HoneTag.status, HoneTag.error, HoneTag.remedy, HoneTag.waiting, HoneTag.warnings])
    budget.charge(seconds: kept.seconds)
    let account = RunAccount(
      runID: run.id, budget: budget, paidBefore: try await paid(run.id, store),
      replays: try await store.answerKeys(run: run.id))
    return OpenRun(id: run.id, experimentID: run.experimentID, account: account, store: store)
  }

  private static func paid(_ id: String, _ store: TrackingStore) async throws(HoneError) -> UsageReport {
    try await store.bill(run: id).usage
  }
}

extension [RoleTotal] {
  /// A bill as usage.
  package var usage: UsageReport {
    UsageReport(byRole: reduce(into: [:]) { $0[$1.role] = $1.figures })
  }
}

extension RoleTotal {
  fileprivate var figures: UsageReport.Entry {
    var figures = UsageReport.Entry()
    figures.calls = calls + failed
    figures.failed = failed
    figures.tokens = usage
    figures.knownCost = cost
    figures.unpriced = unpricedCalls
    figures.seconds = seconds
    figures.estimates = .init(requests: estimatedRequests, tokens: estimatedTokens, cost: estimatedCost)
    return figures
  }
}
