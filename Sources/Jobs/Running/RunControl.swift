package import Failures
package import JSON
import LanguageModels
import Messages
import Programs
import Schema
import Tracking

/// Runs from outside: following, stopping and resuming them by their id, whichever process they belong to.
package struct RunControl {
  private let workspace: Workspace
  private let environment: CallEnvironment

  package init(_ workspace: Workspace, _ environment: CallEnvironment) {
    self.workspace = workspace
    self.environment = environment
  }

  // MARK: Watching

  package func watch(_ id: String) async throws(HoneError) -> JSONObject {
    let store = try await workspace.store()
    var known = 0
    while true {
      if let job = workspace.jobs.job(on: id) { return try await job.watched(in: environment) }
      let pid = try await store.processWorking(on: id)
      for trial in try await store.trials(run: id, after: known) {
        known = trial["number"]?.intValue ?? known
        if let trial = TrialResult.read(trial, at: "", ProblemList()) { environment.progress?.finished(trial) }
      }
      guard let pid, try await store.run(id).info.status == .running else { return try await ended(id, store) }
      try await report(id, pid, known, store)
      try await pause(.milliseconds(500), id)
    }
  }

  /// How far a run of another process is, as far as the store tells.
  private func report(_ id: String, _ pid: Int, _ trials: Int, _ store: TrackingStore) async throws(HoneError) {
    guard let progress = environment.progress else { return }
    let bill = try await store.bill(run: id)
    var report = ProgressReport()
    report.runID = id
    report.processID = pid
    report.calls = bill.reduce(0) { $0 + $1.calls + $1.failed }
    report.tokens = bill.reduce(0) { $0 + $1.usage.totalTokens }
    if trials > 0 { report.trial = trials }
    report.score = try await store.run(id).metric("best_score")
    var parts = ["under way in process \(pid)"]
    if trials > 0 { parts.append("trial \(trials)") }
    if let best = report.score { parts.append("best \(best)") }
    if let calls = report.calls, calls > 0 { parts.append("\(calls) calls") }
    report.message = parts.joined(separator: ", ")
    progress.report(report)
  }

  private func pause(_ duration: Duration, _ id: String) async throws(HoneError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw HoneError(.cancelled, "The request was cancelled.", details: ["runId": id])
    }
  }

  /// The result of a run that nobody works on; for one that was cut off, what is known of it.
  private func ended(_ id: String, _ store: TrackingStore) async throws(HoneError) -> JSONObject {
    let run = try await store.run(id)
    guard try await store.keptRequest(run: id) != nil else {
      throw HoneError(
        .invalidParams, "runId: The run \(id) (\(run.info.name)) is not one of compile or evaluate.",
        remedy: "getRun shows it.",
        problems: [Problem(path: "runId", message: "No request of compile or evaluate is kept with this run.", got: id)]
      )
    }
    if case .object(let result)? = try await store.result(run: id) {
      if let state = result["program"], case .object = state,
        let (program, _) = try? StateFile.decode(state, module: nil, source: "The result of \(id)")
      {
        _ = workspace.load(program)
      }
      return result
    }
    let trials = try await store.trials(run: id)
    var ending = CutOff()
    ending.runID = id
    ending.experimentID = run.info.experimentID
    ending.status = run.tags.value(of: HoneTag.status) ?? RunOutcome.interrupted.rawValue
    ending.score = run.metric("best_score")
    ending.trials = trials
    ending.resumeCommand = resumeCommand(id, home: workspace.home)
    ending.error = HoneError(
      FailureKind(rawValue: "interrupted"), "The process that made this run is gone, or could not write how it ended.",
      remedy: "Resume it with resumeRun, or with: \(ending.resumeCommand)")
    return ending.given
  }

  // MARK: Stopping

  package func cancel(_ id: String) async throws(HoneError) -> JSONObject {
    if let job = workspace.jobs.job(on: id) {
      job.stop(.run)
      return try await job.watched(in: environment)
    }
    let store = try await workspace.store()
    guard try await store.processWorking(on: id) != nil else { return try await ended(id, store) }
    try await store.requestStop(run: id)
    while try await store.run(id).info.status == .running, try await store.processWorking(on: id) != nil {
      try await pause(.milliseconds(50), id)
    }
    return try await ended(id, store)
  }

  // MARK: Resuming

  package func resume(_ request: ResumeRunRequest) async throws(HoneError) -> JSONObject {
    let id = request.runId
    let store = try await workspace.store()
    let info = try await store.run(id).info
    if info.status == .finished { return try await ended(id, store) }
    if let pid = try await store.processWorking(on: id) {
      throw HoneError(
        .invalidParams, "runId: The run \(id) is under way in process \(pid).",
        remedy: "Follow it with watchRun, or stop it with cancelRun first.", details: ["pid": "\(pid)"])
    }
    guard let kept = try await store.keptRequest(run: id) else { return try await ended(id, store) }
    let params = request.applied(to: kept.params)
    let fields = FieldReader(params, problems: ProblemList())
    var environment = environment
    environment.isResumed = true
    let resolver = RequestResolver(workspace, kept.method, fields, environment)
    switch kept.method {
    case CompileJob.method:
      let job = try await resolver.apart { () async throws(HoneError) in
        try await CompileJob(CompileRequest.known(from: fields), resolver)
      }
      return try await resume(job, info, params, request)
    default:
      let job = try await resolver.apart { () async throws(HoneError) in
        try await EvaluateJob(EvaluateRequest.known(from: fields), resolver)
      }
      return try await resume(job, info, params, request)
    }
  }

  private func resume(
    _ job: some Job, _ info: RunInfo, _ params: JSONObject, _ request: ResumeRunRequest
  ) async throws(HoneError) -> JSONObject {
    let run = try await OpenRun.reopen(info, params: params, budget: job.terms.budget, try await workspace.store())
    let reply = try await workspace.perform(job, run, isDetached: request.detach, in: environment)
    return reply.jsonValue.objectValue ?? [:]
  }
}

/// What is known of a run that was cut off: no result was kept.
private struct CutOff: ResultObject {
  static let members: [Member<Self>] = [
    Member("runId", \.runID, isAlwaysWritten: true, "The run."),
    Member("experimentId", \.experimentID, isAlwaysWritten: true, "The run's experiment."),
    Member("status", \.status, isAlwaysWritten: true, "How it ended."),
    Member("score", \.score, isAlwaysWritten: true, "The best score so far."),
    Member("trials", \.trials, isAlwaysWritten: true, "Every evaluation that ended."),
    Member("error", \.error, isAlwaysWritten: true, "Why there is no more."),
    Member("resumeCommand", \.resumeCommand, isAlwaysWritten: true, "The command that continues it."),
  ]
  var runID = ""
  var experimentID = ""
  var status = ""
  var score: Double?
  var trials: [JSONValue] = []
  var error: HoneError?
  var resumeCommand = ""
}
