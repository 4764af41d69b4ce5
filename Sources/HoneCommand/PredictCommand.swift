import ArgumentParser
import Editing
import HoneService
import HTTPModels
import Jobs
import JSON
import Schema
import Terminal

/// `hone predict`.
struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "predict", abstract: "Run a program once.")

  @OptionGroup var common: CommonOptions

  @Option(
    help: "A signature (\"question -> answer\"), a run's id, a file (NAME.hone.json, or a saved program), or JSON.",
    completion: Candidates.runs)
  var program: String

  @Option(help: "The module for a signature: Predict or ChainOfThought.")
  var module: String?

  @Option(help: "The model; the run's own for a run.")
  var lm: String?

  @Option(
    help: "The form of prompt and reply: auto, chat, json, plain or xml.", completion: Candidates.adapters)
  var adapter: String?

  @Argument(
    help:
      "Inputs as name=value, name=@FILE (a file's text; @@ for a text that begins with @), or one JSON object: itself, @FILE, or - for standard input."
  )
  var inputs: [String] = []

  func run() async throws {
    let isProgramFile = ProgramFile.isOne(program)
    var request: JSONObject = ["program": isProgramFile ? .null : try programValue(program, "--program")]
    if isProgramFile { request = ProgramFile.request("predict", of: try requestFile(program), file: nil) }
    let directory = isProgramFile ? ProgramFile.directory(of: absolutePath(program)) : nil
    var values = JSONObject()
    for input in inputs { values = values.merging(try inputValues(input)) }
    request.set([
      "module": module.map(JSONValue.string), "lm": try lm.map { try jsonOrText($0, "--lm") },
      "adapter": adapter.map(JSONValue.string), "inputs": .object(values),
    ])
    let params = request
    let rules = KeyRules(common.keys, lm: try lm.map { try jsonOrText($0, "--lm") }, apiBase: nil, apiKeyEnv: nil)
    try await reporting {
      let result = try await Caller(common, keyRules: rules).call(
        "predict", params, from: directory, progress: TerminalProgress())
      guard !common.json, let answer = PredictResult(json: result) else { return TerminalOutput.standard.json(result) }
      for (key, value) in answer.outputs {
        TerminalOutput.standard.line("\(key.visibleLine): \(value.stringValue ?? value.text())")
      }
      if answer.isSimulated { TerminalOutput.standard.line("(simulated model)") }
      if let trace = answer.traceID { TerminalOutput.standard.line("trace \(trace)") }
    }
  }
}
