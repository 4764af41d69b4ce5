import ArgumentParser
import Failures
import HTTPModels
import JSON
import Schema
import Terminal

/// `hone keys`.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Say which keys may be sent to which hosts.",
    discussion: """
      A provider's usual environment variable may always be sent to that provider. Any other pair of a variable and a \
      host has to be allowed here, or with --allow-key where a service is started, before a request can use it. \
      Requests to addresses of this machine need no leave, unless an agent or an editor makes them.
      """,
    subcommands: [Allow.self, List.self, Forget.self])

  /// The user's list.
  private static func file() throws(HoneError) -> KeyGrantFile {
    guard let file = KeyGrantFile.ofUser else {
      throw HoneError(
        .storeUnavailable, "There is no place for the list of allowed keys.",
        remedy: "Set HOME or XDG_CONFIG_HOME to an absolute path.")
    }
    return file
  }

  struct Allow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "allow", abstract: "Allow an environment variable's value to be sent to a host.")

    @Argument(help: "The name of the environment variable that holds the key.")
    var name: String

    @Argument(help: "The host, such as llm.example.org; with a port only that port's.")
    var host: String

    func run() async throws {
      try await reporting {
        guard let grant = KeyGrant(checking: name, host) else {
          throw HoneError(
            .invalidParams, "Expected the name of a variable and a host, got \(name) and \(host).",
            remedy: "Such as: hone keys allow TEAM_KEY llm.example.org")
        }
        let file = try KeysCommand.file()
        let isNew = try file.add(grant)
        TerminalOutput.standard.line(
          "\(grant.variable) may be sent to \(grant.host)\(isNew ? "" : " already") (\(file.path))")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "List what is allowed beside the providers' own keys.")

    @Flag(help: "Print the list as JSON.")
    var json = false

    func run() async throws {
      try await reporting {
        let grants = try KeysCommand.file().grants()
        if json { return TerminalOutput.standard.json(.array(grants.map { .object($0.given) })) }
        if grants.isEmpty { return TerminalOutput.standard.line("nothing but the providers' own keys") }
        TerminalOutput.standard.line(
          columns([["variable", "host", "for"]] + grants.map { [$0.variable, $0.host, $0.file ?? "any request"] }))
      }
    }
  }

  struct Forget: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "forget", abstract: "Take back what was allowed, in editors too.")

    @Argument(help: "The name of the environment variable.")
    var name: String

    @Argument(help: "Only this host.")
    var host: String?

    @Option(help: "Only what an editor was allowed for this program file.", completion: .file())
    var file: String?

    func run() async throws {
      try await reporting {
        let gone = try KeysCommand.file().forget { grant in
          grant.variable == name && (host == nil || grant.host == host?.lowercased())
            && (file == nil || grant.file == file.map(absolutePath))
        }
        for grant in gone { TerminalOutput.standard.line("\(grant.variable) may no longer be sent to \(grant.host)") }
        if gone.isEmpty { TerminalOutput.standard.line("nothing of that kind was allowed") }
      }
    }
  }
}
