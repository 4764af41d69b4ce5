import ArgumentParser
import Editing
import Foundation
import HTTPModels
import HoneService
import JSON
import LanguageModels
import Schema
import Schema

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
    help: "The module for a signature: Predict or ChainOfThought.", completion: Candidates.modules)
  var module: String?

  @Option(help: "A metric's name, or JSON.", completion: Candidates.metrics)
  var metric: String?

  @Option(help: "The model: provider/model, simulated, or JSON.")
  var lm: String?

  @Option(help: "The base URL of the model's endpoint.")
  var apiBase: String?

  @Option(help: "The environment variable that holds the endpoint's key.")
  var apiKeyEnv: String?

  @Option(
    help: "The form of prompts and replies: auto, chat, json, plain or xml.", completion: Candidates.adapters)
  var adapter: String?

  @Option(help: "The experiment to track under.")
  var experiment: String?

  @Option(help: "The run's name.")
  var runName: String?

  @OptionGroup var limits: LimitOptions

  @Option(help: "How many examples may fail.")
  var maxErrors: Int?

  @Flag(
    help: "Start the work in the service of --attach or --socket, print the run's id and return; hone watch follows it."
  )
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
    guard programFile != nil, var object = value.objectValue, let path = FilePath(value).path else { return value }
    object.set(["path": .string(absolutePath(path))])
    return .object(object)
  }

  private struct FilePath: ForeignRecord {
    static let members: [Member<Self>] = [Member("path", \.path)]
    var path: String?
  }

  /// The request of the method so far.
  func request(_ method: String) throws -> JSONObject {
    var request: JSONObject = try file.map(requestFile) ?? [:]
    if let programFile { request = ProgramFile.request(method, of: request, file: programFile) }
    request.set([
      "program": try program.map { placed(try programValue($0, "--program")) },
      "module": module.map(JSONValue.string),
      "metric": try metric.map { try jsonOrText($0, "--metric") },
      "lm": try lm.map { try jsonOrText($0, "--lm") },
      "adapter": adapter.map(JSONValue.string),
      "experiment": experiment.map(JSONValue.string),
      "runName": runName.map(JSONValue.string),
      "concurrency": limits.concurrency.map(JSONValue.int),
      "maxErrors": maxErrors.map(JSONValue.int),
    ])
    let stated = StatedParts(.object(request))
    if apiBase != nil || apiKeyEnv != nil {
      var model = stated.lm.objectValue ?? ["model": stated.lm]
      model.set(["apiBase": apiBase.map(JSONValue.string), "apiKeyEnv": apiKeyEnv.map(JSONValue.string)])
      request.set(["lm": .object(model)])
    }
    request.set(["budget": limits.budget.map { .object(stated.budget.merging($0)) }])
    return request
  }

  /// Which keys may go where, with what was typed.
  func keyRules(_ common: CommonOptions) throws -> KeyRules {
    KeyRules(
      common.keys, lm: try lm.map { try jsonOrText($0, "--lm") }, apiBase: apiBase, apiKeyEnv: apiKeyEnv)
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

/// Members of a request to which options may add a part.
struct StatedParts: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("lm", \.lm), Member("budget", \.budget), Member("optimizer", \.optimizer),
  ]
  /// A name, or an object.
  var lm = JSONValue.null
  var budget: JSONObject = [:]
  var optimizer = JSONValue.null
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
    let limits = Budget.Limits(
      maxCalls: maxCalls, maxTokens: maxTokens, maxCost: maxCost, maxSeconds: maxSeconds
    ).given
    return limits.isEmpty ? nil : limits
  }

  /// The params of `resumeRun` for a run: what may change when it goes on.
  func changes(to run: String) -> JSONObject {
    var params: JSONObject = ["runId": .string(run)]
    params.set(["budget": budget.map(JSONValue.object), "concurrency": concurrency.map(JSONValue.int)])
    return params
  }
}
