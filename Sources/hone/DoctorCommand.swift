import ArgumentParser
import HoneService
import JSON

/// `hone doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Examine the store and its surroundings, and say what is to be done.",
    discussion: """
      Looks at files and permissions, the schema, the database's soundness, artifacts, runs whose process is gone, free \
      space, the socket, and which keys are set (never their values). The status is 0 if nothing is to be done, else 1.
      """)

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  @Option(help: "The socket to look at; that of the store's shared service unless said.")
  var socket: String?

  @Flag(help: "Mend what can be mended without harm: permissions, left-over files, leases of dead processes.")
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
      if json {
        print(result.text(.indented))
      } else {
        for finding in result["findings"]?.arrayValue ?? [] { print(line(finding)) }
      }
      if result["healthy"] != true { throw ExitCode(1) }
    }
  }

  private func line(_ finding: JSONValue) -> String {
    let level = finding["level"]?.stringValue ?? ""
    let isRepaired = finding["repaired"] == true
    let mark = isRepaired ? "mended" : level
    let check = finding["check"]?.stringValue ?? ""
    var text = "\(mark)\(String(repeating: " ", count: max(1, 9 - mark.count)))\(check): \(finding["message"]?.stringValue ?? "")"
    if let remedy = finding["remedy"]?.stringValue, !isRepaired { text += "\n         → \(remedy)" }
    return text
  }
}
