import ArgumentParser
import Failures
import HTTPModels
import JSON
import LanguageModels
import Schema

/// Which keys the operator allows to go where.
struct KeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Allow the value of this environment variable to be sent to this host; may be repeated.",
      discussion: "hone keys allow does it for good. A provider's usual key may always go to the provider.",
      valueName: "name=host"),
    transform: { text in
      guard let grant = KeyGrant(option: text) else {
        throw ValidationError("Expected NAME=HOST, such as TEAM_KEY=llm.example.org.")
      }
      return grant
    })
  var allowKey: [KeyGrant] = []
}

extension KeyRules {
  /// With what was typed as options of a command: whoever types a variable and an address wants the one sent to the
  /// other. What a file says of either does not count.
  init(_ options: KeyOptions, lm: JSONValue?, apiBase: String?, apiKeyEnv: String?) {
    self.init(grants: options.allowKey)
    guard lm != nil || apiBase != nil else { return }
    var typed = lm?.objectValue ?? ["model": lm ?? "openai-compatible/typed"]
    typed.set(["apiBase": apiBase.map(JSONValue.string), "apiKeyEnv": apiKeyEnv.map(JSONValue.string)])
    guard let configuration = ModelConfiguration(.object(typed), path: "lm", problems: ProblemList()) else { return }
    grants += (try? refusals(configuration, by: Asker()))?.map { KeyGrant($0.variable, $0.host) } ?? []
  }
}
