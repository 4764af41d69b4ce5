public import JSON

/// What is right: a metric that goes by name, or a function of your own.
///
///     let metric = Metric("close") { example, outputs in
///       abs((example["answer"]?.doubleValue ?? 0) - (outputs["answer"]?.doubleValue ?? .infinity)) < 0.5
///     }
public struct Metric: Sendable {
  /// What tracking calls it.
  public let name: String
  let json: JSONValue
  let function: (@Sendable (JSONObject, JSONObject) async throws -> Score)?
  /// What a judge is made of, which may have functions of its own.
  private(set) var judge: (program: Program, model: Model?)?

  /// A metric that goes by name, with its options; `hone metrics` lists them.
  public init(_ name: String, options: JSONObject = [:]) {
    self.name = name
    json = .object(JSONObject([("name", .string(name))]).merging(options))
    function = nil
  }

  /// A function of your own.
  ///
  /// - Parameters:
  ///   - name: what tracking calls it. A run is resumed with a metric of the same name.
  ///   - timeout: seconds that one score may take.
  ///   - score: true or false, a number from 0 to 1, or a `Score` with feedback. Called once for each execution; what it
  ///     says is kept with the run. What it throws counts as a failed example.
  public init<Value: ScoreConvertible>(
    _ name: String, timeout: Double = 120,
    score: @escaping @Sendable (_ example: JSONObject, _ outputs: JSONObject) async throws -> Value
  ) {
    self.name = name
    json = ["client": .string(name), "timeout": .double(timeout)]
    function = { example, outputs in try await score(example, outputs).score }
  }

  /// A program that judges: a language model says how good an answer is.
  ///
  /// - Parameters:
  ///   - program: takes members of the example and outputs of the program, and gives a score.
  ///   - model: the model that judges; the request's own unless given.
  ///   - name: what tracking calls it.
  public static func judge(_ program: Program, model: Model? = nil, name: String = "judge") -> Metric {
    var judge: JSONObject = ["name": .string(name), "program": program.json]
    if let model { judge["lm"] = model.json }
    var metric = Metric(name: name, json: ["judge": .object(judge)])
    metric.judge = (program, model)
    return metric
  }

  private init(name: String, json: JSONValue) {
    self.name = name
    self.json = json
    function = nil
  }

  /// Whether the answer is the example's, but for case, articles and punctuation that says nothing.
  public static let exactMatch = Metric("exact_match")
  /// Whether the answer is the example's number, however it is written.
  public static let numericMatch = Metric("numeric_match")
  /// How many words the answer and the example's share.
  public static let f1 = Metric("f1")
}

/// What a metric says of one example.
public struct Score: Sendable, Hashable {
  /// From 0 to 1, as a rule.
  public var value: Double
  /// What was right or wrong, in words that help whoever improves the program.
  public var feedback: String?

  public init(_ value: Double, feedback: String? = nil) {
    self.value = value
    self.feedback = feedback
  }

  public init(_ isRight: Bool, feedback: String? = nil) { self.init(isRight ? 1 : 0, feedback: feedback) }

  var json: JSONValue {
    var object: JSONObject = ["score": .double(value)]
    if let feedback { object["feedback"] = .string(feedback) }
    return .object(object)
  }
}

/// What may be given as a score: true or false, a number, or a `Score`.
public protocol ScoreConvertible: Sendable {
  var score: Score { get }
}

extension Score: ScoreConvertible { public var score: Score { self } }
extension Bool: ScoreConvertible { public var score: Score { Score(self) } }
extension Double: ScoreConvertible { public var score: Score { Score(self) } }
