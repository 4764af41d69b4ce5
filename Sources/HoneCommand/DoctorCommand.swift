import ArgumentParser
import HoneService
import JSON
import Schema
import Terminal
import Tracking

/// `hone doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Examine the store and its surroundings, and say what needs attention.",
    discussion: """
      Looks at files and permissions, the schema, the database's soundness, artifacts, runs whose process is gone, \
      free space, the socket, and which keys are set (never their values). The status is 0 if nothing needs attention, else 1.
      """)

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "The socket to examine; by default that of the store's shared service.")
  var socket: String?

  @Flag(help: "Repair what can be repaired safely: permissions, left-over files, leases of dead processes.")
  var repair = false

  @Flag(help: "Print the whole result as JSON.")
  var json = false

  func run() async throws {
    let common = try CommonOptions.parse(home.map { ["--home", $0] } ?? [])
    var params: JSONObject = ["repair": .bool(repair)]
    if let socket { params["socket"] = .string(socket) }
    let request = params
    try await reporting {
      let result = try await Caller(common).call("doctor", request)
      let examination = DoctorResult(json: result)
      if !json, let examination {
        for finding in examination.findings { TerminalOutput.standard.line(line(finding)) }
      } else {
        TerminalOutput.standard.json(result)
      }
      if examination?.isHealthy != true { throw ExitCode(1) }
    }
  }

  private func line(_ finding: Observation) -> String {
    let mark = finding.isRepaired ? "mended" : finding.level.rawValue
    let blanks = String(repeating: " ", count: max(1, 9 - mark.count))
    var text = "\(mark)\(blanks)\(finding.check): \(finding.message.visibleLine)"
    if let remedy = finding.remedy, !finding.isRepaired { text += "\n         → \(remedy.visibleLine)" }
    return text
  }
}
