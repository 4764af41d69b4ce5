import Basics
import Delivery
import Failures
import JSON
import Logging
import Messages
import NIOHTTP1
import OpenTelemetry
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
      "3.0/mlflow/traces", ["trace": ["trace_info": description(of: due.info, due.experiment, due.run)]])
    note(answer, due.info)
    guard case .value(let taken) = answer else { return }
    // Servers of earlier versions pass over assessments there.
    let known = taken["trace"]?["trace_info"]?["assessments"]?.arrayValue ?? []
    for stored in due.info.assessments where stored.isValid {
      if known.contains(where: { $0["assessment_name"]?.stringValue == stored.assessment.name }) { continue }
      note(
        try await runs.api.post(
          "3.0/mlflow/traces/\(due.info.id)/assessments", ["assessment": .object(assessment(stored))]), due.info)
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
    runs.logger.warning("The server did not take spans of \(batch[0].info.id): \(text) (\(reply.status))")
  }

  private func description(of info: TraceInfo, _ experiment: String, _ run: String?) -> JSONValue {
    var metadata: JSONObject = ["mlflow.trace_schema.version": "3"]
    for (key, value) in info.metadata { metadata["hone.\(key)"] = .string(value.stringValue ?? value.text()) }
    if let run { metadata["mlflow.sourceRun"] = .string(run) }
    metadata["mlflow.traceInputs"] = JSONValue(info.requestPreview.map { String($0.prefix(Self.previewLength)) } ?? "")
    metadata["mlflow.traceOutputs"] = JSONValue(
      info.responsePreview.map { String($0.prefix(Self.previewLength)) } ?? "")
    let usage: JSONValue = [
      "input_tokens": .int(info.usage.inputTokens), "output_tokens": .int(info.usage.outputTokens),
      "total_tokens": .int(info.usage.totalTokens),
    ]
    metadata["mlflow.trace.tokenUsage"] = .string(usage.text())
    var tags: JSONObject = ["mlflow.traceName": .string(info.name)]
    for tag in info.tags { tags[tag.key] = .string(tag.value) }
    return [
      "trace_id": .string(info.id.description),
      "trace_location": ["type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)]],
      "request_time": .string(rfc3339(nanoseconds: info.start)),
      "execution_duration": .string("\(Double((info.end - info.start) / 1_000_000) / 1000)s"),
      "state": .string(info.status.word), "request_preview": JSONValue(info.requestPreview),
      "response_preview": JSONValue(info.responsePreview), "trace_metadata": .object(metadata), "tags": .object(tags),
      "assessments": .array(info.assessments.filter(\.isValid).map { .object(assessment($0)) }),
    ]
  }

  private func assessment(_ stored: StoredAssessment) -> JSONObject {
    let said = stored.assessment
    let time = JSONValue.string(rfc3339(milliseconds: stored.created))
    // Ids here are unique in a store, ids there among all stores that come to the server.
    let id = ContentDigest.of("\(stored.traceID) \(stored.id)").description.prefix(32)
    var object: JSONObject = [
      "assessment_id": .string("a-\(id)"), "assessment_name": .string(said.name),
      "trace_id": .string(stored.traceID.description),
      "source": ["source_type": .string(said.source.rawValue), "source_id": .string(stored.sourceID ?? "default")],
      "create_time": time, "last_update_time": time, "valid": true,
    ]
    var value: JSONObject = ["value": said.value]
    if let error = said.error { value["error"] = ["error_code": "METRIC_FAILED", "error_message": .string(error)] }
    object[stored.kind == .feedback ? "feedback" : "expectation"] = .object(value)
    if let rationale = said.rationale { object["rationale"] = .string(rationale) }
    if let span = stored.spanID { object["span_id"] = .string(span.description) }
    if !said.metadata.isEmpty {
      let facts = said.metadata.map { ($0.key, JSONValue.string($0.value.stringValue ?? $0.value.text())) }
      object["metadata"] = .object(JSONObject(facts))
    }
    return object
  }

  private func note(_ answer: MLflowAPI.Answer, _ info: TraceInfo) {
    if case .refusal(let refusal) = answer {
      runs.logger.warning("The server did not take a part of \(info.id): \(refusal.message) (\(refusal.status))")
    }
  }
}
