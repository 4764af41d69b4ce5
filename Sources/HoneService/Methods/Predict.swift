import Failures
import JSON
import Jobs

extension Method {
  static let predict = Method(
    "predict", "Runs a program once.",
    resolving: PredictRequest.self, gives: PredictResult.self,
    example: ["program": "question -> answer", "inputs": ["question": "What is 2 + 2?"], "lm": "simulated"]
  ) { request, resolver throws(HoneError) in
    if request.executionId != nil { return try await predictInExecution(request, resolver) }
    return try await PredictJob(request, resolver).run()
  }
}
