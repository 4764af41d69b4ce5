import Failures
import JSON
import JSONRPC
import Programs
import Schema

extension Service {
  /// A `predict` for an execution under way is part of what some request waits for; the long methods wait for anything.
  func lane(of method: String, _ params: JSONObject) -> RequestLane {
    if method == Method.predict.name, let id = params["executionId"]?.stringValue, executions.holds(id) { return .part }
    return catalog.method(named: method)?.isLong == true ? .work : .call
  }

  /// The place of a request in the execution of a host program that it names, if it names one.
  func place(_ method: String, _ params: JSONObject) -> HostExecution.Place? {
    guard method == Method.predict.name, let id = params["executionId"]?.stringValue,
      let predictor = params["predictor"]?.stringValue
    else { return nil }
    return executions.place(id, predictor: predictor, inputs: params["inputs"]?.objectValue ?? [:])
  }
}

/// `predict` within `program/forward`: one of the host program's predictors, as the candidate at work has it.
func predictWithin(_ request: PredictRequest, _ parts: RequestParts) async throws(HoneError) -> JSONValue {
  let (id, predictor) = try parts.whole(request.executionId, request.predictor)
  let executions = parts.service.executions
  guard let place = parts.environment.place ?? executions.place(id, predictor: predictor, inputs: request.inputs)
  else {
    throw HostExecution.over
  }
  let prediction = try await place.run()
  var object: JSONObject = ["outputs": .object(prediction.outputs)]
  if !prediction.completions.isEmpty {
    object["completions"] = .array(prediction.completions.map(JSONValue.object))
  }
  if let trace = place.traceID { object["traceId"] = .string(trace) }
  return .object(object)
}
