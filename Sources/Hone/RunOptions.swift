import JSON
import Jobs
import LanguageModels
public import Programs
import Schema

/// How a run is tracked and bounded.
public struct RunOptions: Sendable {
  /// The experiment's name; it is made if there is none.
  public var experiment = "Default"
  /// The run's name; one is made up unless given.
  public var runName: String?
  public var tags: [String: String] = [:]
  /// Bounds that are checked before each call.
  public var budget: Budget?
  /// How many executions at once. The result does not depend on it.
  public var concurrency = 8
  /// How many examples may fail before the work is paused; any number where nil.
  public var maxErrors: Int?
  /// What is done with rows without the value that the metric compares with.
  public var unlabeled = Unlabeled.skip
  /// What is done with rows to be scored that repeat others.
  public var duplicates = Duplicates.keep
  /// The form of prompts and replies; the one that the model reads and answers best where nil.
  public var adapter: ReplyFormat?
  /// What is tracked without being asked for.
  public var tracking = Tracking.everything

  public init(
    experiment: String = "Default", runName: String? = nil, tags: [String: String] = [:], budget: Budget? = nil,
    concurrency: Int = 8, maxErrors: Int? = nil, adapter: ReplyFormat? = nil, tracking: Tracking = .everything,
    unlabeled: Unlabeled = .skip, duplicates: Duplicates = .keep
  ) {
    self.experiment = experiment
    self.runName = runName
    self.tags = tags
    self.budget = budget
    self.concurrency = concurrency
    self.maxErrors = maxErrors
    self.adapter = adapter
    self.tracking = tracking
    self.unlabeled = unlabeled
    self.duplicates = duplicates
  }

  /// What is done with rows without the value that the metric compares with.
  public enum Unlabeled: String, Sendable {
    /// They are left out, which the result's warnings say.
    case skip
    /// The request is refused, with the place of each.
    case refuse
    /// They are asked, and count as failed.
    case score
  }

  /// What is done with rows to be scored that repeat a row of an earlier set, or of the same one.
  public enum Duplicates: String, Sendable {
    /// They are scored, which the result's warnings say.
    case keep
    /// They are left out.
    case drop
  }

  /// What is tracked without being asked for.
  public struct Tracking: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// A run for the work itself. Without it the work cannot be resumed.
    public static let runs = Tracking(rawValue: 1)
    /// A run for each evaluation that a compile makes.
    public static let evaluations = Tracking(rawValue: 2)
    /// A trace of each execution.
    public static let traces = Tracking(rawValue: 4)
    public static let everything: Tracking = [.runs, .evaluations, .traces]
    public static let nothing: Tracking = []
  }

  var json: JSONObject {
    var object: JSONObject = [
      "experiment": .string(experiment), "concurrency": .int(concurrency),
      "unlabeled": .string(unlabeled.rawValue), "duplicates": .string(duplicates.rawValue),
      "autolog": [
        "compiles": .bool(tracking.contains(.runs)), "evals": .bool(tracking.contains(.evaluations)),
        "tracesFromCompile": .bool(tracking.contains(.traces)), "tracesFromEval": .bool(tracking.contains(.traces)),
      ],
    ]
    if let runName { object["runName"] = .string(runName) }
    if !tags.isEmpty { object["tags"] = tags.jsonValue }
    if let budget { object["budget"] = budget.json }
    if let maxErrors { object["maxErrors"] = .int(maxErrors) }
    if let adapter { object["adapter"] = .string(adapter.rawValue) }
    return object
  }
}

/// Bounds of what a run may spend, checked before each call; nil is no bound.
public struct Budget: Sendable, Hashable {
  /// The most model calls to make.
  public var maxCalls: Int?
  /// The most tokens to use.
  public var maxTokens: Int?
  /// The most US dollars to spend.
  public var maxCost: Double?
  /// The most seconds to take.
  public var maxSeconds: Double?

  public init(maxCalls: Int? = nil, maxTokens: Int? = nil, maxCost: Double? = nil, maxSeconds: Double? = nil) {
    self.maxCalls = maxCalls
    self.maxTokens = maxTokens
    self.maxCost = maxCost
    self.maxSeconds = maxSeconds
  }

  var limits: LanguageModels.Budget.Limits {
    LanguageModels.Budget.Limits(
      maxCalls: maxCalls, maxTokens: maxTokens, maxCost: maxCost, maxSeconds: maxSeconds)
  }

  var json: JSONValue { .object(limits.given) }
}
