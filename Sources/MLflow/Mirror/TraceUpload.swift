import Basics
import Delivery
import Failures
import JSON
import Logging
import Messages
import NIOHTTP1
import OpenTelemetry
import Schema
import Traces
import Tracking

/// Brings traces of the store to an MLflow server: what is known of each as a whole, with its assessments, by MLflow's
/// own call, then the spans of many together by OTLP. Sent twice, everything is there once: all of it has ids.
struct TraceUpload: Sendable {
  let runs: RunUpload
  let version: String

  /// How many characters of a trace's inputs and outputs its metadata hold.
  private static let previewLength = 250

  /// How many traces are described to the server at once.
  private static let width = 4

  private struct Due: Sendable {
    var info: TraceInfo
    var experiment: String
    var run: String?
  }

  func send(_ traces: [TraceInfo]) async throws(HoneError) {
    var due: [Due] = []
    var experiments: [String: String] = [:]
    for info in traces {
      let run = try info.runID.flatMap { id throws(HoneError) in try runs.state.counterpart(of: id) }
      // A trace that came from the server, with its run, is there.
      if run?.isForeign == true { continue }
      let id = info.experimentID ?? "0"
      let experiment: String
      if let known = experiments[id] { experiment = known } else { experiment = try await runs.experiment(id) }
      experiments[id] = experiment
      due.append(Due(info: info, experiment: experiment, run: run?.remote))
    }
    // In this order, which is that of MLflow's own client, the server has less to do.
    try await describe(due)
    for (experiment, traces) in Dictionary(grouping: due, by: \.experiment).sorted(by: { $0.key < $1.key }) {
      // Assessments are sent as such.
      let bare = traces.map { due in
        var info = due.info
        info.assessments = []
        return info
      }
      try await SpanBatches(store: runs.store).send(bare) { batch throws(HoneError) in
        try await post(batch, experiment)
      }
    }
  }

  private func describe(_ traces: [Due]) async throws(HoneError) {
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, due) in traces.enumerated() {
          if index >= Self.width { try await group.next() }
          group.addTask { try await describe(due) }
        }
        try await group.waitForAll()
      }
    } catch {
      throw HoneError(wrapping: error)
    }
  }

  private func describe(_ due: Due) async throws(HoneError) {
    let answer = try await runs.api.post(
      "3.0/mlflow/traces", ["trace": ["trace_info": description(of: due.info, due.experiment, due.run).jsonValue]])
    note(answer, due.info)
    guard case .value(let taken) = answer else { return }
    // Servers of earlier versions pass over assessments there.
    let known = taken.trace?.info.assessments ?? []
    for stored in due.info.assessments where stored.isValid {
      if known.contains(where: { $0.name == stored.assessment.name }) { continue }
      note(
        try await runs.api.post(
          "3.0/mlflow/traces/\(due.info.id)/assessments", ["assessment": assessment(stored).jsonValue]), due.info)
    }
  }

  private func post(_ batch: SpanBatches.Batch, _ experiment: String) async throws(HoneError) {
    let api = runs.api
    let body = OTLPSpans.request(batch, version: version).encoded()
    let reply = try await api.sender.send(.POST, "/v1/traces", body, headers: [("x-mlflow-experiment-id", experiment)])
    if reply.isSuccess { return }
    // One that it does not take must not keep it from taking the others.
    if batch.count > 1 {
      for one in batch { try await post([one], experiment) }
      return
    }
    if reply.isPassing {
      throw HoneError(.storeUnavailable, "\(api.sender.base) answered \(reply.status) to a trace's spans.")
    }
    let text = String(decoding: reply.body.prefix(200), as: UTF8.self)
    runs.logger.warning("The server refused spans of \(batch[0].info.id): \(text) (\(reply.status))")
  }

  private func description(of info: TraceInfo, _ experiment: String, _ run: String?) -> MLflowTraceInfo {
    var metadata = [KeyValue(TraceKey.schema, "3")]
    for fact in PairObject(info.metadata).pairs { metadata.append(KeyValue("hone.\(fact.key)", fact.value)) }
    if let run { metadata.append(KeyValue(TraceKey.run, run)) }
    metadata.append(KeyValue(TraceKey.inputs, String((info.requestPreview ?? "").prefix(Self.previewLength))))
    metadata.append(KeyValue(TraceKey.outputs, String((info.responsePreview ?? "").prefix(Self.previewLength))))
    metadata.append(KeyValue(TraceKey.usage, TraceKey.text(info.usage)))
    var sent = MLflowTraceInfo()
    sent.id = info.id.description
    sent.location = MLflowTraceInfo.Location(experiment: experiment)
    sent.requestTime = rfc3339(nanoseconds: info.start)
    sent.executionDuration = MLflowTraceInfo.seconds(info.end - info.start)
    sent.state = info.status.word
    sent.requestPreview = info.requestPreview
    sent.responsePreview = info.responsePreview
    sent.metadata = PairObject(metadata)
    sent.tags = PairObject([KeyValue(TraceKey.name, info.name)] + info.tags)
    sent.assessments = info.assessments.filter(\.isValid).map(assessment)
    return sent
  }

  private func assessment(_ stored: StoredAssessment) -> MLflowAssessment {
    var sent = MLflowAssessment(stored)
    // Ids here are unique in a store, ids there among all stores that come to the server.
    sent.id = "a-" + ContentDigest.of("\(stored.traceID) \(stored.id)").description.prefix(32)
    sent.overrides = nil
    if let error = sent.feedback?.error, error.code == nil { sent.feedback?.error?.code = "METRIC_FAILED" }
    return sent
  }

  private func note(_ answer: MLflowAPI.Answer, _ info: TraceInfo) {
    if case .refusal(let refusal) = answer {
      runs.logger.warning("The server refused a part of \(info.id): \(refusal.message) (\(refusal.status))")
    }
  }
}
