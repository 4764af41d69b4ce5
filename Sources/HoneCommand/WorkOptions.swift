import ArgumentParser
import Editing
import Foundation
import HoneService
import JSON

/// Options that `compile` and `evaluate` share; each sets a member of the request, over what the file says.
struct WorkOptions: ParsableArguments {
  @Argument(
    help: "A program file (NAME.hone.json), or a file with the request as JSON; - for standard input.",
    completion: Candidates.programFiles)
  var file: String?

  @Option(
    help: "A signature (\"question -> answer\"), a run's id, a program file, or JSON.", completion: Candidates.runs)
  var program: String?

  @Option(
    help: "The module for a signature: Predict or ChainOfThought.", completion: .list(KnownNames.modules))
  var module: String?

  @Option(help: "A metric's name, or JSON.", completion: .list(KnownNames.metrics))
  var metric: String?

  @Option(help: "The model: provider/model, simulated, or JSON.")
  var lm: String?

  @Option(help: "The base URL of the model's endpoint.")
  var apiBase: String?

  @Option(help: "The environment variable that holds the endpoint's key.")
  var apiKeyEnv: String?

  @Option(
    help: "The form of prompts and replies: auto, chat, json, plain or xml.", completion: .list(KnownNames.adapters))
  var adapter: String?

  @Option(help: "The experiment to track under.")
  var experiment: String?

  @Option(help: "The run's name.")
  var runName: String?

  @OptionGroup var limits: LimitOptions

  @Option(help: "How many examples may fail.")
  var maxErrors: Int?

  @Flag(help: "Only start it, in the service of --attach or --socket, and print the run's id; hone watch follows it.")
  var detach = false

  /// The directory from which the request's relative paths count: a program file's own; nil for the working directory.
  var directory: String? { programFile.map(ProgramFile.directory) }

  /// The absolute path of the file if it is a program file.
  private var programFile: String? {
    guard let file, ProgramFile.isOne(file) else { return nil }
    return absolutePath(file)
  }

  /// A value that an option gives, with paths as they count where the option was written.
  func placed(_ value: JSONValue) -> JSONValue {
    guard programFile != nil, var object = value.objectValue, let path = object["path"]?.stringValue else {
      return value
    }
    object["path"] = .string(absolutePath(path))
    return .object(object)
  }

  /// The request of the method so far.
  func request(_ method: String) throws -> JSONObject {
    var request: JSONObject = try file.map(requestFile) ?? [:]
    if let programFile { request = ProgramFile.request(method, of: request, file: programFile) }
    if let program { request["program"] = placed(try programValue(program, "--program")) }
    if let module { request["module"] = .string(module) }
    if let metric { request["metric"] = try jsonOrText(metric, "--metric") }
    if let lm { request["lm"] = try jsonOrText(lm, "--lm") }
    if apiBase != nil || apiKeyEnv != nil {
      var model = request["lm"]?.objectValue ?? ["model": request["lm"] ?? .null]
      if let apiBase { model["apiBase"] = .string(apiBase) }
      if let apiKeyEnv { model["apiKeyEnv"] = .string(apiKeyEnv) }
      request["lm"] = .object(model)
    }
    if let adapter { request["adapter"] = .string(adapter) }
    if let experiment { request["experiment"] = .string(experiment) }
    if let runName { request["runName"] = .string(runName) }
    if let concurrency = limits.concurrency { request["concurrency"] = .int(concurrency) }
    if let budget = limits.budget {
      request["budget"] = .object((request["budget"]?.objectValue ?? [:]).merging(budget))
    }
    if let maxErrors { request["maxErrors"] = .int(maxErrors) }
    return request
  }

  /// The params as they are sent.
  func call(_ params: JSONObject, _ common: CommonOptions) throws -> JSONObject {
    guard detach else { return params }
    guard common.socket != nil || common.attach else {
      throw ValidationError("--detach needs a service that stays: --attach, or --socket with its path.")
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
