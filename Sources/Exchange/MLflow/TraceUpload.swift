import Failures
import JSON
import LanguageModels
import Logging
import NIOHTTP1
import Traces
import Tracking

/// Brings traces of the store to an MLflow server: spans by OTLP, what is known of the whole by MLflow's own call, then
/// the assessments.
struct TraceUpload: Sendable {
  let runs: RunUpload
  let version: String

  /// How many characters of a trace's inputs and outputs its metadata hold.
  private static let previewLength = 250

  func send(_ info: TraceInfo) async throws(HoneError) {
    let api = runs.api
    let remoteRun = try info.runID.flatMap { id throws(HoneError) in try runs.state.counterpart(of: id) }
    // A trace that came from the server, with its run, is there.
    if remoteRun?.isForeign == true { return }
    let experiment = try await runs.experiment(info.experimentID ?? "0")
    var token: String?
    repeat {
      let page = try await runs.store.spans(of: info.id, maxBytes: 4 << 20, pageToken: token)
      token = page.nextPageToken
      var shown = info
      // Assessments are sent as such.
      shown.assessments = []
      let body = OTLPSpans.request([(shown, page.items)], version: version).encoded()
      let reply = try await api.sender.send(
        .POST, "/v1/traces", body, headers: [("x-mlflow-experiment-id", experiment)])
      if reply.isPassing {
        throw HoneError(.storeUnavailable, "\(api.sender.base) answered \(reply.status) to a trace's spans.")
      }
      if !reply.isSuccess {
        let text = String(decoding: reply.body.prefix(200), as: UTF8.self)
        runs.logger.warning("The server did not take spans of \(info.id): \(text) (\(reply.status))")
      }
    } while token != nil
    let description = describe(info, experiment, remoteRun?.remote)
    note(try await api.post("3.0/mlflow/traces", ["trace": ["trace_info": description]]), info)
    for stored in info.assessments where stored.isValid {
      note(
        try await api.post(
          "3.0/mlflow/traces/\(info.id)/assessments", ["assessment": .object(assessment(stored))]), info)
    }
  }

  private func describe(_ info: TraceInfo, _ experiment: String, _ run: String?) -> JSONValue {
    var metadata: JSONObject = ["mlflow.trace_schema.version": "3"]
    for (key, value) in info.metadata { metadata["hone.\(key)"] = .string(value.stringValue ?? value.text()) }
    if let run { metadata["mlflow.sourceRun"] = .string(run) }
    metadata["mlflow.traceInputs"] = JSONValue(info.requestPreview.map { String($0.prefix(Self.previewLength)) } ?? "")
    metadata["mlflow.traceOutputs"] = JSONValue(info.responsePreview.map { String($0.prefix(Self.previewLength)) } ?? "")
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
      "request_time": info.json["startTime"] ?? .null,
      "execution_duration": .string("\(Double((info.end - info.start) / 1_000_000) / 1000)s"),
      "state": info.json["status"] ?? .null, "request_preview": JSONValue(info.requestPreview),
      "response_preview": JSONValue(info.responsePreview), "trace_metadata": .object(metadata), "tags": .object(tags),
    ]
  }

  private func assessment(_ stored: StoredAssessment) -> JSONObject {
    let said = stored.assessment
    let time = stored.json["createTime"] ?? .null
    var object: JSONObject = [
      "assessment_name": .string(said.name), "trace_id": .string(stored.traceID.description),
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
