import ArgumentParser
import Foundation
import JSON

/// Options that `compile` and `evaluate` share; each sets a member of the request, over what the file says.
struct WorkOptions: ParsableArguments {
  @Argument(help: "A file with the request as JSON; - for standard input.")
  var file: String?

  @Option(help: "A signature (\"question -> answer\"), a run's id, a program file, or JSON.")
  var program: String?

  @Option(help: "The module for a signature: Predict or ChainOfThought.")
  var module: String?

  @Option(help: "A metric's name, or JSON.")
  var metric: String?

  @Option(help: "The model: provider/model, simulated, or JSON.")
  var lm: String?

  @Option(help: "The base URL of the model's endpoint.")
  var apiBase: String?

  @Option(help: "The environment variable that holds the endpoint's key.")
  var apiKeyEnv: String?

  @Option(help: "The experiment to track under.")
  var experiment: String?

  @Option(help: "The run's name.")
  var runName: String?

  @OptionGroup var limits: LimitOptions

  @Option(help: "How many examples may fail.")
  var maxErrors: Int?

  @Flag(help: "Only start it, in the service at --socket, and print the run's id; hone watch follows it.")
  var detach = false

  /// The request so far.
  func request() throws -> JSONObject {
    var request: JSONObject = try file.map(requestFile) ?? [:]
    if let program { request["program"] = try programValue(program, "--program") }
    if let module { request["module"] = .string(module) }
    if let metric { request["metric"] = try jsonOrText(metric, "--metric") }
    if let lm { request["lm"] = try jsonOrText(lm, "--lm") }
    if apiBase != nil || apiKeyEnv != nil {
      var model = request["lm"]?.objectValue ?? ["model": request["lm"] ?? .null]
      if let apiBase { model["apiBase"] = .string(apiBase) }
      if let apiKeyEnv { model["apiKeyEnv"] = .string(apiKeyEnv) }
      request["lm"] = .object(model)
    }
    if let experiment { request["experiment"] = .string(experiment) }
    if let runName { request["runName"] = .string(runName) }
    if let concurrency = limits.concurrency { request["concurrency"] = .int(concurrency) }
    if let budget = limits.budget { request["budget"] = .object((request["budget"]?.objectValue ?? [:]).merging(budget)) }
    if let maxErrors { request["maxErrors"] = .int(maxErrors) }
    return request
  }

  /// The params as they are sent.
  func call(_ params: JSONObject, _ common: CommonOptions) throws -> JSONObject {
    guard detach else { return params }
    guard common.socket != nil else {
      throw ValidationError("--detach needs a service that stays: name its socket with --socket.")
    }
    return params.merging(["detach": true])
  }
}

/// What a run may use, and how much of it at once.
struct LimitOptions: ParsableArguments {
  @Option(help: "How many executions at once.")
  var concurrency: Int?

  @Option(help: "The most model calls to make.")
  var maxCalls: Int?

  @Option(help: "The most tokens to use.")
  var maxTokens: Int?

  @Option(help: "The most US dollars to spend.")
  var maxCost: Double?

  @Option(help: "The most seconds to take.")
  var maxSeconds: Double?

  var budget: JSONObject? {
    var budget = JSONObject()
    if let maxCalls { budget["maxCalls"] = .int(maxCalls) }
    if let maxTokens { budget["maxTokens"] = .int(maxTokens) }
    if let maxCost { budget["maxCost"] = .double(maxCost) }
    if let maxSeconds { budget["maxSeconds"] = .double(maxSeconds) }
    return budget.isEmpty ? nil : budget
  }

  /// The params of `resumeRun` for a run: what may change when it goes on.
  func changes(to run: String) -> JSONObject {
    var params: JSONObject = ["runId": .string(run)]
    if let budget { params["budget"] = .object(budget) }
    if let concurrency { params["concurrency"] = .int(concurrency) }
    return params
  }
}
