import ArgumentParser
import HoneService
import JSON
import Jobs
import Schema

/// `hone compile`.
struct CompileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile", abstract: "Optimize a program and track the search.",
    discussion: """
      Status: 0 when the search ran to its end, 2 for a wrong request, 3 when the model could not be used, 4 when the \
      budget was spent, 130 when interrupted. Whatever ends a search, the best program so far is kept, and hone resume \
      continues it. Ctrl-C stops the search and prints what it has found; a second Ctrl-C ends at once.
      """)

  @OptionGroup var work: WorkOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var trials: TrialsOption

  @Option(
    help: "The optimizer's name, or JSON with its settings; auto by default.",
    completion: Candidates.optimizers)
  var optimizer: String?

  @Option(help: "The size of the search (auto, GEPA, MIPROv2): light, medium or heavy.")
  var auto: String?

  @Option(help: "gsm8k:train, word-problems:train, a file, or JSON.")
  var trainset: String?

  @Option(help: "The rows that candidates are scored on.")
  var valset: String?

  @Option(help: "Rows that the search never sees: the best program is scored on them at its end.")
  var testset: String?

  @Option(help: "The model that writes instructions.")
  var promptModel: String?

  @Option(help: "The seed of the search.")
  var seed: Int?

  @Option(name: [.short, .long], help: "Write the best program to this file.")
  var output: String?

  @Flag(help: "Estimate calls and cost without calling a model.")
  var estimate = false

  @Option(
    help: "Continue this run instead of starting one. Can be combined with limit options only.",
    completion: Candidates.runs)
  var resume: String?

  func run() async throws {
    if let resume { return try await report("resumeRun", work.limits.changes(to: resume)) }
    var request = try work.request("compile")
    let stated = try optimizer.map { try jsonOrText($0, "--optimizer") } ?? StatedParts(.object(request)).optimizer
    var search: JSONValue = stated.isNull ? "auto" : stated
    if let auto {
      var settings = search.objectValue ?? ["name": search]
      settings.set(["auto": .string(auto)])
      search = .object(settings)
    }
    request.set([
      "optimizer": search,
      "trainset": try trainset.map { work.placed(try datasetValue($0, "--trainset")) },
      "valset": try valset.map { work.placed(try datasetValue($0, "--valset")) },
      "testset": try testset.map { work.placed(try datasetValue($0, "--testset")) },
      "promptModel": try promptModel.map { try jsonOrText($0, "--prompt-model") },
      "seed": seed.map(JSONValue.int),
      "estimate": estimate ? true : nil,
    ])
    try await report("compile", request)
  }

  private func report(_ method: String, _ params: JSONObject) async throws {
    try await reporting {
      let result = try await Caller(common, keyRules: work.keyRules(common)).call(
        method, work.call(params, common), from: work.directory, progress: TerminalProgress())
      if let output, let state = JobOutline(json: result)?.program {
        try writeText(output, JSONValue.object(state).text(.indented) + "\n")
      }
      try WorkReport.show(result, json: common.json, showsAllTrials: trials.allTrials)
    }
  }
}
