import Failures
import JSON
import LanguageModels
import Programs
import Schema
import Tracking

/// Runs from outside: following, stopping and resuming them by their id, whichever process they belong to.
struct RunControl {
  private let service: Service
  private let environment: CallEnvironment

  init(_ service: Service, _ environment: CallEnvironment) {
    self.service = service
    self.environment = environment
  }

  // MARK: Watching

  func watch(_ id: String) async throws(HoneError) -> JSONValue {
    let store = try await service.store()
    var known = 0
    while true {
      if let work = service.works.work(on: id) { return try await work.watched(in: environment) }
      let pid = try await store.processWorking(on: id)
      for trial in try await store.trials(run: id, after: known) {
        known = trial["number"]?.intValue ?? known
        environment.progress?.partial(["trial": trial])
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
    var data: JSONObject = [
      "runId": .string(id), "processId": .int(pid), "calls": .int(bill.reduce(0) { $0 + $1.calls + $1.failed }),
      "tokens": .int(bill.reduce(0) { $0 + $1.usage.totalTokens }),
    ]
    if trials > 0 { data["trial"] = .int(trials) }
    if let best = try await store.run(id).metric("best_score") { data["score"] = .double(best) }
    var parts = ["under way in process \(pid)"]
    if trials > 0 { parts.append("trial \(trials)") }
    if let best = data["score"]?.doubleValue { parts.append("best \(best)") }
    if let calls = data["calls"]?.intValue, calls > 0 { parts.append("\(calls) calls") }
    progress.report(parts.joined(separator: ", "), percentage: nil, data: data)
  }

  private func pause(_ duration: Duration, _ id: String) async throws(HoneError) {
    do {
      try await Task.sleep(for: duration)
    } catch {
      throw HoneError(.cancelled, "The request was cancelled.", details: ["runId": id])
    }
  }

  /// The result of a run that nobody works on; for one that was cut off, what is known of it.
  private func ended(_ id: String, _ store: TrackingStore) async throws(HoneError) -> JSONValue {
    let run = try await store.run(id)
    guard try await store.keptRequest(run: id) != nil else {
      throw HoneError(
        .invalidParams, "runId: The run \(id) (\(run.info.name)) is not one of compile or evaluate.",
        remedy: "getRun shows it.",
        problems: [Problem(path: "runId", message: "No request of compile or evaluate is kept with this run.", got: id)])
    }
    if let result = try await store.result(run: id) {
      if let state = result["program"], case .object = state,
        let (program, _) = try? StateFile.decode(state, module: nil, source: "The result of \(id)")
      {
        _ = service.load(program)
      }
      return result
    }
    let trials = try await store.trials(run: id)
    let status = run.tags.value(of: HoneTag.status) ?? RunOutcome.interrupted.word
    let command = resumeCommand(id, home: service.home)
    return [
      "runId": .string(id), "experimentId": .string(run.info.experimentID), "status": .string(status),
      "score": JSONValue(run.metric("best_score")), "trials": .array(trials),
      "error": [
        "kind": "interrupted", "message": "The process that made this run is gone, or could not write how it ended.",
        "remedy": .string("Resume it with resumeRun, or with: \(command)"),
      ],
      "resumeCommand": .string(command),
    ]
  }

  // MARK: Stopping

  func cancel(_ id: String) async throws(HoneError) -> JSONValue {
    if let work = service.works.work(on: id) {
      work.stop(.run)
      return try await work.watched(in: environment)
    }
    let store = try await service.store()
    guard try await store.processWorking(on: id) != nil else { return try await ended(id, store) }
    try await store.requestStop(run: id)
    while try await store.run(id).info.status == .running, try await store.processWorking(on: id) != nil {
      try await pause(.milliseconds(50), id)
    }
    return try await ended(id, store)
  }

  // MARK: Resuming

  func resume(_ request: ResumeRunRequest) async throws(HoneError) -> JSONValue {
    let id = request.runId
    let store = try await service.store()
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
    let parts = RequestParts(service, kept.method, fields, environment)
    switch kept.method {
    case "compile":
      let order = try await CompileOrder(CompileRequest.known(from: fields), parts)
      let run = try await OpenRun.reopen(info, params: params, budget: order.budget, store)
      return try await service.perform(CompileJob(order, run, service), isDetached: request.detach, in: environment)
    default:
      let order = try await EvaluateOrder(EvaluateRequest.known(from: fields), parts)
      let run = try await OpenRun.reopen(info, params: params, budget: order.budget, store)
      return try await service.perform(EvaluateJob(order, run, service), isDetached: request.detach, in: environment)
    }
  }
}
