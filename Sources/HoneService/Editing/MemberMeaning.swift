import JSON
import Optimizers

/// What a member of a program file means, and what it is where it is not given.
struct MemberMeaning: Sendable {
  /// The document's value.
  let root: JSONValue

  /// One line about the member of that name in the object at the end of the path.
  func line(of name: String, in path: [JSONTree.Step]) -> String? {
    if path.isEmpty { return ProgramFile.members.first { $0.name == name }?.summary }
    let names = path.compactMap { step in if case .member(let name) = step { name } else { nil } }
    guard names == ["optimizer"] else { return Glossary.meaning(of: name, in: names) }
    if name == "name" { return "The optimizer." }
    let optimizer = root["optimizer"]?["name"]?.stringValue ?? ""
    let defaults = OptimizerHelp.defaults(of: optimizer)
    // Settings may be spelt as in Python or in camel case.
    let key =
      defaults.keys.first { $0.filter { $0 != "_" }.lowercased() == name.filter { $0 != "_" }.lowercased() } ?? name
    guard let meaning = OptimizerHelp.meaning(of: key) else { return nil }
    return defaults[key].map { "\(meaning) Default: \($0.text())." } ?? meaning
  }
}
