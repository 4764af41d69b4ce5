import Schema

/// What a server of MLflow's REST API answers: each call fills some of these.
struct MLflowReply: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("experiments", \.experiments), Member("experiment", \.experiment), Member("experiment_id", \.experimentID),
    Member("runs", \.runs), Member("run", \.run), Member("metrics", \.metrics), Member("files", \.files),
    Member("traces", \.traces), Member("trace", \.trace), Member("error_code", \.errorCode),
    Member("message", \.message),
  ]
  var experiments: [MLflowExperiment] = []
  var experiment: MLflowExperiment?
  var experimentID: String?
  var runs: [MLflowRun] = []
  var run: MLflowRun?
  var metrics: [MLflowPoint] = []
  var files: [MLflowFile] = []
  /// What is known of each as a whole.
  var traces: [MLflowTraceInfo] = []
  var trace: MLflowTrace?
  /// Of a refusal.
  var errorCode: String?
  var message: String?
}
