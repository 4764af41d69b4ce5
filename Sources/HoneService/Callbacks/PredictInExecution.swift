import Failures
import JSON
import Jobs
import JSONRPC
import Programs
import Schema

extension Service {
  /// A `predict` for an execution under way is part of what some request waits for; the long methods wait for anything.
  func lane(of method: String, _ params: JSONObject) -> RequestLane {
    if method == Method.predict.name, let id = params["executionId"]?.stringValue, workspace.executions.holds(id) {
      return .part
    }
    return catalog.method(named: method)?.isLong == true ? .work : .call
  }

  /// The place of a request in the execution of a host program that it names, if it names one.
  func place(_ method: String, _ params: JSONObject) -> HostExecution.Place? {
    guard method == Method.predict.name, let id = params["executionId"]?.stringValue,
      let predictor = params["predictor"]?.stringValue
    else { return nil }
    return workspace.executions.place(id, predictor: predictor, inputs: params["inputs"]?.objectValue ?? [:])
  }
}

/// `predict` within `program/forward`: one of the host program's predictors, as the candidate at work has it.
func predictInExecution(_ request: PredictRequest, _ resolver: RequestResolver) async throws(HoneError) -> PredictResult
{
  let (id, predictor) = try resolver.whole(request.executionId, request.predictor)
  let executions = resolver.workspace.executions
  guard let place = resolver.environment.place ?? executions.place(id, predictor: predictor, inputs: request.inputs)
  else {
    throw HostExecution.over
  }
  return PredictResult(try await place.run(), traceID: place.traceID)
}
