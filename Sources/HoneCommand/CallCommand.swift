import ArgumentParser
import JSON
import Terminal

/// `hone call`.
struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call any method of the service and print its result.",
    discussion: "hone call listRuns '{\"experiment\": \"Default\"}'; the methods are in hone call rpc.discover.")

  @OptionGroup var common: CommonOptions

  @Argument(help: "The method's name.", completion: Candidates.methods)
  var method: String

  @Argument(help: "Its params: a JSON object, or @FILE, or - for standard input.")
  var params: String?

  func run() async throws {
    var object: JSONObject = [:]
    if let params {
      if params == "-" || params.hasPrefix("@") {
        object = try requestFile(params == "-" ? "-" : String(params.dropFirst()))
      } else {
        guard case .object(let given) = try jsonOrText(params, "params") else {
          throw ValidationError("The params should be a JSON object.")
        }
        object = given
      }
    }
    let request = object
    try await reporting {
      let progress: TerminalProgress? = common.json ? nil : TerminalProgress()
      TerminalOutput.standard.json(try await Caller(common).call(method, request, progress: progress))
    }
  }
}
