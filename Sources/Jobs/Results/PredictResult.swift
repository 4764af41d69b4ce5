public import JSON
public import LanguageModels
public import Programs
public import Schema

/// What a program answered.
public struct PredictResult: ResultObject {
  package static let members: [Member<Self>] = [
    Member("outputs", \.outputs, isAlwaysWritten: true, "A value for each output field."),
    Member("completions", \.completions, "All completions, where the model was asked for several."),
    Member("traceId", \.traceID, "The trace of the execution."),
    Member("usage", \.usage, "What was asked of models and what it cost."),
    Member("replies", \.replies, as: Schema(.named("Replies")), "How the model's replies came out."),
    Member("simulated", \.isSimulated, "Whether the embedded simulation answered, and not a model."),
    Member("warnings", \.warnings, "What differed from the request."),
  ]

  /// A value for each output field.
  public var outputs: JSONObject = [:]
  /// All completions, where the model was asked for several.
  public var completions: [JSONObject] = []
  /// The trace of the execution: `tr-` and 32 hexadecimal digits; nil where it is not traced.
  public var traceID: String?
  public var usage: UsageReport?
  public var replies: ReplyCounts?
  /// Whether the embedded simulation answered, and not a model.
  public var isSimulated = false
  /// What differed from the request.
  public var warnings: [String] = []

  package init() {}

  package init(_ prediction: Prediction, traceID: String?) {
    outputs = prediction.outputs
    completions = prediction.completions
    self.traceID = traceID
  }
}
