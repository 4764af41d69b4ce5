import Failures
import HTTPModels
import HoneService
import JSON
import JSONRPC
import Jobs
import Schema

/// Asks the person at the editor before a program file's key goes where nobody has allowed it: once for each file,
/// host and variable. The answer is kept in the user's list, outside of the workspace; `hone.forgetKeys` takes it back.
enum KeyPermission {
  private static let yes = "Allow"

  static func ask(for request: JSONObject, of document: Document, _ call: EditorCall) async throws(HoneError) {
    let rules = call.service.workspace.keyRules
    guard let file = rules.file, let path = document.path else { return }
    var asked: Set<KeyRules.Refusal> = []
    for configuration in RequestedModels(.object(request)).configurations {
      for var refusal in try rules.refusals(configuration, by: asker(document)) {
        refusal.member = ""
        // What is no plain host can be allowed to nobody.
        guard asked.insert(refusal).inserted,
          let grant = KeyGrant(checking: refusal.variable, refusal.host, file: path)
        else { continue }
        let question =
          "\(document.name) wants to send the value of \(refusal.variable) to \(refusal.host). Allow it for this file?"
        let reply = try? await call.connection.request(
          "window/showMessageRequest",
          ["type": 2, "message": .string(question), "actions": [["title": .string(yes)], ["title": "Don't allow"]]])
        if ChosenAction(reply).title == yes {
          try file.add(grant)
        }
      }
    }
  }

  /// What is known of a request that a document makes.
  static func asker(_ document: Document) -> KeyRules.Asker {
    var asker = KeyRules.Asker()
    asker.isTrustedOnLoopback = false
    asker.file = document.path
    return asker
  }

  /// `hone.forgetKeys`: takes back what was allowed for a file.
  static func forget(_ call: EditorCall, _ arguments: CommandArguments) async throws -> JSONValue {
    let path = ProgramFile.path(ofURI: try arguments.uri())
    let gone = try call.service.workspace.keyRules.file?.forget { $0.file != nil && $0.file == path } ?? []
    return ["forgotten": .array(gone.map { ["variable": .string($0.variable), "host": .string($0.host)] })]
  }

  /// What `window/showMessageRequest` is answered with.
  private struct ChosenAction: ForeignRecord {
    static let members: [Member<Self>] = [Member("title", \.title)]
    var title: String?
  }
}
